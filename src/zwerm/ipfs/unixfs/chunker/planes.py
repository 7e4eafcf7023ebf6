"""The chunkers' hashes of thousands of windows at once, in plain Python, without a loop over bytes.

A long integer is an array of bytes that shifts and exclusive-ors at memory speed, and `bytes.translate` looks every
byte up in a table. So the hash is computed for all windows of a block together: eight of its bits at a time, one such
plane a long integer. The few windows whose first planes are zero are then checked one by one.

Measured on random data: 100 MB/s (buzhash) and 76 MB/s (rabin). Loops over bytes reach 5 MB/s as
they are, and 82 and 70 when mypyc compiles them, so nothing here is compiled.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

_BLOCK: Final = 16 * 1024  # windows hashed at once; the integers of a block stay in the processor's cache


def find_rabin(data: bytes, powers: tuple[tuple[int, ...], ...], mask: int) -> int:
    """Return the offset of the first window whose fingerprint ends in zeros under `mask`, or -1.

    The fingerprint is the exclusive or of what each byte adds at its place, so its low byte needs one table a place.
    """
    window = len(powers)
    tables = _low_bytes(powers, mask & 0xFF)
    for start in range(0, len(data) - window + 1, _BLOCK):
        count = min(_BLOCK, len(data) - window + 1 - start)
        plane = 0
        for place, table in tables:
            offset = start + window - 1 - place
            plane ^= int.from_bytes(data[offset : offset + count].translate(table), "little")
        zeros = plane.to_bytes(count, "little")
        found = zeros.find(0)
        while found >= 0:
            digest = 0
            for place, byte in enumerate(reversed(data[start + found : start + found + window])):
                digest ^= powers[place][byte]
            if not digest & mask:
                return start + found
            found = zeros.find(0, found + 1)
    return -1


def find_buzhash(data: bytes, table: Sequence[int], mask: int) -> int:
    """Return the offset of the first window of 32 bytes whose hash ends in zeros under `mask`, or -1.

    The mask has its 16 low bits set. The hash of twice as many bytes is that of the later half and that of the earlier
    half, rotated: five doublings make 32 of 1. Rotating by eight bits only renames the planes.
    """
    tables = _planes(tuple(table))
    for start in range(0, len(data) - 31, _BLOCK):
        block = data[start : start + _BLOCK + 31]
        planes = [int.from_bytes(block.translate(table), "little") for table in tables]
        for bits in (1, 2, 4):
            high, low = _rotation_masks(len(block), bits)
            # `bits` places to the left in every byte, what falls out into the next plane, and `bits` bytes later.
            planes = [
                planes[index] ^ (planes[index] << 9 * bits & high | planes[index - 1] << 9 * bits - 8 & low)
                for index in range(4)
            ]
        planes = [planes[index] ^ planes[index - 1] << 8 * 8 for index in range(4)]
        both = planes[0] ^ planes[2] << 16 * 8 | planes[1] ^ planes[3] << 16 * 8
        zeros = both.to_bytes(len(block) + 24, "little")
        found = zeros.find(0, 31, len(block))
        while found >= 0:
            if not _buzhash(block[found - 31 : found + 1], table) & mask:
                return start + found - 31
            found = zeros.find(0, found + 1, len(block))
    return -1


def _buzhash(window: bytes, table: Sequence[int]) -> int:
    state = 0
    for byte in window:
        state = (state << 1 & 0xFFFFFFFF | state >> 31) ^ table[byte]
    return state


@functools.lru_cache(8)
def _low_bytes(powers: tuple[tuple[int, ...], ...], mask: int) -> list[tuple[int, bytes]]:
    """For each place, what its byte adds to the low byte; places that add nothing are left out."""
    tables = [(place, bytes(value & mask for value in row)) for place, row in enumerate(powers)]
    return [(place, table) for place, table in tables if any(table)]


@functools.lru_cache(1)
def _planes(table: tuple[int, ...]) -> tuple[bytes, ...]:
    return tuple(bytes(value >> shift & 0xFF for value in table) for shift in (0, 8, 16, 24))


@functools.lru_cache(8)
def _rotation_masks(size: int, bits: int) -> tuple[int, int]:
    """Masks for the bits of each byte that stay in it when it is rotated left, and for those that come in."""
    high, low = 0xFF << bits & 0xFF, (1 << bits) - 1
    return int.from_bytes(bytes([high]) * size, "little"), int.from_bytes(bytes([low]) * size, "little")
