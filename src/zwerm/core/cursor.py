"""A reader over untrusted bytes that cannot leave them: every step is checked and fails as a `WireError`.

For headers and options of a few fields, where checking each length by hand is where parsers go wrong. Hot paths with
one fixed layout use `struct` on a length that was checked once.
"""

from __future__ import annotations

import struct
from typing import Any

from zwerm.core.errors import WireError


class Cursor:
    """A position in bytes. Integers are unsigned and big-endian, network order, unless `unpack` says otherwise."""

    __slots__ = ("_data", "_end", "_subject", "position")

    position: int  # offset of the next byte, from the start of the whole input

    def __init__(self, data: bytes, subject: str = "message") -> None:
        """Start at the first of `data`; `subject` is what error messages call it."""
        self._data = data
        self._end = len(data)
        self._subject = subject
        self.position = 0

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return self._end - self.position

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises:
            WireError: there are fewer, or `size` is negative. The position has not moved.
        """
        start = self._advance(size)
        return self._data[start : start + size]

    def take_rest(self) -> bytes:
        return self.take(self.remaining)

    def skip(self, size: int) -> None:
        self._advance(size)

    def uint8(self) -> int:
        return self._data[self._advance(1)]

    def uint16(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def uint24(self) -> int:
        return int.from_bytes(self.take(3), "big")

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def uint64(self) -> int:
        return int.from_bytes(self.take(8), "big")

    def unpack(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Read one fixed layout."""
        return layout.unpack_from(self._data, self._advance(layout.size))

    def split(self, size: int, subject: str) -> Cursor:
        """Step over the next `size` bytes and return a cursor that can read only these."""
        start = self._advance(size)
        inner = Cursor(self._data, subject)
        inner.position, inner._end = start, start + size
        return inner

    def expect_end(self) -> None:
        """Refuse bytes that are left."""
        if self.remaining:
            raise WireError(f"{self.remaining} bytes after the {self._subject}")

    def _advance(self, size: int) -> int:
        start = self.position
        if not 0 <= size <= self._end - start:
            raise WireError(f"{self._subject} cut short at byte {start}: {self._end - start} of {size} bytes")
        self.position = start + size
        return start
