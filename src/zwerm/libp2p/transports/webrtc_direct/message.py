"""Messages on the data channels that are streams (libp2p specs, webrtc/README.md, "Multiplexing").

    message Message { optional Flag flag = 1; optional bytes message = 2; }

each with its length before it. A channel carries them as a stream of bytes: js-libp2p sends the length and what it
counts as two messages of the channel.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final, NamedTuple, Self

from zwerm.core.errors import WireError
from zwerm.core.protobuf import parse_fields, serialize_field, serialize_varint

MAX_SIZE: Final = 16_384  # bytes that we send, with the length: what every browser takes
MAX_DATA: Final = MAX_SIZE - 5  # of a message: two varints of two bytes, and a tag
MAX_RECEIVED: Final = 65_536  # bytes that we take, without the length; the specification allows a quarter of it

_DATA_TAG: Final = 0x12
_CUT_SHORT: Final = 3  # bytes of a length that may be incomplete; `MAX_RECEIVED` has no more


class Flag(enum.IntEnum):
    """What becomes of the stream."""

    FIN = 0  # the sender sends no more
    STOP_SENDING = 1  # the sender reads no more
    RESET_STREAM = 2  # the sender gave up sending
    FIN_ACK = 3  # the sender has seen our FIN, and so all before it


_FLAGS: Final = {int(flag): flag for flag in Flag}


class Message(NamedTuple):
    """One message."""

    flag: Flag | None
    data: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a message without its length; flags nobody knows yet are left out.

        Raises:
            WireError: not of the protobuf format, or a field of another type.
        """
        if len(data) > 2 and data[0] == _DATA_TAG:  # nearly all: data and nothing else
            if data[1] < 0x80:
                start, size = 2, data[1]
            elif data[2] < 0x80:
                start, size = 3, data[1] & 0x7F | data[2] << 7
            else:
                start, size = 0, 0
            if start and start + size == len(data):
                return cls(None, data[start:])
        flag: Flag | None = None
        content = b""
        for number, value in parse_fields(data):
            if number == 1 and isinstance(value, int):
                flag = _FLAGS.get(value)
            elif number == 2 and isinstance(value, bytes):
                content = value
            elif number in (1, 2):
                raise WireError(f"field {number} of a stream's message is of the wrong type")
        return cls(flag, content)

    def serialize(self) -> bytes:
        """Write it with its length."""
        body = b"" if self.flag is None else serialize_field(1, int(self.flag))
        body += serialize_field(2, self.data) if self.data else b""
        return serialize_varint(len(body)) + body


_FLAG_MESSAGES: Final = {flag: Message(flag, b"").serialize() for flag in Flag}


def flag_message(flag: Flag) -> bytes:
    """A message that has nothing but a flag."""
    return _FLAG_MESSAGES[flag]


def data_message(data: bytes | bytearray | memoryview) -> bytes:
    """A message of up to `MAX_DATA` bytes."""
    size = serialize_varint(len(data))
    return b"".join((serialize_varint(1 + len(size) + len(data)), b"\x12", size, data))


class MessageReader:
    """Cuts what comes on a channel into messages."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting = b""  # the beginning of a message, at most `MAX_RECEIVED` and a length

    def receive(self, data: bytes) -> Iterator[Message]:
        """Take untrusted bytes, cut anywhere; yield the messages that are complete.

        Raises:
            WireError: a length that is too large, or a message that is malformed; messages before it were yielded.
        """
        if self._waiting:
            data = self._waiting + data
            self._waiting = b""
        position, end = 0, len(data)
        while position < end:
            start = _after_length(data, position)
            if start is None:
                break
            size, body = start
            if size > MAX_RECEIVED:
                raise WireError(f"a stream's message of {size} bytes, expected at most {MAX_RECEIVED}")
            if body + size > end:
                break
            position = body + size
            yield Message.parse(data[body:position])
        self._waiting = data[position:]


def _after_length(data: bytes, position: int) -> tuple[int, int] | None:
    """The length at `position` and where it ends; None when it is cut short."""
    size = 0
    for index in range(_CUT_SHORT):
        if position + index >= len(data):
            return None
        byte = data[position + index]
        size |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return size, position + index + 1
    raise WireError(f"the length of a stream's message has more than {_CUT_SHORT} bytes")
