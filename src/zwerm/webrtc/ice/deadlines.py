"""The earliest of many deadlines, looked for again only after a change: idle agents are asked all the time."""

from __future__ import annotations

from typing import Protocol

from zwerm.core.machine import Instant


class HasDeadline(Protocol):
    """A part of an agent that waits for time."""

    def next_timeout(self) -> Instant | None: ...


class Deadlines:
    """Of parts that change only where their owner says so."""

    __slots__ = ("_due", "_has_moved", "_parts")

    def __init__(self, *parts: HasDeadline) -> None:
        self._parts = parts
        self._due: Instant | None = None
        self._has_moved = True

    def moved(self) -> None:
        """Something happened in one of the parts."""
        self._has_moved = True

    def next_timeout(self) -> Instant | None:
        if self._has_moved:
            self._has_moved = False
            self._due = earliest(*[part.next_timeout() for part in self._parts])
        return self._due

    def has_come(self, now: Instant) -> bool:
        """Whether one is due."""
        due = self.next_timeout()
        return due is not None and due <= now


def earliest(*waits: Instant | None) -> Instant | None:
    """The smallest; None: there is none to wait for."""
    first: Instant | None = None
    for wait in waits:
        if wait is not None and (first is None or wait < first):
            first = wait
    return first
