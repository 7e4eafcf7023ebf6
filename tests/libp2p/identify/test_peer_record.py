"""libp2p RFC 0003: a record is its peer's own, or it is nothing."""

from __future__ import annotations

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.identity.envelope import Envelope
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.identify.peer_record import DOMAIN, MAX_ADDRESSES, PAYLOAD_TYPE, PeerRecord
from zwerm.multiformats.multiaddr import Multiaddr

KEY = seeded_key(0)
PEER = PeerId.of(KEY.public)
ADDRESSES = tuple(Multiaddr.from_text(f"/ip4/192.0.2.{number}/tcp/4001") for number in range(3))
RECORD = PeerRecord(PEER, 2**63 + 5, ADDRESSES)


def test_a_sealed_record_opens_as_it_was() -> None:
    assert PeerRecord.open_untrusted(RECORD.seal(KEY)) == RECORD


def test_a_record_that_somebody_else_sealed_is_refused() -> None:
    with pytest.raises(WireError, match="sealed by"):
        PeerRecord.open_untrusted(RECORD.seal(seeded_key(1)))


@pytest.mark.parametrize(
    ("domain", "payload_type"),
    [("libp2p-something-else", PAYLOAD_TYPE), (DOMAIN, b"\x03\x02")],
    ids=["for another purpose", "of another type"],
)
def test_an_envelope_for_something_else_is_no_record(domain: str, payload_type: bytes) -> None:
    sealed = Envelope.seal(KEY, domain=domain, payload_type=payload_type, payload=RECORD.serialize())
    with pytest.raises(WireError):
        PeerRecord.open_untrusted(sealed.serialize())


def test_every_changed_byte_is_noticed() -> None:
    sealed = RECORD.seal(KEY)
    for position in range(0, len(sealed), 7):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(WireError):
            PeerRecord.open_untrusted(bytes(damaged))


@pytest.mark.parametrize(
    "wire",
    [b"", protobuf.serialize_field(1, 5), protobuf.serialize_field(2, b"x"), protobuf.serialize_field(1, b"\x00")],
    ids=["nothing", "a number for a name", "text for a number", "no peer ID"],
)
def test_what_is_no_record_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        PeerRecord.parse(wire)


def test_strange_addresses_are_left_out_and_many_are_cut() -> None:
    entry = protobuf.serialize_field(1, bytes(ADDRESSES[0]))
    wire = protobuf.serialize_field(1, bytes(PEER)) + protobuf.serialize_field(9, 1)
    for strange in (b"", protobuf.serialize_field(1, b"\xff\x7f"), protobuf.serialize_field(2, b"x")):
        wire += protobuf.serialize_field(3, strange)
    assert PeerRecord.parse(wire) == PeerRecord(PEER, 0, ())
    record = PeerRecord.parse(wire + protobuf.serialize_field(3, entry) * (MAX_ADDRESSES + 3))
    assert len(record.addresses) == MAX_ADDRESSES
