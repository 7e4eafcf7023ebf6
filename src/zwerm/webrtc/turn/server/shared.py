"""What worker processes of one relay tell each other without talking: how many allocations each user has.

A table in shared memory has one row for each worker, which it alone writes, and a column for each user, found by a
keyed hash. The count of a user is the sum of a column. Two workers that look at the same moment may let one allocation
more in than the quota says; two users who share a column (one in a thousand, with a thousand users) share its quota.
"""

from __future__ import annotations

import hashlib
from typing import Final

COLUMNS: Final = 1 << 20
TOTAL: Final = 0  # the column of all users
ENTRY_SIZE: Final = 4


class SharedCounts:
    """The table, seen by one worker."""

    def __init__(self, memory: memoryview, worker: int, workers: int, key: bytes) -> None:
        """`memory` is zeros at first, `table_size(workers)` bytes, and the same for all; `key` is secret, and too."""
        self._table = memory.cast("B").cast("I")
        self._row = worker * COLUMNS
        self._rows = [other * COLUMNS for other in range(workers) if other != worker]
        self._key = key[:64]

    def enter(self, person: str) -> None:
        """Count one allocation more."""
        self._add(person, 1)

    def leave(self, person: str) -> None:
        """Count one allocation less."""
        self._add(person, -1)

    def of_others(self, person: str) -> int:
        """How many allocations this user has with other workers."""
        column = self._column(person)
        return sum(self._table[row + column] for row in self._rows)

    def total_of_others(self) -> int:
        return sum(self._table[row + TOTAL] for row in self._rows)

    def close(self) -> None:
        """Let go of the memory."""
        self._table.release()

    def _add(self, person: str, number: int) -> None:
        self._table[self._row + self._column(person)] += number
        self._table[self._row + TOTAL] += number

    def _column(self, person: str) -> int:
        digest = hashlib.blake2b(person.encode(), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big") % (COLUMNS - 1) + 1


def table_size(workers: int) -> int:
    return workers * COLUMNS * ENTRY_SIZE


def forget(memory: memoryview, worker: int) -> None:
    """Clear the row of a worker that is gone, and its allocations with it."""
    start = worker * COLUMNS * ENTRY_SIZE
    memory[start : start + COLUMNS * ENTRY_SIZE] = bytes(COLUMNS * ENTRY_SIZE)
