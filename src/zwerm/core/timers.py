"""The deadlines of one machine in one place (law 6 of `zwerm.core.machine`).

The timers of a machine are an enum whose values say in one line what fires:

    class Timer(enum.Enum):
        T1_INIT = "INIT was not answered: send it again"
        HEARTBEAT = "the path was idle: probe it"

A handful of timers that move with every packet is what machines have, so the table is a dict and the earliest deadline
is looked for only when somebody asks after a change.
"""

from __future__ import annotations

import enum
from typing import Generic, NamedTuple, TypeVar

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Instant

TimerT = TypeVar("TimerT", bound=enum.Enum)


class Fired(NamedTuple, Generic[TimerT]):
    """A timer whose time has come."""

    timer: TimerT
    due: Instant  # when it should have fired; counting on from here keeps lateness from adding up


class TimerTable(Generic[TimerT]):
    """Deadlines by timer; each timer has one or none."""

    __slots__ = ("_deadlines", "_earliest", "_is_stale")

    def __init__(self, timers: type[TimerT]) -> None:
        """Make an empty table for the members of `timers`.

        Raises:
            LocalProtocolError: a member whose value does not say what fires.
        """
        for timer in timers:
            if not (isinstance(timer.value, str) and timer.value):
                raise LocalProtocolError(f"timer {timer.name} does not say what fires")
        self._deadlines: dict[TimerT, Instant] = {}
        self._earliest: Instant | None = None
        self._is_stale = False

    def arm(self, timer: TimerT, due: Instant) -> None:
        """Let `timer` fire at `due`, in place of any deadline it had."""
        self._deadlines[timer] = due
        self._is_stale = True

    def cancel(self, timer: TimerT) -> None:
        """Let `timer` not fire. One that is not armed is left as it is."""
        if self._deadlines.pop(timer, None) is not None:
            self._is_stale = True

    def cancel_all(self) -> None:
        self._deadlines.clear()
        self._is_stale = True

    def deadline(self, timer: TimerT) -> Instant | None:
        """When `timer` fires; None when it is not armed."""
        return self._deadlines.get(timer)

    def next_timeout(self) -> Instant | None:
        """The earliest deadline; None when nothing is armed."""
        if self._is_stale:
            self._earliest = min(self._deadlines.values(), default=None)
            self._is_stale = False
        return self._earliest

    def pop_expired(self, now: Instant) -> Fired[TimerT] | None:
        """Disarm and return the timer that is most overdue, or None when no deadline has come.

        Call it until it gives None, handling each before the next: what one handler cancels does not fire any more.
        Among equal deadlines the timer that was armed first wins.
        """
        earliest = self.next_timeout()
        if earliest is None or now < earliest:
            return None
        timer = min(self._deadlines, key=self._deadlines.__getitem__)
        self._is_stale = True
        return Fired(timer, self._deadlines.pop(timer))
