"""libp2p peer-ids spec, "Keys": the encodings of four key types, and what a strict reader refuses."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import MAX_KEY, PrivateKey, PublicKey

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "libp2p_keys.json").read_text())


X448_OF_THE_WRONG_SIZE = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VvBCIEIH4IMGF8SnmsS3OXoflFVrEpNsR3oOH+suFI7J2mD+59
-----END PRIVATE KEY-----
"""


def message(key_type: int, body: bytes) -> bytes:
    return protobuf.serialize_field(1, key_type) + protobuf.serialize_field(2, body)


def private(name: str) -> PrivateKey:
    return PrivateKey.parse(bytes.fromhex(VECTORS[name]["private"]))


@pytest.mark.parametrize("name", VECTORS)
def test_the_public_key_of_the_spec_belongs_to_its_private_key(name: str) -> None:
    key = private(name)
    assert key.type.name.lower() == name
    assert key.public.serialize().hex() == VECTORS[name]["public"]
    assert key.serialize().hex() == VECTORS[name]["private"]
    assert PublicKey.parse(key.public.serialize()) == key.public


@pytest.mark.parametrize("key_type", KeyType)
def test_what_a_new_key_signs_it_verifies_and_nothing_else(key_type: KeyType) -> None:
    key = PrivateKey.generate(key_type)
    signature = key.sign(b"message")
    assert key.public.verify(signature, b"message")
    assert not key.public.verify(signature, b"another message")
    assert not key.public.verify(signature[:-1], b"message")
    assert not key.public.verify(b"", b"message")
    assert not PrivateKey.generate(key_type).public.verify(signature, b"message")


@pytest.mark.parametrize("name", VECTORS)
def test_pem_and_the_libp2p_form_hold_the_same_key(name: str) -> None:
    key = private(name)
    pem = key.to_pem()
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert PrivateKey.from_pem(pem).serialize() == key.serialize()


def test_the_old_ed25519_form_repeats_the_public_key() -> None:
    key = private("ed25519")
    body = key.serialize()[4:]
    assert PrivateKey.parse(message(1, body + body[32:])).serialize() == key.serialize()


@pytest.mark.parametrize("tail", [b"\0" * 32, b"\0" * 64, b"", b"\1"], ids=["other key", "two", "none", "cut"])
def test_an_ed25519_key_with_a_public_key_not_its_own_is_refused(tail: bytes) -> None:
    seed = private("ed25519").serialize()[4:36]
    with pytest.raises(WireError):
        PrivateKey.parse(message(1, seed + tail))


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("half", ["public", "private"])
def test_a_key_cut_short_at_any_byte_is_refused(name: str, half: str) -> None:
    data = bytes.fromhex(VECTORS[name][half])
    parse = PublicKey.parse if half == "public" else PrivateKey.parse
    step = 1 if len(data) < 300 else 37
    for size in range(0, len(data), step):
        with pytest.raises(WireError):
            parse(data[:size])


@pytest.mark.parametrize(
    "data",
    [
        "1220" + "1e" * 32 + "0801",  # the fields the other way round
        "0881001220" + "1e" * 32,  # a type that is not in its shortest form
        "1220" + "1e" * 32,  # no type
        "0801",  # no data
        "08011220" + "1e" * 32 + "1800",  # one field more
        "08041220" + "1e" * 32,  # a type nobody knows
        "0a011220" + "1e" * 32,  # a type that is bytes
        "0801120b" + "1e" * 11,  # not the size of an Ed25519 key
        "08001220" + "1e" * 32,  # not DER
        "080212410" + "4" + "79" * 64,  # a point that is not on the curve
    ],
)
def test_a_message_that_is_not_the_one_encoding_of_a_key_is_refused(data: str) -> None:
    with pytest.raises(WireError):
        PublicKey.parse(bytes.fromhex(data))


def test_an_uncompressed_secp256k1_point_is_not_the_canonical_encoding() -> None:
    key = ec.derive_private_key(7, ec.SECP256K1()).public_key()
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    with pytest.raises(WireError, match="canonical"):
        PublicKey.parse(message(2, point))


def test_a_key_of_another_scheme_inside_the_message_is_refused() -> None:
    body = PublicKey.parse(bytes.fromhex(VECTORS["ecdsa"]["public"])).serialize()[4:]
    with pytest.raises(WireError, match="RSA"):
        PublicKey.parse(message(0, body))
    with pytest.raises(WireError, match="ECDSA"):
        PublicKey.parse(message(3, bytes.fromhex(VECTORS["rsa"]["public"])[5:]))
    with pytest.raises(WireError):
        PrivateKey.parse(message(0, private("ecdsa").serialize()[4:]))
    with pytest.raises(WireError):
        PrivateKey.parse(message(3, private("rsa").serialize()[5:]))


def test_a_key_on_which_openssl_itself_fails_is_refused() -> None:
    x448 = bytes.fromhex("302a 3005 0603 2b656f 0321 00") + bytes(32)  # that curve's keys have 56 bytes
    for key_type in (0, 3):
        with pytest.raises(WireError):
            PublicKey.parse(message(key_type, x448))


def test_a_small_rsa_key_is_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    body = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(WireError, match="1024 bits"):
        PublicKey.parse(message(0, body))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        X448_OF_THE_WRONG_SIZE,
        b"\0" * 40,
        "ключ".encode(),
    ],
)
def test_a_pem_file_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        PrivateKey.from_pem(text)


def test_a_pem_file_with_a_key_libp2p_has_no_name_for_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import x25519

    pem = x25519.X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(WireError):
        PrivateKey.from_pem(pem)


def test_a_secp256k1_key_of_zero_or_of_another_size_is_refused() -> None:
    for body in (bytes(32), b"\1" * 31, b"\xff" * 32):
        with pytest.raises(WireError):
            PrivateKey.parse(message(2, body))


def test_an_endless_message_is_refused_by_its_size() -> None:
    with pytest.raises(WireError, match=str(MAX_KEY)):
        PublicKey.parse(bytes(MAX_KEY + 1))


def test_neither_text_nor_error_shows_the_secret() -> None:
    key = private("ed25519")
    secret = key.serialize()[4:36]
    assert secret.hex() not in repr(key)
    with pytest.raises(WireError) as caught:
        PrivateKey.parse(message(1, secret + bytes(32)))
    assert secret.hex() not in str(caught.value)


def test_keys_are_equal_by_their_encoding() -> None:
    one, other = private("ed25519").public, private("ed25519").public
    assert one == other
    assert hash(one) == hash(other)
    assert one != private("secp256k1").public
    assert one != one.serialize()


@given(st.binary(max_size=128))
def test_untrusted_bytes_are_a_key_or_refused_and_never_anything_else(data: bytes) -> None:
    for parse in (PublicKey.parse, PrivateKey.parse):
        try:
            key = parse(data)
        except WireError:
            continue
        assert key.serialize() == data


@given(st.sampled_from(sorted(VECTORS)), st.integers(0, 2_000), st.integers(1, 255))
def test_a_changed_byte_never_gives_an_unexpected_error(name: str, position: int, change: int) -> None:
    data = bytearray.fromhex(VECTORS[name]["public"])
    data[position % len(data)] ^= change
    try:
        key = PublicKey.parse(bytes(data))
    except WireError:
        return
    assert key.serialize() == data
    assert not key.verify(b"signature", b"message")
