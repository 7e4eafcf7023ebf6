"""How often a node dials for others: sliding windows of a minute, for each peer and in all."""

from __future__ import annotations

import dataclasses
from collections import deque

from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId

WINDOW = 60.0  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Rates:
    """Dials in a minute."""

    in_all: int = 60
    per_peer: int = 12


class RateLimit:
    """The windows. What it remembers is bounded by what it allows."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._dials: deque[tuple[Instant, PeerId]] = deque()

    def take(self, peer: PeerId, now: Instant) -> bool:
        """Count a dial for `peer`, unless it would be one too many."""
        while self._dials and self._dials[0][0] <= now - WINDOW:
            self._dials.popleft()
        if len(self._dials) >= self._rates.in_all:
            return False
        if sum(other == peer for _, other in self._dials) >= self._rates.per_peer:
            return False
        self._dials.append((now, peer))
        return True
