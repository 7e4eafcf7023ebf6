"""What a session knows of one stream: what waits in each direction, and the two windows.

A window is what the sender may still send. Ours, `receive_window`, is what the peer has left of the credit it was
given; `window` is how much credit it has just after an update, and grows while half of it does not last four round
trips: then the link, and not the window, is what limits a stream (the product of 100 ms and 1 Gbit/s is 12.5 MB).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from zwerm.core.machine import Instant
from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.yamux.frame import INITIAL_WINDOW

SMALL: Final = 1_024  # bytes; pieces below are joined, so that a window of single bytes takes no more than a window
JOINED: Final = 16_384  # bytes up to which
ROUND_TRIPS: Final = 4  # that half a window should last
TURN: Final = 0.001  # seconds that a round trip takes at least, with what two processes need to take their turns


class StreamState:
    """One stream of a session."""

    __slots__ = (
        "has_ended",
        "is_acknowledged",
        "is_closing",
        "is_discarding",
        "is_fin_sent",
        "is_gone",
        "is_ready",
        "outgoing",
        "pending",
        "receive_window",
        "send_window",
        "stream_id",
        "unread",
        "unread_size",
        "updated",
        "window",
    )

    def __init__(self, stream_id: int, now: Instant, *, is_acknowledged: bool) -> None:
        self.stream_id = stream_id
        self.is_acknowledged = is_acknowledged  # by the peer, when the stream is ours
        self.is_gone = False  # out of the session's table

        self.send_window = INITIAL_WINDOW  # bytes
        self.outgoing: deque[Buffer] = deque()  # the caller's, not copied
        self.pending = 0  # bytes in it
        self.is_ready = False  # in the queue of streams that have something to send, and may
        self.is_closing = False  # FIN follows what is pending
        self.is_fin_sent = False

        self.window = self.receive_window = INITIAL_WINDOW  # bytes
        self.updated = now  # when the window was last updated
        self.unread: deque[Buffer] = deque()
        self.unread_size = 0  # bytes
        self.has_ended = False  # the peer sent FIN
        self.is_discarding = False  # nobody will read

    def deliver(self, piece: memoryview) -> None:
        """Keep what came until it is read: a copy, unless it is most of an immutable object that only it needs."""
        size = len(piece)
        self.unread_size += size
        unread = self.unread
        if size >= SMALL:
            owner = piece.obj
            if isinstance(owner, bytes) and 2 * size >= len(owner):
                unread.append(owner if size == len(owner) else piece)
            else:
                unread.append(bytes(piece))
            return
        last = unread[-1] if unread else None
        if isinstance(last, bytearray) and len(last) < JOINED:
            last += piece
        else:
            unread.append(bytearray(piece))

    def take(self, limit: int) -> bytes:
        """Return up to `limit` bytes of what came, empty when there is none. Only small pieces are joined."""
        unread = self.unread
        if not unread:
            return b""
        first = unread[0]
        size = len(first)
        if size > limit:
            view = memoryview(first)  # not a copy: many readers begin with single bytes
            data = bytes(view[:limit])
            unread[0] = view[limit:]
        elif size >= SMALL or len(unread) == 1:
            unread.popleft()
            data = first if isinstance(first, bytes) else bytes(first)
        else:
            parts = [unread.popleft()]
            while unread and size + len(unread[0]) <= limit and size < JOINED:
                size += len(unread[0])
                parts.append(unread.popleft())
            data = b"".join(parts)
        self.unread_size -= len(data)
        return data

    def take_pieces(self, limit: int) -> list[Buffer]:
        """Return what came, up to `limit` bytes of it, in pieces as they came; large ones are not copied."""
        pieces: list[Buffer] = []
        unread = self.unread
        while limit and unread:
            piece = unread[0]
            if SMALL <= len(piece) <= limit:
                unread.popleft()
                self.unread_size -= len(piece)
            else:
                piece = self.take(limit)
            pieces.append(piece)
            limit -= len(piece)
        return pieces

    def take_outgoing(self, size: int) -> list[Buffer]:
        """Remove the next `size` bytes of what is to be sent; there are as many."""
        outgoing = self.outgoing
        self.pending -= size
        first = outgoing[0]
        if len(first) == size:
            outgoing.popleft()
            return [first]
        if len(first) > size:
            view = memoryview(first)
            outgoing[0] = view[size:]
            return [view[:size]]
        parts = []
        while size:
            part = outgoing[0]
            if len(part) <= size:
                outgoing.popleft()
            else:
                part = memoryview(part)
                outgoing[0] = part[size:]
                part = part[:size]
            parts.append(part)
            size -= len(part)
        return parts

    def credit_due(self) -> int:
        """Bytes of credit to give once half of the window is used up and read; 0 before."""
        owed = self.window - self.receive_window - self.unread_size
        return owed if owed >= self.window // 2 and not self.has_ended else 0

    def growth(self, now: Instant, rtt: float | None, limit: int, room: int) -> int:
        """Return by how many bytes the window, now half used up, should grow.

        Args:
            now: the time.
            rtt: round trip in seconds; None: not known, so nothing grows.
            limit: of the window, in bytes.
            room: what all windows together may still grow by.
        """
        if rtt is None or now - self.updated >= ROUND_TRIPS * max(rtt, TURN):
            return 0
        return max(0, min(self.window, limit - self.window, room))

    def __repr__(self) -> str:
        return f"stream {self.stream_id}: {self.pending} bytes to send, {self.unread_size} unread"
