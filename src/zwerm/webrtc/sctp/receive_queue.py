"""Which TSNs arrived, and the SACK that says so (RFC 9260 section 6.2).

TSNs are counted without wrapping. Two packets, a hole, a duplicate or the peer's wish make a SACK due at once, else a
timer; since packets of one read are taken before anything is sent, one SACK covers them all.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import ResourceLimitError
from zwerm.core.rangeset import RangeSet
from zwerm.webrtc.sctp.chunks.sack import ENTRY_SIZE, FIXED_SIZE
from zwerm.webrtc.sctp.codes import TSN_MASK, ChunkType

if TYPE_CHECKING:
    from mypy_extensions import i64

MAX_DUPLICATES: Final = 64  # told in one SACK; more are left out, as section 6.2 allows

_SACK: Final = int(ChunkType.SACK)
_LAYOUT: Final = struct.Struct("!BBHIIHH")


class ReceiveQueue:
    """The receiver's half of the TSNs."""

    __slots__ = ("_delay", "_duplicates", "_packets", "_ranges", "cumulative", "due_at", "is_due")

    def __init__(self, initial_tsn: int, delay: float, max_ranges: int) -> None:
        """`initial_tsn`: the peer's first; `delay`: seconds a lone packet may wait for its SACK."""
        self.cumulative: i64 = initial_tsn - 1
        self._ranges = RangeSet(limit=max_ranges)  # above the first hole
        self._duplicates: list[int] = []
        self._packets: i64 = 0  # with data, since the last SACK
        self._delay: float = delay
        self.is_due: bool = False  # a SACK goes with the next packet, at once
        self.due_at: float = 0.0  # when it becomes due; 0: nothing to acknowledge

    @property
    def has_holes(self) -> bool:
        return len(self._ranges) > 0

    @property
    def is_owed(self) -> bool:
        """Whether a SACK may go along with whatever is sent."""
        return self.is_due or self._packets > 0

    def is_new(self, tsn: int) -> bool:
        """Whether it did not arrive before."""
        return tsn > self.cumulative and not (self._ranges and self._ranges.covers(tsn, tsn + 1))

    def add(self, tsn: i64) -> bool:
        """Take a new TSN; return whether there was room: what is not taken will come again."""
        if tsn == self.cumulative + 1:
            self.cumulative = tsn
            if self._ranges:
                self._close()
                self.is_due = True
            return True
        try:
            self._ranges.add(tsn, tsn + 1)
        except ResourceLimitError:
            return False
        self.is_due = True
        return True

    def duplicate(self, tsn: int) -> None:
        if len(self._duplicates) < MAX_DUPLICATES:
            self._duplicates.append(tsn & TSN_MASK)
        self.is_due = True

    def skip_to(self, tsn: int) -> None:
        """Count everything up to `tsn` as received (RFC 3758 section 3.6)."""
        if tsn > self.cumulative:
            self._ranges.remove(self.cumulative, tsn + 1)
            self.cumulative = tsn
            self._close()
        self.is_due = True

    def _close(self) -> None:
        for start, stop in self._ranges:
            if start > self.cumulative + 1:
                return
            self.cumulative = max(self.cumulative, stop - 1)
            self._ranges.pop_first()
            return

    def packet_received(self, now: float, *, is_urgent: bool) -> None:
        """A packet with data was worked off."""
        self._packets += 1
        if is_urgent or self._packets > 1:
            self.is_due = True
        elif self.due_at == 0.0:
            self.due_at = now + self._delay

    def sack(self, a_rwnd: int, room: int) -> bytes:
        """The SACK chunk of at most `room` bytes; nothing is owed after it."""
        blocks: list[int] = []
        base = self.cumulative
        if self._ranges:
            limit = (room - FIXED_SIZE) // ENTRY_SIZE
            for start, stop in self._ranges:
                if len(blocks) >= 2 * limit:
                    break
                blocks += (start - base, stop - 1 - base)
        gaps = len(blocks) // 2
        duplicates = self._duplicates[: max(0, (room - FIXED_SIZE) // ENTRY_SIZE - gaps)] if self._duplicates else []
        size = FIXED_SIZE + ENTRY_SIZE * (gaps + len(duplicates))
        chunk = _LAYOUT.pack(_SACK, 0, size, base & TSN_MASK, a_rwnd, gaps, len(duplicates))
        if size > FIXED_SIZE:
            chunk += struct.pack(f"!{len(blocks)}H{len(duplicates)}I", *blocks, *duplicates)
            self._duplicates = []
        self.is_due = False
        self.due_at = 0.0
        self._packets = 0
        return chunk
