"""libp2p specs, "noise/README.md", "The libp2p Handshake Payload": what is read, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.noise.sides import KEYS
from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey
from zwerm.libp2p.noise.payload import MAX_CERTIFICATE_HASHES, MAX_MUXER_NAME, MAX_MUXERS, Payload

STATIC = bytes(range(32))
PAYLOAD = Payload(b"key", b"signature", ("/yamux/1.0.0", "/mplex/6.7.0"), (b"hash",))

field = protobuf.serialize_field


def test_a_payload_is_laid_out_as_the_specification_says() -> None:
    muxers = "12 0c 2f79616d75782f312e302e30 12 0c 2f6d706c65782f362e372e30"
    wire = bytes.fromhex(f"0a 03 6b6579 12 09 7369676e6174757265 22 22 0a 04 68617368 {muxers}")
    assert PAYLOAD.serialize() == wire
    assert Payload.parse(wire) == PAYLOAD


def test_without_extensions_there_is_no_field_for_them() -> None:
    assert Payload(b"k", b"s").serialize() == b"\x0a\x01k\x12\x01s"


def test_fields_of_later_versions_are_passed_over() -> None:
    extensions = field(2, b"/yamux/1.0.0") + field(1025, b"new") + field(3, 7)
    wire = field(1, b"k") + field(3, b"data") + field(2, b"s") + field(4, extensions) + field(9, 1)
    assert Payload.parse(wire) == Payload(b"k", b"s", ("/yamux/1.0.0",))


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"", "without an identity key"),
        (field(1, b"k"), "without a signature"),
        (field(1, b"k") * 2 + field(2, b"s"), "stands there twice"),
        (field(1, 1) + field(2, b"s"), "field 1 is a number"),
        (field(1, b"k") + field(2, b"s") + field(4, field(2, 1)), "extension 2 is a number"),
        (field(1, b"k") + field(2, b"s") + field(4, field(2, b"\xff")), "not UTF-8"),
        (field(1, b"k") + field(2, b"s") + field(4, field(2, b"m" * (MAX_MUXER_NAME + 1))), "muxer of 257 bytes"),
        (field(1, b"k") + field(2, b"s") + field(4, field(2, b"m") * (MAX_MUXERS + 1)), "33 muxers"),
        (field(1, b"k") + field(2, b"s") + field(4, field(1, b"h") * (MAX_CERTIFICATE_HASHES + 1)), "33 certificates"),
        (b"\x0a\xff\x01", "cut short"),
    ],
    ids=[
        "empty",
        "no signature",
        "twice",
        "number",
        "number in an extension",
        "text",
        "name",
        "muxers",
        "hashes",
        "cut",
    ],
)
def test_what_is_no_payload_is_refused(wire: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        Payload.parse(wire)


def test_as_many_extensions_as_the_limits_say_are_read() -> None:
    payload = Payload(b"k", b"s", ("m" * MAX_MUXER_NAME,) * MAX_MUXERS, (b"h",) * MAX_CERTIFICATE_HASHES)
    assert Payload.parse(payload.serialize()) == payload


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_type_of_key_can_sign(key: PrivateKey) -> None:
    payload = Payload.sign(key, STATIC)
    assert Payload.parse(payload.serialize()).verified_key_untrusted(STATIC) == key.public


def test_the_signature_is_over_the_noise_key_and_its_purpose() -> None:
    payload = Payload.sign(KEYS["ed25519"], STATIC)
    assert KEYS["ed25519"].public.verify(payload.identity_signature, b"noise-libp2p-static-key:" + STATIC)
    for other in (
        payload._replace(identity_signature=KEYS["ed25519"].sign(STATIC)),
        payload._replace(identity_key=PrivateKey.generate().public.serialize()),
        Payload.sign(KEYS["ed25519"], STATIC[::-1]),
    ):
        with pytest.raises(WireError, match="did not sign the peer's noise key"):
            other.verified_key_untrusted(STATIC)


@given(st.binary(max_size=300))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        payload = Payload.parse(data)
    except WireError:
        return
    assert Payload.parse(payload.serialize()) == payload
