"""Messages on a stream: each with its length before it as an unsigned varint, as nearly all protocols of libp2p do.

`read_message` takes nothing off the stream that is not of the message, so that whoever comes next finds the rest.
`MessageReader` reads ahead, for streams that carry nothing but messages. Neither keeps more than the peer has sent: a
length that is announced and not followed by bytes costs nothing.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from zwerm.core.errors import WireError
from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.stream import PieceReader, ReadPieces
from zwerm.multiformats import varint

MAX_MESSAGE: Final = 4_194_304  # bytes, what bitswap and the DHT allow; protocols with smaller messages say so
_CHUNK: Final = 65_536


class Readable(Protocol):
    """What can be read from, as `zwerm.libp2p.stream.MuxedStream`."""

    async def read(self, limit: int = _CHUNK) -> bytes: ...


class Writable(Protocol):
    """What can be written to, as `zwerm.libp2p.stream.MuxedStream`."""

    async def write(self, data: bytes) -> None: ...


async def read_message(stream: Readable, limit: int = MAX_MESSAGE) -> bytes | None:
    """Read one message of at most `limit` bytes; None when the stream ends before its first byte.

    Raises:
        WireError: longer than `limit`, a length that is no varint, or cut short by the end of the stream.
        StreamReset: see there.

    After a cancellation the stream stands in the middle of a message: it is only fit for `reset`.
    """
    length = b""
    while not length or length[-1] >= 0x80:
        byte = await stream.read(1)
        if not byte:
            if not length:
                return None
            raise WireError("stream ended inside the length of a message")
        length += byte
        _check_length_untrusted(length, limit)
    return await read_exactly(stream, varint.parse_prefix(length)[0])


async def read_exactly(stream: Readable, size: int) -> bytes:
    """Read `size` bytes.

    Raises:
        WireError: the stream ended before.
        StreamReset: see there.
    """
    parts, missing = [], size
    while missing:
        part = await stream.read(min(missing, _CHUNK))
        if not part:
            raise WireError(f"stream ended after {size - missing} of {size} bytes")
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def write_message(stream: Writable, message: bytes) -> None:
    """Send one message; small ones in one piece with their length."""
    length = varint.serialize(len(message))
    if len(message) <= _CHUNK:
        await stream.write(length + message)
        return
    await stream.write(length)
    await stream.write(message)


class MessageReader:
    """The messages of a stream that carries nothing else. Large ones are read in as many pieces as came at once."""

    __slots__ = ("_ahead", "_limit", "_read_pieces")

    def __init__(self, stream: Readable | PieceReader, limit: int = MAX_MESSAGE) -> None:
        self._read_pieces: ReadPieces = getattr(stream, "read_pieces", None) or _OnePiece(stream).read_pieces
        self._limit = limit
        self._ahead = b""  # read and not returned, at most one chunk

    async def read(self) -> bytes | None:
        """Return the next message; None at the end of the stream. Raises and is cancelled as `read_message` does."""
        ahead = self._ahead
        while (head := _length_untrusted(ahead, self._limit)) is None:
            more = await self._read_pieces(_CHUNK)
            if not more:
                if not ahead:
                    return None
                raise WireError("stream ended inside the length of a message")
            self._ahead = ahead = b"".join((ahead, *more))
        size, start = head
        end = start + size
        if end <= len(ahead):
            self._ahead = ahead[end:]
            return ahead[start:end]
        parts: list[Buffer] = [ahead[start:]]
        missing = end - len(ahead)
        self._ahead = b""
        while missing:
            more = await self._read_pieces(missing)
            if not more:
                raise WireError(f"stream ended after {size - missing} of {size} bytes")
            parts += more
            missing -= sum(map(len, more))
        return b"".join(parts)


class _OnePiece:
    """A stream that gives one piece at a time."""

    def __init__(self, stream: Any) -> None:
        self._stream: Readable = stream

    async def read_pieces(self, limit: int) -> list[bytes]:
        data = await self._stream.read(min(limit, _CHUNK))
        return [data] if data else []


def _length_untrusted(data: bytes, limit: int) -> tuple[int, int] | None:
    """Read the length at the start of `data`; return it and where the message begins, or None: more is needed."""
    for end in range(1, min(len(data), varint.MAX_SIZE) + 1):
        _check_length_untrusted(data[:end], limit)
        if data[end - 1] < 0x80:
            return varint.parse_prefix(data)
    return None


def _check_length_untrusted(length: bytes, limit: int) -> None:
    """Refuse the first bytes of a length as soon as they say that the message is too long."""
    value = 0
    for index, byte in enumerate(length):
        value |= (byte & 0x7F) << 7 * index
    if length[-1] >= 0x80:  # what follows adds at least the next bit, or is not the shortest form
        value = max(value, 1 << 7 * len(length))
        if value > limit or len(length) >= varint.MAX_SIZE:
            raise WireError(f"message of at least {value} bytes, expected at most {limit}")
        return
    varint.parse_prefix(length)
    if value > limit:
        raise WireError(f"message of {value} bytes, expected at most {limit}")
