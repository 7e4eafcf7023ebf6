"""The four schemes: what each signs with, and which keys belong to it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.schemes import INVALID_SIGNATURE, MAX_RSA_BITS, RSA_BITS, SCHEMES, type_of

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


@pytest.mark.parametrize("part", ["load_public", "load_private"])
@pytest.mark.parametrize(("asked", "given"), [(KeyType.RSA, KeyType.ECDSA), (KeyType.ECDSA, KeyType.RSA)])
def test_a_key_of_another_scheme_is_refused_though_its_encoding_is_the_same(
    part: str, asked: KeyType, given: KeyType
) -> None:
    key = SCHEMES[given].generate()
    data = SCHEMES[given].public_data(key.public_key()) if part == "load_public" else SCHEMES[given].private_data(key)
    with pytest.raises(WireError, match=f"inside an {asked.name} key message"):
        getattr(SCHEMES[asked], part)(data)


def test_private_keys_have_their_size() -> None:
    with pytest.raises(WireError, match="Ed25519 private key of 32 bytes, expected 64"):
        SCHEMES[KeyType.ED25519].load_private(bytes(32))
    with pytest.raises(WireError, match="secp256k1 private key of 33 bytes, expected 32"):
        SCHEMES[KeyType.SECP256K1].load_private(bytes(33))


def test_an_ed25519_key_followed_by_anothers_public_key_is_refused() -> None:
    scheme = SCHEMES[KeyType.ED25519]
    key, other = scheme.generate(), scheme.generate()
    assert scheme.load_private(scheme.private_data(key) + scheme.public_data(key.public_key()))  # the old, longer form
    with pytest.raises(WireError, match="not its own"):
        scheme.load_private(scheme.private_data(key)[:32] + scheme.public_data(other.public_key()))


@pytest.mark.parametrize("bits", [1024, MAX_RSA_BITS + 8])
def test_rsa_keys_too_short_to_trust_or_too_long_to_bear_are_refused(bits: int) -> None:
    # A modulus of the size suffices: its factors are not asked for before the size is.
    numbers = rsa.RSAPublicNumbers(65_537, (1 << bits - 1) + 1)
    der = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(WireError, match=f"RSA key of {bits} bits, expected {RSA_BITS} to {MAX_RSA_BITS}"):
        SCHEMES[KeyType.RSA].load_public(der)
