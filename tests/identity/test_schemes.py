"""The four schemes: what each signs with, and which keys belong to it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from zwerm.core.errors import LocalProtocolError
from zwerm.identity.schemes import INVALID_SIGNATURE, MAX_RSA_BITS, RSA_BITS, SCHEMES, KeyType, type_of

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIZES = {KeyType.ED25519: (32, 64), KeyType.SECP256K1: (33, 32), KeyType.ECDSA: (91, 121)}


@pytest.mark.parametrize("key_type", KeyType)
def test_a_generated_key_is_of_its_scheme_and_survives_both_encodings(key_type: KeyType) -> None:
    scheme = SCHEMES[key_type]
    key = scheme.generate()
    assert type_of(key) is key_type
    private, public = scheme.private_data(key), scheme.public_data(key.public_key())
    assert scheme.private_data(scheme.load_private(private)) == private
    assert scheme.public_data(scheme.load_public(public)) == public
    scheme.verify(scheme.load_public(public), scheme.sign(scheme.load_private(private), b"message"), b"message")
    with pytest.raises(INVALID_SIGNATURE):
        scheme.verify(key.public_key(), scheme.sign(key, b"message"), b"another")
    if key_type in SIZES:
        assert (len(public), len(private)) == SIZES[key_type]


def test_new_rsa_keys_have_the_size_that_everybody_accepts() -> None:
    assert SCHEMES[KeyType.RSA].generate().key_size == RSA_BITS == 2_048 < MAX_RSA_BITS


def test_secp256k1_signatures_take_the_lower_s() -> None:
    """BIP 62: of the two signatures there are, one is canonical."""
    scheme = SCHEMES[KeyType.SECP256K1]
    key = scheme.generate()
    for number in range(8):
        _, s = decode_dss_signature(scheme.sign(key, bytes([number])))
        assert s <= SECP256K1_ORDER // 2


def test_keys_are_told_apart_by_curve() -> None:
    assert type_of(ed25519.Ed25519PrivateKey.generate()) is KeyType.ED25519
    assert type_of(rsa.generate_private_key(65_537, 2_048)) is KeyType.RSA
    assert type_of(ec.generate_private_key(ec.SECP256K1())) is KeyType.SECP256K1
    assert type_of(ec.generate_private_key(ec.SECP384R1())) is KeyType.ECDSA
    with pytest.raises(LocalProtocolError, match="X25519"):
        type_of(x25519.X25519PrivateKey.generate())
