"""Messages of the file protocol: a type byte, the number of the file (uint32), then what the type has. Big-endian.

A number is chosen by who sends the file, and means something on one link only. A file that is offered again on the
next link is recognized by its hash.
"""

from __future__ import annotations

import dataclasses
import enum
import struct
from typing import Final, TypeAlias

from zwerm.core.cursor import Cursor
from zwerm.core.errors import WireError

MAX_NAME: Final = 1_024  # bytes of UTF-8
MAX_SIZE: Final = (1 << 53) - 1  # bytes of a file; what JavaScript counts exactly
MAX_CHUNK: Final = 65_536  # bytes of a file in one message
HASH_SIZE: Final = 32  # SHA-256

_HEAD: Final = struct.Struct("!BI")
_WITH_OFFSET: Final = struct.Struct("!BIQ")


class MessageType(enum.IntEnum):
    """The first byte."""

    OFFER = 1  # sender: size (uint64), SHA-256, name
    ACCEPT = 2  # receiver: send from this offset (uint64)
    CHUNK = 3  # sender: offset (uint64), bytes
    PROGRESS = 4  # receiver: so many bytes (uint64) are on the disk
    STORED = 5  # receiver: the file is whole, verified, and has its name
    CANCEL = 6  # sender: reason (uint8)
    REFUSE = 7  # receiver, at any time: reason (uint8)


class Reason(enum.IntEnum):
    """Why a file does not go on."""

    UNKNOWN = 0  # also what newer programs say that we do not know
    DECLINED = 1  # a person said no
    STOPPED = 2  # a person stopped it
    DISK_FULL = 3  # at the receiver
    CANNOT_WRITE = 4  # at the receiver
    CANNOT_READ = 5  # at the sender
    CHANGED = 6  # the sender's file is not what was offered any more
    DAMAGED = 7  # what arrived is not what was offered
    TOO_MANY = 8  # more files at once than the receiver takes
    TOO_LARGE = 9  # larger than the receiver takes


_REASONS: Final = {reason.value: reason for reason in Reason}


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """A file that could be sent."""

    id: int
    size: int
    sha256: bytes
    name: str  # as the sender has it: untrusted, see `names.py`

    def serialize(self) -> bytes:
        return _WITH_OFFSET.pack(MessageType.OFFER, self.id, self.size) + self.sha256 + self.name.encode()


@dataclasses.dataclass(frozen=True, slots=True)
class Accept:
    """The file is wanted, from `offset` on: what lies before is there."""

    id: int
    offset: int

    def serialize(self) -> bytes:
        return _WITH_OFFSET.pack(MessageType.ACCEPT, self.id, self.offset)


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of a file; they come in order and without gaps."""

    id: int
    offset: int
    data: bytes

    def serialize(self) -> bytes:
        return _WITH_OFFSET.pack(MessageType.CHUNK, self.id, self.offset) + self.data


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """So much of the file is written."""

    id: int
    received: int

    def serialize(self) -> bytes:
        return _WITH_OFFSET.pack(MessageType.PROGRESS, self.id, self.received)


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """The file is verified and has its name."""

    id: int

    def serialize(self) -> bytes:
        return _HEAD.pack(MessageType.STORED, self.id)


@dataclasses.dataclass(frozen=True, slots=True)
class Cancel:
    """The sender gives up."""

    id: int
    reason: Reason

    def serialize(self) -> bytes:
        return _HEAD.pack(MessageType.CANCEL, self.id) + bytes([self.reason])


@dataclasses.dataclass(frozen=True, slots=True)
class Refuse:
    """The receiver does not want the file, or cannot take it any further."""

    id: int
    reason: Reason

    def serialize(self) -> bytes:
        return _HEAD.pack(MessageType.REFUSE, self.id) + bytes([self.reason])


Message: TypeAlias = Offer | Accept | Chunk | Progress | Stored | Cancel | Refuse


def parse(data: bytes) -> Message:
    """Read one message.

    Raises:
        WireError: it is none, or a limit is exceeded.
    """
    cursor = Cursor(data, "file message")
    kind, number = cursor.uint8(), cursor.uint32()
    match kind:
        case MessageType.CHUNK:
            offset, content = _size(cursor), cursor.take_rest()
            if not 0 < len(content) <= MAX_CHUNK:
                raise WireError(f"a chunk of {len(content)} bytes, expected 1 to {MAX_CHUNK}")
            return Chunk(number, offset, content)
        case MessageType.OFFER:
            size, sha256 = _size(cursor), cursor.take(HASH_SIZE)
            return Offer(number, size, sha256, _name(cursor.take_rest()))
        case MessageType.ACCEPT:
            message: Message = Accept(number, _size(cursor))
        case MessageType.PROGRESS:
            message = Progress(number, _size(cursor))
        case MessageType.STORED:
            message = Stored(number)
        case MessageType.CANCEL:
            message = Cancel(number, _REASONS.get(cursor.uint8(), Reason.UNKNOWN))
        case MessageType.REFUSE:
            message = Refuse(number, _REASONS.get(cursor.uint8(), Reason.UNKNOWN))
        case _:
            raise WireError(f"file message of type {kind}")
    cursor.expect_end()
    return message


def _size(cursor: Cursor) -> int:
    size = cursor.uint64()
    if size > MAX_SIZE:
        raise WireError(f"a file of {size} bytes, expected at most {MAX_SIZE}")
    return size


def _name(data: bytes) -> str:
    if len(data) > MAX_NAME:
        raise WireError(f"a name of {len(data)} bytes, expected at most {MAX_NAME}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise WireError(f"a name that is not UTF-8: {error}") from None
