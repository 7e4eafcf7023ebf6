"""Circuit relay v2, "Protobuf": messages read and written, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_field
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.relay.message import (
    MAX_ADDRESSES,
    HopMessage,
    HopType,
    Limit,
    Reservation,
    Status,
    StopMessage,
    StopType,
)
from zwerm.multiformats.multiaddr import Multiaddr

PEER = PeerId.of(seeded_key(1).public)
ADDRESS = Multiaddr.from_text("/ip4/192.0.2.7/tcp/4001")


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (HopMessage(HopType.RESERVE), "0800"),
        (HopMessage(HopType.CONNECT, peer=PEER), "0801 1228 0a26" + bytes(PEER).hex()),
        (HopMessage(HopType.STATUS, status=Status.NO_RESERVATION), "0802 28cc01"),
        (
            HopMessage(HopType.STATUS, limit=Limit(120, 131_072), status=Status.OK),
            "0802 2206 0878 10808008 2864",
        ),
        (
            HopMessage(HopType.STATUS, reservation=Reservation(5, (ADDRESS,), b"v")),
            "0802 1a0f 0805 1208" + bytes(ADDRESS).hex() + "1a0176",
        ),
    ],
    ids=["reserve", "connect", "no reservation", "with a limit", "reservation"],
)
def test_hop_messages_are_written_as_the_specification_numbers_their_fields(message: HopMessage, wire: str) -> None:
    assert message.serialize().hex() == wire.replace(" ", "")
    assert HopMessage.parse(message.serialize()) == message


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (
            StopMessage(StopType.CONNECT, peer=PEER, limit=Limit(1, 2)),
            "0800 1228 0a26" + bytes(PEER).hex() + "1a04 0801 1002",
        ),
        (StopMessage(StopType.STATUS, status=Status.CONNECTION_FAILED), "0801 20cb01"),
    ],
    ids=["connect", "failed"],
)
def test_stop_messages_are_written_as_the_specification_numbers_their_fields(message: StopMessage, wire: str) -> None:
    assert message.serialize().hex() == wire.replace(" ", "")
    assert StopMessage.parse(message.serialize()) == message


def test_a_status_that_is_not_known_yet_is_none_that_means_success() -> None:
    assert HopMessage.parse(bytes.fromhex("0802 28ff07")).status is Status.UNUSED
    assert StopMessage.parse(bytes.fromhex("0801 20ff07")).status is Status.UNUSED


def test_addresses_that_cannot_be_read_are_left_out_and_many_are_cut() -> None:
    fields = serialize_field(2, b"\xff\xff\x7f") + serialize_field(2, bytes(ADDRESS)) * (MAX_ADDRESSES + 5)
    reservation = Reservation.parse(fields)
    assert set(reservation.addresses) == {ADDRESS}
    assert len(reservation.addresses) == MAX_ADDRESSES - 1


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        ("", "without a type"),
        ("0803", "expected 0 to 2"),
        ("0a0141", "expected a number"),
        ("0801 1005", "expected bytes"),
        ("0801 1200", "no ID"),
        ("0801 1203 0a0105", ""),
        ("0802 2803 12", ""),
    ],
    ids=["empty", "type 3", "type of text", "peer of number", "peer of nothing", "peer of nonsense", "cut"],
)
def test_a_broken_hop_message_is_refused(wire: str, complaint: str) -> None:
    with pytest.raises(WireError) as caught:
        HopMessage.parse(bytes.fromhex(wire))
    assert complaint in str(caught.value)


@pytest.mark.parametrize("wire", ["", "0802", "0800 1005"], ids=["empty", "type 2", "peer of number"])
def test_a_broken_stop_message_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        StopMessage.parse(bytes.fromhex(wire))


def test_a_status_reads_as_words() -> None:
    assert Status.NO_RESERVATION.words == "no reservation"


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    for kind in (HopMessage, StopMessage):
        try:
            kind.parse(data)
        except WireError:
            continue
