"""Messages of the file protocol: vectors, and nothing but what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.transfer.message import (
    MAX_CHUNK,
    MAX_NAME,
    MAX_SIZE,
    Accept,
    Cancel,
    Chunk,
    Message,
    Offer,
    Progress,
    Reason,
    Refuse,
    Stored,
    parse,
)

VECTORS: list[tuple[Message, str]] = [
    (Offer(1, 5, bytes(range(32)), "é"), "01 00000001 0000000000000005" + bytes(range(32)).hex() + "c3a9"),
    (Accept(1, 4), "02 00000001 0000000000000004"),
    (Chunk(258, 1 << 33, b"abc"), "03 00000102 0000000200000000 616263"),
    (Progress(1, MAX_SIZE), "04 00000001 001fffffffffffff"),
    (Stored(0xFFFFFFFF), "05 ffffffff"),
    (Cancel(1, Reason.CHANGED), "06 00000001 06"),
    (Refuse(1, Reason.DISK_FULL), "07 00000001 03"),
]


@pytest.mark.parametrize(("message", "wire"), VECTORS, ids=[type(message).__name__ for message, _ in VECTORS])
def test_vectors(message: Message, wire: str) -> None:
    assert message.serialize() == bytes.fromhex(wire)
    assert parse(bytes.fromhex(wire)) == message


@pytest.mark.parametrize(("message", "wire"), VECTORS, ids=[type(message).__name__ for message, _ in VECTORS])
def test_a_message_cut_short_or_with_more_behind_is_refused(message: Message, wire: str) -> None:
    data = bytes.fromhex(wire)
    variable = {Offer: 45, Chunk: 14}.get(type(message), len(data))
    for size in range(variable):
        with pytest.raises(WireError):
            parse(data[:size])
    if variable == len(data):
        with pytest.raises(WireError):
            parse(data + b"\0")


@given(st.binary(max_size=100))
def test_untrusted_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        message = parse(data)
    except WireError:
        return
    again = message.serialize()
    assert parse(again) == message


@pytest.mark.parametrize(
    "data",
    [
        Chunk(1, 0, bytes(MAX_CHUNK + 1)).serialize(),
        Chunk(1, 0, b"").serialize(),
        Offer(1, MAX_SIZE + 1, bytes(32), "x").serialize(),
        Offer(1, 1, bytes(32), "x" * (MAX_NAME + 1)).serialize(),
        Offer(1, 1, bytes(32), "").serialize() + b"\xff",
        b"\x08" + bytes(4),
        b"",
    ],
    ids=["large chunk", "empty chunk", "large file", "long name", "name", "type", "nothing"],
)
def test_every_limit_is_kept(data: bytes) -> None:
    with pytest.raises(WireError):
        parse(data)


def test_a_chunk_and_a_name_of_the_largest_size_are_read() -> None:
    assert parse(Chunk(1, 0, bytes(MAX_CHUNK)).serialize()) == Chunk(1, 0, bytes(MAX_CHUNK))
    assert parse(Offer(1, 1, bytes(32), "x" * MAX_NAME).serialize()) == Offer(1, 1, bytes(32), "x" * MAX_NAME)


def test_reasons_of_newer_programs_are_unknown() -> None:
    assert parse(bytes.fromhex("06 00000001 c8")) == Cancel(1, Reason.UNKNOWN)
    assert parse(bytes.fromhex("07 00000001 c8")) == Refuse(1, Reason.UNKNOWN)
