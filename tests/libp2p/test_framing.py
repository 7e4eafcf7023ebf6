"""Messages with their length before them, whole and in pieces, and what a peer may not do with a length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.libp2p.framing import MessageReader, read_exactly, read_message, write_message


class Pieces:
    """A stream whose reads give at most `size` bytes, as networks do; it keeps what is written."""

    def __init__(self, data: bytes = b"", size: int = 1_000_000) -> None:
        self.data = data
        self.size = size

    async def read(self, limit: int = 65_536) -> bytes:
        size = min(limit, self.size)
        data, self.data = self.data[:size], self.data[size:]
        return data

    async def write(self, data: bytes) -> None:
        self.data += data


class Many(Pieces):
    """A stream that gives several pieces at once."""

    async def read_pieces(self, limit: int) -> list[bytes]:
        pieces = [await self.read(limit // 2 or 1), await self.read(limit // 2)]
        return [piece for piece in pieces if piece]


SIZES = [1, 2, 7, 1_000_000]


@pytest.mark.parametrize("size", SIZES)
async def test_messages_come_out_as_they_went_in(size: int) -> None:
    messages = [b"", b"a", b"b" * 127, b"c" * 128, b"d" * 70_000, b"e" * 200_000, b"", b"f"]
    stream = Pieces(size=size)
    for message in messages:
        await write_message(stream, message)
    written = stream.data
    assert [await read_message(stream) for _ in messages] == messages
    assert await read_message(stream) is None

    for kind in (Pieces, Many):
        reader = MessageReader(kind(written, size))
        assert [await reader.read() for _ in messages] == messages
        assert await reader.read() is None


async def test_reading_one_message_leaves_what_follows_on_the_stream() -> None:
    stream = Pieces(b"\x03abcrest")
    assert await read_message(stream) == b"abc"
    assert stream.data == b"rest"


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"\x0b" + b"x" * 11, "message of 11 bytes, expected at most 10"),
        (b"\x80\x01", "message of at least 128 bytes, expected at most 10"),
        (b"\xff" * 100, "message of at least"),
        (b"\x80", "message of at least 128 bytes, expected at most 10"),
        (b"\x05ab", "stream ended after 2 of 5 bytes"),
    ],
    ids=["over the limit", "over the limit by its first byte", "a length without end", "half a length", "cut short"],
)
async def test_a_length_that_may_not_be_is_refused(wire: bytes, complaint: str) -> None:
    for stream in (Pieces(wire), Pieces(wire, 1)):
        with pytest.raises(WireError, match=complaint):
            await read_message(stream, 10)
    for stream in (Pieces(wire), Pieces(wire, 1)):
        with pytest.raises(WireError, match=complaint):
            await MessageReader(stream, 10).read()


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [(b"\x80\x00", "shortest form"), (b"\x80", "ended inside the length"), (b"\xff" * 9, "at least")],
    ids=["not minimal", "half a length", "nine bytes and more"],
)
async def test_a_length_is_a_varint_even_where_the_limit_is_far(wire: bytes, complaint: str) -> None:
    for limit in (1 << 20, 2**63 - 1):
        with pytest.raises(WireError, match=complaint):
            await read_message(Pieces(wire), limit)
        with pytest.raises(WireError, match=complaint):
            await MessageReader(Pieces(wire), limit).read()


async def test_a_peer_that_sends_a_length_without_end_is_stopped_after_a_few_bytes() -> None:
    stream = Pieces(b"\xff" * 1_000_000)
    with pytest.raises(WireError):
        await read_message(stream, 1 << 20)
    assert len(stream.data) >= 999_990


async def test_exactly_as_many_bytes_as_asked_for() -> None:
    stream = Pieces(b"abcdef", 2)
    assert await read_exactly(stream, 5) == b"abcde"
    assert await read_exactly(stream, 0) == b""
    with pytest.raises(WireError, match="after 1 of 2"):
        await read_exactly(stream, 2)


@given(st.binary(max_size=40), st.integers(1, 5))
async def test_both_readers_say_the_same_of_any_bytes(data: bytes, size: int) -> None:
    async def outcome(read) -> list[object]:  # type: ignore[no-untyped-def]
        found: list[object] = []
        try:
            while (message := await read()) is not None:
                found.append(message)
        except WireError as error:
            found.append(str(error).split(" after")[0])
        return found

    stream = Pieces(data, size)
    reader = MessageReader(Pieces(data, size), 20)
    assert await outcome(lambda: read_message(stream, 20)) == await outcome(reader.read)
