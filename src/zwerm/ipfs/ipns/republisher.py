"""When each of our names is put to the network again (specs.ipfs.tech, "IPNS Record", "Protocol").

Others keep a record for two days at most and come and go, so a name that should be found is put again every four hours.
A put that failed is tried again sooner, and at last less and less often. A machine: names, instants and a random source
come in, `Republish` events go out, and whoever drives says how each ended.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from typing import Final

from zwerm.core.machine import Instant
from zwerm.core.random import Random
from zwerm.core.timers import TimerTable
from zwerm.identity.peer_id import PeerId

INTERVAL: Final = 4 * 3600.0  # seconds; a sixth of the day after which the least patient of routers forget
_JITTER: Final = 0.1  # of a wait, so that names published together do not stay together


@dataclasses.dataclass(frozen=True, slots=True)
class RepublisherConfig:
    """How often."""

    interval: float = INTERVAL  # seconds between successful puts
    first_retry: float = 30.0  # seconds after the first failure; doubled each time, at most `interval`
    max_busy: int = 4  # puts under way at once: each is a look-up in the DHT


@dataclasses.dataclass(frozen=True, slots=True)
class Republish:
    """Put this name's record to the network now; then say `done`."""

    name: PeerId


class Timer(enum.Enum):
    """The one deadline."""

    NEXT = "the earliest name is due"


class Republisher:
    """Names and when they are due. Its owner adds the names it publishes and drains the events."""

    def __init__(self, config: RepublisherConfig, rng: Random) -> None:
        self._config = config
        self._rng = rng
        self._due: dict[PeerId, Instant] = {}  # as many as the node has keys
        self._failures: dict[PeerId, int] = {}
        self._busy: set[PeerId] = set()
        self._events: deque[Republish] = deque()
        self._timers = TimerTable(Timer)

    def schedule(self, name: PeerId, now: Instant) -> None:
        """Put a name at the next opportunity: it was published, or the network came back."""
        self._failures.pop(name, None)
        self._due[name] = now
        self._advance(now)

    def remove(self, name: PeerId) -> None:
        """Put this name no more. One that is not here is left as it is."""
        self._due.pop(name, None)
        self._failures.pop(name, None)

    def done(self, name: PeerId, now: Instant, *, succeeded: bool) -> None:
        """Say how a put that was asked for ended."""
        if name not in self._busy:
            return
        self._busy.discard(name)
        if name in self._failures or name in self._due:
            failures = 0 if succeeded else self._failures.get(name, 0) + 1
            self._failures[name] = failures
            wait = self._config.interval
            if failures:
                wait = min(wait, self._config.first_retry * 2 ** min(failures - 1, 32))
            # A name that was published again while it was being put is due now, whatever became of the older put.
            due = self._due.get(name)
            if due is None or due == float("inf"):
                self._due[name] = now + wait * (1 + self._rng.uniform(-_JITTER, _JITTER))
        self._advance(now)

    def network_changed(self, now: Instant) -> None:
        """Try what failed again at once: there is a network that was not there before."""
        for name, failures in self._failures.items():
            if failures and name not in self._busy:
                self._due[name] = now
        self._advance(now)

    def handle_timeout(self, now: Instant) -> None:
        while self._timers.pop_expired(now) is not None:
            self._advance(now)

    def next_event(self) -> Republish | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    @property
    def names(self) -> frozenset[PeerId]:
        return frozenset(self._due)

    def due(self, name: PeerId) -> Instant | None:
        """When a name is put next; None while it is being put, and for one that is not here."""
        due = self._due.get(name)
        return None if due == float("inf") else due

    def _advance(self, now: Instant) -> None:
        ready = sorted((due, name) for name, due in self._due.items() if due <= now and name not in self._busy)
        for _, name in ready[: self._config.max_busy - len(self._busy)]:
            self._busy.add(name)
            self._failures.setdefault(name, 0)
            self._due[name] = float("inf")
            self._events.append(Republish(name))
        waiting = [due for name, due in self._due.items() if due != float("inf") and name not in self._busy]
        if waiting and len(self._busy) < self._config.max_busy:
            self._timers.arm(Timer.NEXT, min(waiting))
        else:
            self._timers.cancel(Timer.NEXT)
