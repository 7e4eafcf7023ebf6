"""The messages of dcutr: what is written is read, cut anywhere, and what is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_field
from zwerm.libp2p.dcutr.message import MAX_ADDRESSES, MAX_MESSAGE, HolePunch, MessageType, parse_prefix
from zwerm.multiformats import varint
from zwerm.multiformats.multiaddr import Multiaddr

HERE = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
THERE = Multiaddr.from_text("/ip4/192.0.2.2/udp/4001/quic-v1")


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (HolePunch(MessageType.SYNC), "08 ac02"),
        (HolePunch(MessageType.CONNECT, (HERE,)), "08 64 12 08 04 c0000201 06 0fa1"),
    ],
    ids=["sync", "connect"],
)
def test_vectors_by_hand_from_the_schema(message: HolePunch, wire: str) -> None:
    assert message.serialize() == bytes.fromhex(wire)
    assert HolePunch.parse(bytes.fromhex(wire)) == message


def test_a_message_is_read_however_it_is_cut() -> None:
    message = HolePunch(MessageType.CONNECT, (HERE, THERE))
    framed = message.frame()
    assert all(parse_prefix(framed[:size]) is None for size in range(len(framed)))
    assert parse_prefix(framed + b"the next") == (message, len(framed))


def test_addresses_that_nobody_here_can_read_are_left_out_and_too_many_too() -> None:
    strange = serialize_field(1, 100) + serialize_field(2, b"\xff\xff\x7f") + serialize_field(2, bytes(HERE))
    assert HolePunch.parse(strange).addresses == (HERE,)
    many = serialize_field(1, 100) + serialize_field(2, bytes(HERE)) * 40
    assert len(HolePunch.parse(many).addresses) == MAX_ADDRESSES


@pytest.mark.parametrize(
    "wire",
    ["", "08 00", "08 65", "0a 01 64", "12 08 04 c0000201 06 0fa1", "08 64 10 05"],
    ids=["nothing", "type 0", "type 101", "type as bytes", "no type", "address as a number"],
)
def test_what_is_no_message_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        HolePunch.parse(bytes.fromhex(wire))


@pytest.mark.parametrize("size", [MAX_MESSAGE + 1, 16_384, 2**60], ids=str)
def test_a_message_that_says_to_be_too_long_is_refused_before_it_comes(size: int) -> None:
    with pytest.raises(WireError):
        parse_prefix(varint.serialize(size))


@given(st.binary(max_size=64))
def test_untrusted_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        found = parse_prefix(data)
    except WireError:
        return
    if found is not None:
        assert HolePunch.parse(found[0].serialize()) == found[0]
