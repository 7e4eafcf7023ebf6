"""The multihashes that are provided, ordered by where they belong in the key space, in little memory.

A million take about 46 MB: they lie end to end in 4,096 byte strings, one for each possible first 12 bits of their key,
and are ordered when they are asked for. Python's own sets would take three times that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.libp2p.kad.key import BITS, Key, key_of

_BUCKET_BITS: Final = 12
_SHIFT: Final = BITS - _BUCKET_BITS
_MAX_SIZE: Final = 255  # bytes of a multihash; its length is one byte before it


class KeyLedger:
    """A set of multihashes."""

    def __init__(self) -> None:
        self._buckets: list[bytearray | None] = [None] * (1 << _BUCKET_BITS)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, multihash: object) -> bool:
        return (
            isinstance(multihash, bytes) and self._position(self._bucket_of(key_of(multihash)), multihash) is not None
        )

    def add(self, multihash: bytes) -> bool:
        """Put a multihash in; return whether it is new."""
        if not 0 < len(multihash) <= _MAX_SIZE:
            raise LocalProtocolError(f"multihash of {len(multihash)} bytes, expected 1 to {_MAX_SIZE}")
        index = key_of(multihash) >> _SHIFT
        bucket = self._buckets[index]
        if bucket is None:
            bucket = self._buckets[index] = bytearray()
        elif self._position(bucket, multihash) is not None:
            return False
        bucket.append(len(multihash))
        bucket += multihash
        self._count += 1
        return True

    def remove(self, multihash: bytes) -> bool:
        """Take a multihash out; return whether it was here."""
        index = key_of(multihash) >> _SHIFT
        bucket = self._buckets[index]
        position = self._position(bucket, multihash)
        if bucket is None or position is None:
            return False
        del bucket[position : position + 1 + len(multihash)]
        self._count -= 1
        if not bucket:
            self._buckets[index] = None
        return True

    def first_from(self, start: Key) -> tuple[Key, bytes] | None:
        """Return the first key at `start` or above it, with its multihash."""
        for index in range(start >> _SHIFT, len(self._buckets)):
            found = [entry for entry in self._entries(self._buckets[index]) if entry[0] >= start]
            if found:
                return min(found)
        return None

    def between(self, start: Key, end: Key) -> list[tuple[Key, bytes]]:
        """Return what belongs at `start` or above it and below `end`, in the order of the keys."""
        last = min((end - 1) >> _SHIFT, len(self._buckets) - 1)
        buckets = self._buckets[start >> _SHIFT : last + 1]
        return sorted(entry for bucket in buckets for entry in self._entries(bucket) if start <= entry[0] < end)

    def _bucket_of(self, key: Key) -> bytearray | None:
        return self._buckets[key >> _SHIFT]

    def _entries(self, bucket: bytearray | None) -> Iterator[tuple[Key, bytes]]:
        position = 0
        while bucket is not None and position < len(bucket):
            end = position + 1 + bucket[position]
            multihash = bytes(bucket[position + 1 : end])
            yield key_of(multihash), multihash
            position = end

    def _position(self, bucket: bytearray | None, multihash: bytes) -> int | None:
        """Where the entry begins; a match that only looks like one, across two entries, is passed over."""
        if bucket is None or bytes([len(multihash)]) + multihash not in bucket:
            return None
        position = 0
        while position < len(bucket):
            end = position + 1 + bucket[position]
            if bucket[position + 1 : end] == multihash:
                return position
            position = end
        return None
