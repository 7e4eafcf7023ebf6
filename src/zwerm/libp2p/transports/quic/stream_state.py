"""One stream of a session: what came and was not read, and how far either direction is (RFC 9000 section 3)."""

from __future__ import annotations

import enum
from collections import deque


class Side(enum.Enum):
    """How far one direction of a stream is."""

    OPEN = "open"
    FINISHED = "finished"
    RESET = "reset"


class StreamState:
    """A stream as its session keeps it; equal to nothing but itself."""

    __slots__ = ("id", "is_blocked", "is_released", "pieces", "read", "unread", "write")

    def __init__(self, stream_id: int) -> None:
        self.id = stream_id
        self.read = Side.OPEN  # FINISHED: the peer's last byte has come, read or not
        self.write = Side.OPEN
        self.pieces: deque[bytes] = deque()
        self.unread = 0  # bytes in `pieces`
        self.is_released = False  # nobody reads any more: what comes is thrown away
        self.is_blocked = False  # a writer waits for room

    @property
    def is_over(self) -> bool:
        """Whether neither side will say more."""
        return self.read is not Side.OPEN and self.write is not Side.OPEN

    def take(self, limit: int) -> bytes:
        """Return the next bytes, at most `limit`; empty when there are none."""
        if not self.pieces:
            return b""
        piece = self.pieces[0]
        if len(piece) <= limit:
            self.pieces.popleft()
        else:
            self.pieces[0] = piece[limit:]
            piece = piece[:limit]
        self.unread -= len(piece)
        return piece

    def take_pieces(self, limit: int) -> list[bytes]:
        """Return the next pieces, together at most `limit` bytes."""
        taken = []
        while self.pieces and limit > 0:
            piece = self.take(limit)
            limit -= len(piece)
            taken.append(piece)
        return taken

    def put(self, data: bytes) -> None:
        self.pieces.append(data)
        self.unread += len(data)

    def drop(self) -> int:
        """Throw away what was not read; return how many bytes."""
        dropped, self.unread = self.unread, 0
        self.pieces.clear()
        return dropped
