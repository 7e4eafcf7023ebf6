"""What went over the network lately, for a plot: totals sampled every few seconds, of the last minutes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

STEP: Final = 5.0  # seconds between samples
SAMPLES: Final = 120  # kept: ten minutes


class Sample(NamedTuple):
    """Bytes in one step."""

    received: int
    sent: int


class Traffic:
    """The samples of one network."""

    def __init__(self, totals: Callable[[], tuple[int, int]], step: float = STEP) -> None:
        """`totals` gives the bytes received and sent since the start."""
        self.step = step
        self.samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._totals = totals
        self._last = totals()

    def take(self) -> None:
        """Take one sample; whoever calls keeps the time."""
        now = self._totals()
        self.samples.append(Sample(now[0] - self._last[0], now[1] - self._last[1]))
        self._last = now

    async def run(self) -> None:
        """Take samples for ever."""
        while True:
            await asyncio.sleep(self.step)
            self.take()
