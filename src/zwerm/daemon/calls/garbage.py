"""When a process that holds many sessions looks for garbage in cycles.

Ten thousand sessions are some million objects. Python looks through the young ones after so many were made, and through
all of them now and then: with its caller's thresholds a pause of 100 to 400 ms, in which nobody's ring is answered.
Here the young are few and looked through often, in a millisecond; all are looked through when as many connections have
ended as there are, since hardly anything else here leaves cycles.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

from zwerm.calls.service.aio import CallsService

YOUNG: Final = 2_000  # objects made before the young ones are looked through
MIDDLE: Final = 20  # of those rounds before the next older ones are
NEVER: Final = 1_000_000  # rounds before all of them are: `Sweeper` does it
ROUND: Final = 10.0  # seconds between two looks at how many have ended
FEWEST: Final = 1_000  # connections that have ended, to be worth a pause


def prepare() -> None:
    """Leave what is loaded by now out of all later rounds, and make those short."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


class Sweeper:
    """Looks through everything when enough connections have ended since it last did."""

    def __init__(self, service: CallsService) -> None:
        self._service = service
        self._swept = 0  # connections that had ended then
        self.rounds = 0

    def look(self) -> None:
        ended, there = self._service.ended, self._service.statistics()["connections"]
        if ended - self._swept >= max(FEWEST, there):
            self._swept = ended
            self.rounds += 1
            gc.collect()

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            await asyncio.sleep(ROUND)
            self.look()
