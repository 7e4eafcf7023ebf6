"""Which blocks have been held against their hash since the store was opened: a table that may forget, never invent.

A block is known by its pack's series (`PackFiles.series`: it changes when somebody else writes to the file) and its
offset, both kept whole, so that no two blocks are taken for each other. A number has two slots; where both are taken
the older one gives way, and that block is hashed once more when it is read again. The memory is 8 MiB at most, taken as
it is used: enough for half a million blocks, nine out of ten of which are still known when all of them are.

No lock: slots are read and written one at a time, each in one step for other threads.
"""

from __future__ import annotations

import mmap
from typing import Final

_SLOTS: Final = 1 << 20
_SLOT: Final = 8  # bytes
_OFFSET_BITS: Final = 40
_NUMBERS: Final = 1 << 64


class Checked:
    """A set of blocks of bounded size. Any thread."""

    def __init__(self, slots: int = _SLOTS) -> None:
        """Take an even number of slots."""
        self._pairs = slots // 2
        self._table = memoryview(mmap.mmap(-1, slots * _SLOT)).cast("Q")  # zeros that take no memory until written

    def add(self, series: int, offset: int) -> None:
        """Remember a block. `offset` is not 0: a pack has a header."""
        number = series << _OFFSET_BITS | offset
        if number >= _NUMBERS or offset >> _OFFSET_BITS:
            return  # sixteen million packs: from there on every read is checked
        slot = hash((series, offset)) % self._pairs * 2
        first = self._table[slot]
        if first not in (0, number):
            self._table[slot + 1] = first
        self._table[slot] = number

    def has(self, series: int, offset: int) -> bool:
        """Whether a block is remembered."""
        number = series << _OFFSET_BITS | offset
        slot = hash((series, offset)) % self._pairs * 2
        return number in (self._table[slot], self._table[slot + 1])
