"""A clock that moves only when something happens: seconds of simulation run in microseconds.

Everything of a simulation shares one clock. Calls that fall due at one instant run in the order they were asked for,
so a run depends on its seed and on nothing else.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Final

from zwerm.core.machine import Instant

LIVELOCK: Final = 100_000  # calls in a row without time moving; a big simulation at one instant stays far below


class Livelock(AssertionError):
    """Calls ask for calls at the same instant, for ever."""


class Call:
    """Something that will be done. `cancel` after it was done, or twice, is harmless."""

    __slots__ = ("action", "when")

    def __init__(self, when: Instant, action: Callable[[], object]) -> None:
        self.when = when
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        self.action = None


class VirtualClock:
    """Time and what is to be done when.

    It starts at zero, on purpose: code that takes `if deadline:` for `if deadline is not None:` fails at once.
    """

    def __init__(self, start: Instant = 0.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._calls: list[tuple[Instant, int, Call]] = []
        self._calls_without_progress = 0

    @property
    def now(self) -> Instant:
        return self._now

    def call_at(self, when: Instant, action: Callable[[], object]) -> Call:
        """Do `action` when the clock reaches `when`; a time that has passed means now."""
        call = Call(max(when, self._now), action)
        heapq.heappush(self._calls, (call.when, next(self._order), call))
        return call

    def call_later(self, delay: float, action: Callable[[], object]) -> Call:
        return self.call_at(self._now + delay, action)

    def next_call(self) -> Instant | None:
        """When the next call is due; None when nothing will ever happen."""
        while self._calls and self._calls[0][2].action is None:
            heapq.heappop(self._calls)
        return self._calls[0][0] if self._calls else None

    def step(self) -> bool:
        """Go to the next call and do it; False when there is none.

        Raises:
            Livelock: time has not moved for `LIVELOCK` calls.
        """
        when = self.next_call()
        if when is None:
            return False
        self._calls_without_progress = 0 if when > self._now else self._calls_without_progress + 1
        if self._calls_without_progress > LIVELOCK:
            raise Livelock(f"{LIVELOCK} calls at {self._now} s and no end")
        self._now = when
        call = heapq.heappop(self._calls)[2]
        action, call.action = call.action, None
        assert action is not None
        action()
        return True

    def run_until(self, when: Instant) -> None:
        """Do every call that falls due up to and including `when`, and stop there."""
        while (due := self.next_call()) is not None and due <= when:
            self.step()
        self._now = max(self._now, when)

    def run_for(self, seconds: float) -> None:
        self.run_until(self._now + seconds)

    def run_out(self, limit: float) -> None:
        """Run until nothing is left to be done.

        Raises:
            Livelock: there still is after `limit` seconds.
        """
        end = self._now + limit
        while (due := self.next_call()) is not None:
            if due > end:
                raise Livelock(f"still busy after {limit} s")
            self.step()
