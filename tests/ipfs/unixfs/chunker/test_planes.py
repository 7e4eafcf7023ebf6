"""The hashes of many windows at once against the loops over bytes that define them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.unixfs.chunker.vectors import data
from zwerm.ipfs.unixfs.chunker import planes
from zwerm.ipfs.unixfs.chunker.buzhash import TABLE
from zwerm.ipfs.unixfs.chunker.rabin import POLYNOMIAL, powers

HIT = bytes.fromhex(
    "3c6bca470aa1f16373d09f1c1e0bd634654b4fa82a67bbeaabf1ce70de1b129b"
)  # hashes to zero in its low 17 bits


def rabin(window: bytes) -> int:
    digest = int.from_bytes(window, "big")
    while (excess := digest.bit_length() - POLYNOMIAL.bit_length()) >= 0:
        digest ^= POLYNOMIAL << excess
    return digest


def buzhash(window: bytes) -> int:
    state = 0
    for byte in window:
        state = (state << 1 & 0xFFFFFFFF | state >> 31) ^ TABLE[byte]
    return state


@given(st.binary(max_size=200), st.integers(0, 12))
def test_rabin_finds_the_first_window(source: bytes, bits: int) -> None:
    mask = (1 << bits) - 1
    hits = (start for start in range(len(source) - 15) if not rabin(source[start : start + 16]) & mask)
    assert planes.find_rabin(source, powers(POLYNOMIAL), mask) == next(hits, -1)


@given(st.binary(max_size=200))
def test_buzhash_finds_a_window_that_is_there(around: bytes) -> None:
    """`HIT` hashes to zero under the mask; around it hardly anything does."""
    found = planes.find_buzhash(around + HIT, TABLE, 0x1FFFF)
    expected = (start for start in range(len(around) + 1) if not buzhash((around + HIT)[start : start + 32]) & 0x1FFFF)
    assert found == next(expected)
    assert planes.find_buzhash(HIT[:31], TABLE, 0x1FFFF) == -1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("find", "digest", "width", "mask"),
    [
        (lambda source: planes.find_rabin(source, powers(POLYNOMIAL), 0x7FF), rabin, 16, 0x7FF),
        (lambda source: planes.find_buzhash(source, TABLE, 0xFFFF), buzhash, 32, 0xFFFF),
    ],
    ids=["rabin", "buzhash"],
)
def test_windows_across_the_blocks_are_hashed_once_each(
    find: Callable[[bytes], int], digest: Callable[[bytes], int], width: int, mask: int
) -> None:
    source = data("one", 100_000)
    source = source[:49_130] + HIT + source[49_130:]  # across the third block's end
    expected = [start for start in range(len(source) - width + 1) if not digest(source[start : start + width]) & mask]
    found: list[int] = []
    start = 0
    while (hit := find(source[start:])) >= 0:
        found.append(start + hit)
        start += hit + 1
    assert found == expected
    assert found
