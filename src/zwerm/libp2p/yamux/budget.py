"""What all sessions of a node together may hold that was received and not read."""

from __future__ import annotations


class Budget:
    """Bytes, shared by sessions so that one cannot use up what others need.

    Past `limit` only sessions with less than their equal share of it may take more, so that at most twice the limit is
    held, and a peer that hoards loses its streams to itself.
    """

    __slots__ = ("limit", "sessions", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.sessions = 0

    def is_spent(self, held: int, more: int) -> bool:
        """Whether a session that holds `held` bytes may not take `more`."""
        return self.used + more > self.limit and held + more > self.limit // max(self.sessions, 1)
