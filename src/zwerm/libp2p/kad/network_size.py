"""How many servers the network has, told from how near to a random key its nearest are.

With N peers spread evenly, the i-th nearest lies at about i / (N + 1) of the key space; least squares over the k
nearest of a look-up give N. The mean over the last look-ups says it within a few percent; what is old is not counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from zwerm.core.machine import Instant
from zwerm.libp2p.kad.key import KEY_LIMIT

SAMPLES: Final = 64  # look-ups that count
VALIDITY: Final = 7_200.0  # seconds that one counts
MIN_SAMPLES: Final = 4  # look-ups before there is an estimate

SURE_RANK: Final = 0.6  # of k: a peer that near is among the k nearest with 98 % (Poisson, k = 20)


class NetworkSize:
    """An estimate that every finished look-up improves."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._samples: deque[tuple[Instant, float]] = deque(maxlen=SAMPLES)  # when, and 1 / (N + 1)

    def observe(self, distances: Sequence[int], now: Instant) -> None:
        """Take the distances of the nearest peers to a key, nearest first; too few of them say nothing."""
        if len(distances) < self._k:
            return
        weighted = sum(rank * distance for rank, distance in enumerate(distances, start=1)) / KEY_LIMIT
        squares = sum(rank * rank for rank in range(1, len(distances) + 1))
        self._samples.append((now, weighted / squares))

    def estimate(self, now: Instant) -> float | None:
        """Return N; None while too few look-ups have been made."""
        while self._samples and self._samples[0][0] < now - VALIDITY:
            self._samples.popleft()
        if len(self._samples) < MIN_SAMPLES:
            return None
        return len(self._samples) / sum(spacing for _, spacing in self._samples) - 1

    def sure_distance(self, now: Instant) -> int:
        """Return the distance within which a peer is almost surely one of the k nearest; 0 when nothing is known."""
        estimate = self.estimate(now)
        return 0 if estimate is None else min(int(SURE_RANK * self._k / max(estimate, 1.0) * KEY_LIMIT), KEY_LIMIT)
