"""What the file protocol tells, and what limits it keeps."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

from zwerm.webrtc.transfer.message import MAX_CHUNK, MAX_SIZE, Reason


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Limits of one link."""

    chunk: int = MAX_CHUNK  # bytes of a file in one message
    window: int = 8 << 20  # bytes sent that the receiver has not written: a slow disk there slows us, not its memory
    progress_every: int = 256 << 10  # bytes written between two reports
    max_files: int = 256  # offered and not over, in each direction
    max_size: int = MAX_SIZE  # bytes of a file that we take


@dataclasses.dataclass(frozen=True, slots=True)
class FileOffered:
    """The other side offers a file: `accept` or `refuse` it."""

    id: int
    name: str  # safe already
    size: int
    sha256: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class FileAccepted:
    """The other side takes ours, and has what lies before `offset`."""

    id: int
    offset: int


@dataclasses.dataclass(frozen=True, slots=True)
class ChunkArrived:
    """Bytes to write at `offset`; say `wrote` when that is done."""

    id: int
    offset: int
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class FileArrived:
    """All bytes have come: verify them, then say `stored` or `refuse`."""

    id: int


@dataclasses.dataclass(frozen=True, slots=True)
class FileProgressed:
    """The other side has written so many bytes of ours."""

    id: int
    received: int


@dataclasses.dataclass(frozen=True, slots=True)
class FileStored:
    """Ours is whole on the other side."""

    id: int


@dataclasses.dataclass(frozen=True, slots=True)
class SendingEnded:
    """One of ours will not be taken any further."""

    id: int
    reason: Reason


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivingEnded:
    """The other side sends one of its files no further, or broke the protocol with it."""

    id: int
    reason: Reason


@dataclasses.dataclass(frozen=True, slots=True)
class PeerBroken:
    """The other side sent what the protocol does not have; nothing more is read from it."""

    detail: str


Event: TypeAlias = (
    FileOffered
    | FileAccepted
    | ChunkArrived
    | FileArrived
    | FileProgressed
    | FileStored
    | SendingEnded
    | ReceivingEnded
    | PeerBroken
)


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """A piece of one of our files to read and `provide`."""

    id: int
    offset: int
    size: int
