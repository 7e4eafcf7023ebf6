"""DHT messages: what is written is read, and what peers may do wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_field
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.message import (
    MAX_ADDRESS,
    MAX_ADDRESSES,
    MAX_KEY,
    MAX_PEERS,
    ConnectionType,
    Message,
    MessageType,
    Peer,
    Record,
)

PEER = PeerId(b"\x12\x20" + bytes(32))
ADDRESS = bytes.fromhex("047f000001060fa1")
FULL = Message(
    MessageType.GET_VALUE,
    b"/ipns/name",
    Record(b"/ipns/name", b"value", b"2026-01-01T00:00:00Z"),
    [Peer(PEER, (ADDRESS,), ConnectionType.CAN_CONNECT)],
    [Peer(PEER)],
)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Message(MessageType.PING), "08 05"),
        (Message(MessageType.PUT_VALUE, b"k", Record(b"k", b"v")), "08 00 12 01 6b 1a 06 0a 01 6b 12 01 76"),
        (
            Message(MessageType.FIND_NODE, b"k", closer=[Peer(PEER, (ADDRESS,))]),
            f"08 04 12 01 6b 42 2e 0a 22 1220 {'00' * 32} 12 08 {ADDRESS.hex()}",
        ),
    ],
    ids=["ping", "put", "closer peers"],
)
def test_message_vectors(message: Message, wire: str) -> None:
    assert message.serialize() == bytes.fromhex(wire)


def test_what_is_written_is_read() -> None:
    assert Message.parse(FULL.serialize()) == FULL


def test_every_cut_is_read_or_refused_and_nothing_else() -> None:
    wire = FULL.serialize()
    for end in range(len(wire)):
        try:
            Message.parse(wire[:end])
        except WireError:
            continue


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        message = Message.parse(data)
    except WireError:
        return
    assert Message.parse(message.serialize()) == message


def test_a_missing_type_is_the_first_as_in_proto3() -> None:
    assert Message.parse(b"").type is MessageType.PUT_VALUE


@pytest.mark.parametrize(
    "wire", ["0806", "120a", "1001", "0a00"], ids=["type 6", "cut", "key as number", "type as bytes"]
)
def test_other_messages_are_refused(wire: str) -> None:
    with pytest.raises(WireError):
        Message.parse(bytes.fromhex(wire))


def test_a_key_has_a_limit() -> None:
    Message.parse(Message(MessageType.FIND_NODE, bytes(MAX_KEY)).serialize())
    with pytest.raises(WireError, match=f"{MAX_KEY + 1} bytes"):
        Message.parse(Message(MessageType.FIND_NODE, bytes(MAX_KEY + 1)).serialize())


def test_peers_have_a_limit_and_the_rest_is_left() -> None:
    message = Message(MessageType.FIND_NODE, b"k", closer=[Peer(PEER)] * (MAX_PEERS + 1))
    assert len(Message.parse(message.serialize()).closer) == MAX_PEERS


def test_addresses_have_a_limit_and_giants_are_left_out() -> None:
    peer = Peer(PEER, (bytes(MAX_ADDRESS + 1), *(ADDRESS,) * (MAX_ADDRESSES + 1)))
    assert Peer.parse(peer.serialize()).addresses == (ADDRESS,) * MAX_ADDRESSES


def test_a_peer_that_cannot_be_read_does_not_cost_the_others() -> None:
    wire = Message(MessageType.FIND_NODE, b"k").serialize()
    wire += serialize_field(8, b"\x0a\x02xx") + serialize_field(8, Peer(PEER).serialize())
    assert Message.parse(wire).closer == [Peer(PEER)]


def test_an_unknown_connection_type_is_none() -> None:
    assert (
        Peer.parse(serialize_field(1, PEER.multihash) + serialize_field(3, 9)).connection
        is ConnectionType.NOT_CONNECTED
    )
