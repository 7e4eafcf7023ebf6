"""Sets of integers kept as ranges: which TSNs arrived, which bytes of a stream are here, which blocks are missing.

Ranges are half-open, sorted, and never touch: adding [2, 4) to {[0, 2), [4, 6)} leaves the one range [0, 6).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from zwerm.core.errors import LocalProtocolError, ResourceLimitError


class Range(NamedTuple):
    """The integers from `start` up to, not including, `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


class RangeSet:
    """A set of integers. `len` counts ranges, `size` counts integers. Each change costs the ranges behind it a move."""

    __slots__ = ("_limit", "_starts", "_stops")

    def __init__(self, *, limit: int | None = None) -> None:
        """Make an empty set of at most `limit` ranges; None only where no peer chooses what is added."""
        self._limit = limit
        self._starts: list[int] = []
        self._stops: list[int] = []

    def add(self, start: int, stop: int) -> bool:
        """Put in the integers from `start` up to `stop`; return whether any of them was new.

        Raises:
            ResourceLimitError: there would be more ranges than the limit. Nothing was changed.
        """
        _check(start, stop)
        if start == stop or self.covers(start, stop):
            return False
        first = bisect_left(self._stops, start)  # the first range that reaches to `start`, be it as neighbour
        last = bisect_right(self._starts, stop)
        if first == last and self._limit is not None and len(self._starts) >= self._limit:
            raise ResourceLimitError(f"{len(self._starts) + 1} ranges, the limit is {self._limit}")
        if first < last:
            start = min(start, self._starts[first])
            stop = max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]
        return True

    def remove(self, start: int, stop: int) -> None:
        """Take out the integers from `start` up to `stop`; those that are not in it are left alone.

        Raises:
            ResourceLimitError: cutting a range in two would make more than the limit. Nothing was changed.
        """
        _check(start, stop)
        first = bisect_right(self._stops, start)  # the first range that reaches past `start`
        last = bisect_left(self._starts, stop)
        if first >= last or start == stop:
            return
        head, tail = self._starts[first], self._stops[last - 1]
        kept = [Range(low, high) for low, high in ((head, start), (stop, tail)) if low < high]
        if self._limit is not None and len(self._starts) - (last - first) + len(kept) > self._limit:
            raise ResourceLimitError(f"{len(self._starts) + 1} ranges, the limit is {self._limit}")
        self._starts[first:last] = [low for low, _ in kept]
        self._stops[first:last] = [high for _, high in kept]

    def pop_first(self) -> Range:
        """Take out the lowest range and return it; a LocalProtocolError when the set is empty."""
        if not self._starts:
            raise LocalProtocolError("the range set is empty")
        return Range(self._starts.pop(0), self._stops.pop(0))

    def covers(self, start: int, stop: int) -> bool:
        """Whether every integer from `start` up to `stop` is in the set; of no integers, every one is."""
        _check(start, stop)
        index = bisect_right(self._starts, start) - 1
        return start == stop or (index >= 0 and stop <= self._stops[index])

    def gaps(self, start: int, stop: int) -> Iterator[Range]:
        """The ranges between `start` and `stop` that are not in the set, in order."""
        _check(start, stop)
        for index in range(bisect_right(self._stops, start), len(self._starts)):
            if self._starts[index] >= stop:
                break
            if start < self._starts[index]:
                yield Range(start, self._starts[index])
            start = self._stops[index]
        if start < stop:
            yield Range(start, stop)

    @property
    def size(self) -> int:
        """How many integers are in the set."""
        return sum(self._stops) - sum(self._starts)

    def __contains__(self, number: int) -> bool:
        return self.covers(number, number + 1)

    def __iter__(self) -> Iterator[Range]:
        return map(Range, self._starts, self._stops)

    def __len__(self) -> int:
        return len(self._starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RangeSet):
            return NotImplemented
        return self._starts == other._starts and self._stops == other._stops

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "RangeSet(" + ", ".join(f"[{start}, {stop})" for start, stop in self) + ")"


def _check(start: int, stop: int) -> None:
    if stop < start:
        raise LocalProtocolError(f"range [{start}, {stop}), expected the start before the stop")
