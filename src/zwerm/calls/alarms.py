"""Deadlines of many things in one heap: ten thousand sessions, each with one of its own.

`core.timers.TimerTable` looks through all it has, which is right for the handful of one protocol. Here setting an
earlier deadline costs a logarithm, and moving one further away costs nothing until the old one comes.
"""

from __future__ import annotations

import heapq

from zwerm.core.machine import Instant


class Alarms:
    """At most one deadline for each key."""

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._due: dict[str, Instant] = {}
        self._heap: list[tuple[Instant, str]] = []

    def set(self, key: str, due: Instant) -> None:
        """Let `key` come at `due`, in place of any deadline it had."""
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 64 + 4 * len(self._due):  # mostly deadlines that were moved
            self._heap = [(when, each) for each, when in self._due.items()]
            heapq.heapify(self._heap)

    def cancel(self, key: str) -> None:
        self._due.pop(key, None)

    def next_timeout(self) -> Instant | None:
        """The earliest deadline; None when there is none."""
        heap, due = self._heap, self._due
        while heap and due.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop(self, now: Instant) -> str | None:
        """Remove and return the key that is most overdue; None when no deadline has come."""
        due = self.next_timeout()
        if due is None or due > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._due[key]
        return key

    def __len__(self) -> int:
        return len(self._due)
