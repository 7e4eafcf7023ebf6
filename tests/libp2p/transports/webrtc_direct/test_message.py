"""webrtc/README.md, "Multiplexing": messages of a stream, and how they are cut out of what a channel brings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_varint
from zwerm.libp2p.transports.webrtc_direct.message import (
    MAX_DATA,
    MAX_RECEIVED,
    MAX_SIZE,
    Flag,
    Message,
    MessageReader,
    data_message,
    flag_message,
)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Message(Flag.FIN, b""), "02 08 00"),
        (Message(Flag.STOP_SENDING, b""), "02 08 01"),
        (Message(Flag.RESET_STREAM, b""), "02 08 02"),
        (Message(Flag.FIN_ACK, b""), "02 08 03"),
        (Message(None, b"hi"), "04 12 02 68 69"),
        (Message(Flag.FIN, b"hi"), "06 08 00 12 02 68 69"),
        (Message(None, b""), "00"),
    ],
    ids=["fin", "stop sending", "reset", "fin ack", "data", "data with fin", "nothing"],
)
def test_messages_are_written_as_protobuf_behind_their_length(message: Message, wire: str) -> None:
    assert message.serialize() == bytes.fromhex(wire)
    assert list(MessageReader().receive(bytes.fromhex(wire))) == [message]


def test_the_short_ways_of_writing_write_the_same() -> None:
    for size in (1, 127, 128, MAX_DATA):
        assert data_message(bytes(size)) == Message(None, bytes(size)).serialize()
    assert all(flag_message(flag) == Message(flag, b"").serialize() for flag in Flag)


def test_the_largest_message_is_what_browsers_take() -> None:
    assert len(data_message(bytes(MAX_DATA))) == MAX_SIZE


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), st.integers(1, 50))
def test_messages_come_out_whole_however_the_channel_cuts_them(parts: list[bytes], step: int) -> None:
    wire = b"".join(map(data_message, parts)) + flag_message(Flag.FIN)
    reader, got = MessageReader(), []
    for start in range(0, len(wire), step):
        got += reader.receive(wire[start : start + step])
    assert got == [*(Message(None, part) for part in parts), Message(Flag.FIN, b"")]


def test_a_flag_that_nobody_knows_yet_and_other_fields_are_left_out() -> None:
    assert Message.parse(bytes.fromhex("08 09 12 01 61 1a 01 62")) == Message(None, b"a")


@pytest.mark.parametrize(
    "wire",
    ["02 0a 00", "02 10 00", "02 12 05", "01 00", "ffffff", serialize_varint(MAX_RECEIVED + 1).hex()],
    ids=["a flag of bytes", "data of a number", "cut short inside", "field 0", "an endless length", "too long"],
)
def test_what_is_no_message_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        list(MessageReader().receive(bytes.fromhex(wire)))


@given(st.binary(max_size=64))
def test_untrusted_bytes_are_messages_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        messages = list(MessageReader().receive(data))
    except WireError:
        return
    assert sum(len(message.data) for message in messages) <= len(data)
