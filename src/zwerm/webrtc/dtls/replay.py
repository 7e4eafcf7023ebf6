"""The replay window (RFC 6347 section 4.1.2.6): each sequence number is taken once, and old ones not at all."""

from __future__ import annotations

from typing import Final

WINDOW: Final = 512  # records; the RFC asks for 64, a batch of ours has as many and paths reorder whole batches

_ALL: Final = (1 << WINDOW) - 1


class ReplayWindow:
    """The sequence numbers seen of late: bit n of `bits` stands for `top - n`."""

    __slots__ = ("bits", "top")

    def __init__(self) -> None:
        self.top = -1  # the highest number that was marked
        self.bits = 0

    def is_new(self, sequence: int) -> bool:
        """Whether a record of that number may be opened: above the window, or in it and not seen."""
        behind = self.top - sequence
        return behind < 0 or (behind < WINDOW and not self.bits >> behind & 1)

    def mark(self, sequence: int) -> None:
        """Note a number, once its record has proved genuine: a forged one must not move the window."""
        ahead = sequence - self.top
        if ahead > 0:
            self.bits = (self.bits << ahead | 1) & _ALL if ahead < WINDOW else 1
            self.top = sequence
        elif ahead > -WINDOW:
            self.bits |= 1 << -ahead
