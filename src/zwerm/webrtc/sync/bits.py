"""Numbers of any width in bits, most significant first, as snapshots are written."""

from __future__ import annotations

from zwerm.core.errors import WireError


class BitWriter:
    """Gathers bits; `data` fills the last byte with zeros."""

    def __init__(self) -> None:
        self._number = 0
        self._size = 0

    def put(self, value: int, bits: int) -> None:
        """Append `value`, which fits into `bits`."""
        self._number = self._number << bits | value
        self._size += bits

    def data(self) -> bytes:
        spare = -self._size % 8
        return (self._number << spare).to_bytes((self._size + spare) // 8, "big")


class BitReader:
    """Takes bits from untrusted bytes, and cannot leave them."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, bits: int) -> int:
        """Return the next `bits` as a number.

        Raises:
            WireError: there are fewer.
        """
        if bits > self._left:
            raise WireError(f"a snapshot cut short: {self._left} of {bits} bits")
        self._left -= bits
        value = self._number >> self._left
        self._number &= (1 << self._left) - 1
        return value

    def expect_end(self) -> None:
        """Refuse anything but the zeros that fill the last byte."""
        if self._left >= 8 or self._number:
            raise WireError(f"{self._left} bits after the snapshot")
