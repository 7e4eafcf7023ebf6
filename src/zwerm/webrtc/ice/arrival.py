"""Where a datagram came in, and which path that is."""

from __future__ import annotations

from typing import NamedTuple

from zwerm.core.machine import Address
from zwerm.webrtc.ice.pair import Base, Pair, Path


class Arrival(NamedTuple):
    """The base it came to, the TCP connection if it was one, and who sent it."""

    base: Base
    stream: int | None
    source: Address

    @property
    def path(self) -> Path:
        """The path of the pair whose datagrams come that way."""
        return self.stream if self.stream is not None else (self.base.address, self.source)

    def answers(self, pair: Pair) -> bool:
        """Whether this is the way that a request on `pair` went, backward (RFC 8445 section 7.2.5.2.1)."""
        if pair.stream is not None or self.stream is not None:
            return pair.stream == self.stream
        return self.base is pair.local.base and self.source == pair.remote.address


class EarlyCheck(NamedTuple):
    """An authentic request from before the sender's credentials were known."""

    arrival: Arrival
    ufrag: str  # the sender's
    priority: int
    nominates: bool
    nomination: int | None
