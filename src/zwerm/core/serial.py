"""Serial number arithmetic (RFC 1982): counters that wrap, such as the TSN of SCTP and the sequence number of RTP.

Half of the numbers are ahead of any number and half behind it. The one number exactly opposite is neither, as the RFC
leaves it (section 3.2): both `less` are False.
"""

from __future__ import annotations

from typing import Final


class SerialSpace:
    """The arithmetic of one width; use `SERIAL_16` or `SERIAL_32`. Arguments lie in the space already."""

    __slots__ = ("_half", "_mask", "bits")

    bits: int

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self._mask = (1 << bits) - 1
        self._half = 1 << (bits - 1)

    def add(self, number: int, step: int) -> int:
        """Return the number `step` further on; a negative step goes back."""
        return (number + step) & self._mask

    def distance(self, start: int, end: int) -> int:
        """How far `end` is ahead of `start`: negative when it is behind, -2**(bits-1) when it is opposite."""
        return ((end - start + self._half) & self._mask) - self._half

    def less(self, a: int, b: int) -> bool:
        return 0 < (b - a) & self._mask < self._half

    def less_or_equal(self, a: int, b: int) -> bool:
        return (b - a) & self._mask < self._half


SERIAL_16: Final = SerialSpace(16)
SERIAL_32: Final = SerialSpace(32)


class Unwrapper:
    """Turns wrapping numbers into ones that do not wrap: each is taken as the nearest to the highest seen."""

    __slots__ = ("_highest", "_space")

    def __init__(self, space: SerialSpace) -> None:
        self._space = space
        self._highest: int | None = None

    def unwrap(self, number: int) -> int:
        """Return `number` plus the right multiple of the space. The first is itself; earlier ones may be negative."""
        if self._highest is None:
            self._highest = number
            return number
        unwrapped = self._highest + self._space.distance(self._highest & ((1 << self._space.bits) - 1), number)
        self._highest = max(self._highest, unwrapped)
        return unwrapped
