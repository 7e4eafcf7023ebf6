"""Epochs: how work in progress keeps the collector away from its blocks.

A counter stands still until somebody opens a hold or starts a collection; every block remembers the count at which it
was last put or found again. A collection may delete only what is older than its own start and older than the oldest
hold that was open at that moment: whatever a later hold touches is younger than the start by itself.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Holds:
    """The counter and the holds open on it. Any thread."""

    def __init__(self, epoch: int = 0) -> None:
        self.epoch = epoch  # only grows; what is put now is remembered with this number
        self._open: dict[int, int] = {}  # start of a hold: always distinct
        self._lock = threading.Lock()

    def begin(self) -> int:
        """Open a hold; return the token for `end`. Everything put from now on is younger than it."""
        with self._lock:
            self.epoch += 1
            self._open[self.epoch] = self.epoch
            return self.epoch

    def end(self, token: int) -> None:
        with self._lock:
            self._open.pop(token, None)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """A hold as a context."""
        token = self.begin()
        try:
            yield
        finally:
            self.end(token)

    def oldest(self) -> int | None:
        """The start of the oldest open hold, or None."""
        with self._lock:
            return next(iter(self._open), None)  # insertion order is age

    def newest(self) -> int | None:
        """The start of the youngest open hold, or None."""
        with self._lock:
            return next(reversed(self._open), None)

    def threshold(self) -> int:
        """Start a collection: return the epoch below which unmarked blocks may go."""
        with self._lock:
            self.epoch += 1
            return next(iter(self._open), self.epoch)
