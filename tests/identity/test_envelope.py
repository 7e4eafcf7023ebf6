"""libp2p RFC 0002: what is signed for one purpose is worth nothing for another."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.identity.envelope import MAX_ENVELOPE, Envelope
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "libp2p_keys.json").read_text())
SEALED = [name for name, row in VECTORS.items() if "envelope" in row]
DOMAIN, TYPE, PAYLOAD = "libp2p-testing", b"/libp2p/testdata", b"hello world!"


def seal(name: str = "ed25519") -> Envelope:
    key = PrivateKey.parse(bytes.fromhex(VECTORS[name]["private"]))
    return Envelope.seal(key, domain=DOMAIN, payload_type=TYPE, payload=PAYLOAD)


@pytest.mark.parametrize("name", SEALED)
def test_an_envelope_of_js_libp2p_opens(name: str) -> None:
    data = bytes.fromhex(VECTORS[name]["envelope"])
    envelope = Envelope.open_untrusted(data, domain=DOMAIN, payload_type=TYPE)
    assert envelope.payload == PAYLOAD
    assert str(envelope.peer_id) == VECTORS[name]["peer_id"]
    assert envelope.serialize() == data


@pytest.mark.parametrize("name", ["ed25519", "rsa"])
def test_where_signing_is_deterministic_ours_is_byte_for_byte_that_of_js_libp2p(name: str) -> None:
    assert seal(name).serialize().hex() == VECTORS[name]["envelope"]


@pytest.mark.parametrize("key_type", KeyType)
def test_what_any_key_seals_opens(key_type: KeyType) -> None:
    key = PrivateKey.generate(key_type)
    sealed = Envelope.seal(key, domain=DOMAIN, payload_type=TYPE, payload=b"")
    assert Envelope.open_untrusted(sealed.serialize(), domain=DOMAIN, payload_type=TYPE) == sealed


def test_another_domain_does_not_open_it() -> None:
    with pytest.raises(WireError, match="signature"):
        Envelope.open_untrusted(seal().serialize(), domain="libp2p-routing-record", payload_type=TYPE)


def test_another_type_does_not_open_it() -> None:
    with pytest.raises(WireError, match="type"):
        Envelope.open_untrusted(seal().serialize(), domain=DOMAIN, payload_type=b"\x03\x01")


def test_a_byte_moved_from_the_type_to_the_payload_does_not_open() -> None:
    moved = seal()._replace(payload_type=TYPE[:-1], payload=TYPE[-1:] + PAYLOAD)
    with pytest.raises(WireError, match="signature"):
        Envelope.open_untrusted(moved.serialize(), domain=DOMAIN, payload_type=TYPE[:-1])


def test_another_key_does_not_open_it() -> None:
    stolen = seal()._replace(public_key=PrivateKey.generate().public)
    with pytest.raises(WireError, match="signature"):
        Envelope.open_untrusted(stolen.serialize(), domain=DOMAIN, payload_type=TYPE)


def test_no_bit_can_be_changed_unseen() -> None:
    data = seal().serialize()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x10
        with pytest.raises(WireError):
            Envelope.open_untrusted(bytes(changed), domain=DOMAIN, payload_type=TYPE)


def test_an_envelope_cut_short_at_any_byte_is_refused() -> None:
    data = seal().serialize()
    for size in range(len(data)):
        with pytest.raises(WireError):
            Envelope.open_untrusted(data[:size], domain=DOMAIN, payload_type=TYPE)


def test_a_field_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(WireError, match="number"):
        Envelope.open_untrusted(protobuf.serialize_field(1, 1), domain=DOMAIN, payload_type=TYPE)


def test_an_endless_envelope_is_refused_by_its_size() -> None:
    with pytest.raises(WireError, match=str(MAX_ENVELOPE)):
        Envelope.open_untrusted(bytes(MAX_ENVELOPE + 1), domain=DOMAIN, payload_type=TYPE)


@given(st.binary(max_size=200))
def test_untrusted_bytes_never_open(data: bytes) -> None:
    with pytest.raises(WireError):
        Envelope.open_untrusted(data, domain=DOMAIN, payload_type=TYPE)
