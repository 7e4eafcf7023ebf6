"""libp2p specs, "tls/tls.md", "libp2p Public Key Extension": DER in its one form, and whose signature it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.noise.sides import KEYS
from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey
from zwerm.libp2p.tls.signed_key import MAX_SIZE, SignedKey

INFO = b"subject public key info"


def test_it_is_laid_out_as_the_specification_says() -> None:
    wire = bytes.fromhex("30 08 04 03 6b6579 04 01 73")
    assert SignedKey(b"key", b"s").serialize() == wire
    assert SignedKey.parse(wire) == SignedKey(b"key", b"s")


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 8_000])
def test_lengths_of_every_form_are_written_and_read(size: int) -> None:
    signed_key = SignedKey(b"k" * size, b"s" * size)
    assert SignedKey.parse(signed_key.serialize()) == signed_key


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ("", "cut short"),
        ("31 04 0400 0400", "DER tag 0x31 in a libp2p extension, expected 0x30"),
        ("30 04 0500 0400", "DER tag 0x05 in a libp2p extension, expected 0x04"),
        ("30 05 0400 0400", "cut short"),
        ("30 04 0400 0400 00", "1 bytes after"),
        ("30 05 0400 0400 00", "1 bytes after"),
        ("30 05 048100 0400", "not in its shortest form"),
        ("30 07 04820001 61 0400", "not in its shortest form"),
        ("30 80 0400 0400 0000", "DER length of 0 bytes"),
        ("30 83 000004 0400 0400", "DER length of 3 bytes"),
    ],
    ids=["empty", "tag", "inner tag", "cut", "behind", "behind, inside", "long", "longer", "indefinite", "too long"],
)
def test_what_is_not_der_is_refused(wire: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        SignedKey.parse(bytes.fromhex(wire))


def test_a_giant_is_refused() -> None:
    with pytest.raises(WireError, match="libp2p extension of 16385 bytes"):
        SignedKey.parse(bytes(MAX_SIZE + 1))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_type_of_key_can_sign(key: PrivateKey) -> None:
    signed_key = SignedKey.sign(key, INFO)
    assert signed_key.verified_key_untrusted(INFO) == key.public
    assert key.public.verify(signed_key.signature, b"libp2p-tls-handshake:" + INFO)
    with pytest.raises(WireError, match=f"the {key.type.name} identity key did not sign the peer's certificate key"):
        signed_key.verified_key_untrusted(INFO + b".")


@given(st.binary(max_size=300))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        signed_key = SignedKey.parse(data)
    except WireError:
        return
    assert signed_key.serialize() == data
