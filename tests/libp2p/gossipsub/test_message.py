"""Frames of pubsub: what is written reads as the same, and whatever else comes is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.libp2p.gossipsub.message import MAX_ID, MAX_ITEMS, MAX_TOPIC, IHave, Message, Prune, Rpc, Subscription

topics = st.text(min_size=1, max_size=20)
ids = st.lists(st.binary(max_size=40), max_size=4)
rpcs = st.builds(
    Rpc,
    subscriptions=st.lists(st.builds(Subscription, topics, st.booleans()), max_size=3),
    messages=st.lists(st.binary(max_size=40), max_size=3),
    ihave=st.lists(st.builds(IHave, topics, ids.map(tuple)), max_size=3),
    iwant=ids,
    graft=st.lists(topics, max_size=3),
    prune=st.lists(
        st.builds(
            Prune,
            topics,
            st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=9)), max_size=2).map(tuple),
            st.none() | st.integers(0, 2**32),
        ),
        max_size=3,
    ),
    idontwant=ids,
)


@given(rpcs)
def test_frames_read_as_they_were_written(rpc: Rpc) -> None:
    rpc.idontwant_messages = int(bool(rpc.idontwant))
    assert Rpc.parse(rpc.serialize()) == rpc


def test_the_bytes_are_those_of_the_specification() -> None:
    rpc = Rpc([Subscription("a", wanted=True)], graft=["a"], prune=[Prune("a", (), 60)], idontwant=[b"x"])
    assert rpc.serialize().hex(" ") == "0a 05 08 01 12 01 61 1a 11 1a 03 0a 01 61 22 05 0a 01 61 18 3c 2a 03 0a 01 78"


def test_nothing_is_nothing() -> None:
    assert not Rpc()
    assert Rpc().serialize() == b""
    assert Rpc.parse(b"") == Rpc()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (Rpc.parse, Message.parse):
        try:
            parse(data)
        except WireError:
            continue


@pytest.mark.parametrize(
    "rpc",
    [
        Rpc(graft=["a"] * (MAX_ITEMS + 1)),
        Rpc(messages=[b""] * (MAX_ITEMS + 1)),
        Rpc(iwant=[b"x"] * (MAX_ITEMS + 1)),
        Rpc(iwant=[bytes(MAX_ID + 1)]),
        Rpc(graft=["a" * (MAX_TOPIC + 1)]),
        Rpc(prune=[Prune("a", ((b"", b""),) * (MAX_ITEMS + 1))]),
    ],
    ids=["grafts", "messages", "ids", "long id", "long topic", "offered peers"],
)
def test_more_than_the_limit_is_refused(rpc: Rpc) -> None:
    with pytest.raises(WireError):
        Rpc.parse(rpc.serialize())


@pytest.mark.parametrize(
    "data",
    [b"", protobuf.serialize_field(2, b"x"), protobuf.serialize_field(4, 1), protobuf.serialize_field(4, b"\xff")],
    ids=["nothing", "no topic", "a number", "no text"],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        Message.parse(data)


def test_what_is_signed_keeps_unknown_fields_and_their_order() -> None:
    parts = [
        protobuf.serialize_field(4, b"t"),
        protobuf.serialize_field(99, b"unknown"),
        b"\x95\x06abcd",  # field 98 of four bytes
        b"\x91\x06abcdefgh",
        protobuf.serialize_field(97, 7),
        protobuf.serialize_field(2, b"data"),
    ]
    left_out = protobuf.serialize_field(5, b"signature") + protobuf.serialize_field(6, b"key")
    message = Message.parse(b"".join([*parts[:2], left_out, *parts[2:]]))
    assert message.unsigned() == b"".join(parts)
    assert message.serialize() == message.encoded
