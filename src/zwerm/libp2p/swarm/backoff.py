"""Addresses that failed are left alone for a while, longer with each failure.

Without it a node that is gone is dialled again by every look-up that meets its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from zwerm.core.bounded import LruCache
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.swarm.limits import Limits
from zwerm.multiformats.multiaddr import Multiaddr

MAX_FAILURES: Final = 8_192  # remembered; a forgotten one is tried again, no more


class Failure(NamedTuple):
    """What became of the last attempts."""

    until: Instant
    failures: int
    reason: str


class Backoff:
    """The failures of addresses, each of one peer."""

    def __init__(self, limits: Limits, clock: Callable[[], Instant]) -> None:
        self._limits = limits
        self._clock = clock
        self._failures: LruCache[tuple[PeerId, Multiaddr], Failure] = LruCache(MAX_FAILURES)

    def failed(self, peer: PeerId, address: Multiaddr, reason: str) -> None:
        before = self._failures.find((peer, address))
        failures = before.failures + 1 if before else 1
        wait = min(self._limits.backoff * 2.0 ** min(failures - 1, 32), self._limits.backoff_most)
        self._failures.put((peer, address), Failure(self._clock() + wait, failures, reason))

    def succeeded(self, peer: PeerId, address: Multiaddr) -> None:
        self._failures.remove((peer, address))

    def waits(self, peer: PeerId, address: Multiaddr) -> str | None:
        """Return why an address is left alone, in words; None when it may be tried."""
        failure = self._failures.find((peer, address))
        if failure is None or (left := failure.until - self._clock()) <= 0:
            return None
        return f"left alone for another {left:.0f} s, since {failure.reason}"

    def clear(self) -> None:
        """Try everything again: the network is another one, or somebody asks for it."""
        self._failures.clear()
