"""What a session needs of its agent: ways out."""

from __future__ import annotations

from typing import Protocol

from zwerm.core.machine import Address, Instant
from zwerm.webrtc.ice.pair import Base, Pair


class Outlet(Protocol):
    """What a session needs of its agent."""

    def send(self, base: Base, stream: int | None, data: bytes, destination: Address, now: Instant) -> None: ...

    def open_stream(self, pair: Pair) -> int | None:
        """Ask for a TCP connection; None when there are too many."""
        ...

    def close_stream(self, stream: int) -> None: ...

    def validated(self, pair: Pair, now: Instant) -> None:
        """`pair` became valid."""
        ...
