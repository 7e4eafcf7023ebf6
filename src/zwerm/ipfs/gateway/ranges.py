"""Byte ranges (RFC 9110 section 14) and entity-bytes (Trustless Gateway specification)."""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

from zwerm.core.errors import WireError

MAX_RANGES: Final = 16  # more in one request is refused as a whole, which RFC 9110 section 14.2 allows
_MAX_DIGITS: Final = 18  # no file has more bytes than that


class ByteRange(NamedTuple):
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        raise WireError(f"{text[:32]!r} is not a byte position")
    return int(text)


def parse_range(header: str, size: int) -> list[ByteRange] | None:
    """Read an untrusted Range header for a body of `size` bytes.

    Returns:
        The ranges that can be satisfied, in the order asked and never overlapping; an empty list when none can (416);
        None when the header has to be ignored: another unit, malformed, too many, or overlapping.
    """
    unit, equals, specification = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    parts = specification.split(",")
    if len(parts) > MAX_RANGES:
        return None
    ranges: list[ByteRange] = []
    try:
        for part in parts:
            first, dash, last = part.strip().partition("-")
            if not dash:
                return None
            if first:
                start = _number(first)
                end = min(_number(last) + 1, size) if last else size
                if last and _number(last) < start:
                    return None
            else:
                suffix = _number(last)
                start, end = max(size - suffix, 0), size
            if start < end:
                ranges.append(ByteRange(start, end))
    except WireError:
        return None
    ordered = sorted(ranges)
    if any(before.end > after.start for before, after in itertools.pairwise(ordered)):
        return None
    return ranges


class EntityBytes(NamedTuple):
    """The `entity-bytes` parameter: inclusive positions, negative ones counted from the end."""

    first: int
    last: int | None  # None is the end of the entity

    @classmethod
    def parse(cls, text: str) -> EntityBytes:
        """Read the untrusted `from:to` form; WireError when it is not one."""
        first, colon, last = text.partition(":")
        if not colon:
            raise WireError(f"entity-bytes {text[:64]!r}, expected from:to")
        return cls(cls._position(first), None if last == "*" else cls._position(last))

    @staticmethod
    def _position(text: str) -> int:
        return -_number(text[1:]) if text.startswith("-") else _number(text)

    def resolve(self, size: int) -> ByteRange:
        """Return the part of an entity of `size` bytes that is meant; empty when it lies outside."""
        start = self.first if self.first >= 0 else max(size + self.first, 0)
        last = size - 1 if self.last is None else self.last if self.last >= 0 else size + self.last
        return ByteRange(min(start, size), max(min(last + 1, size), min(start, size)))
