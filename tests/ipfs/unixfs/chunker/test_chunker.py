"""Which texts name a chunker."""

from __future__ import annotations

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.unixfs import chunker
from zwerm.ipfs.unixfs.chunker import BuzhashChunker, FixedChunker, RabinChunker


@pytest.mark.parametrize(
    ("text", "size"), [("", 262_144), ("default", 262_144), ("size-1", 1), ("size-2096896", 2_096_896)]
)
def test_sizes(text: str, size: int) -> None:
    made = chunker.from_text(text)
    assert isinstance(made, FixedChunker)
    assert made.size == size == chunker.sure_size(text)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("rabin", 87_381, 393_216),
        ("rabin-48", 16, 72),
        ("rabin-1397930", 465_976, 2_096_895),
        ("rabin-16-17-18", 16, 18),
        ("rabin-min:20-avg:30-max:40", 20, 40),
    ],
)
def test_rabin(text: str, least: int, most: int) -> None:
    made = chunker.from_text(text)
    assert isinstance(made, RabinChunker)
    assert (made.minimum, made.maximum) == (least, most)
    assert chunker.sure_size(text) == least


def test_buzhash() -> None:
    assert isinstance(chunker.from_text("buzhash"), BuzhashChunker)
    assert chunker.sure_size("buzhash") == 131_072


@pytest.mark.parametrize(
    "text",
    [
        "size", "size-", "size-0", "size--1", "size-2096897", "size-1.5", "size-١", "Size-10", "rabin-", "rabin-47",
        "rabin-1397931", "rabin-1-2", "rabin-15-20-30", "rabin-20-20-30", "rabin-20-30-30", "rabin-30-20-40",
        "rabin-16-20-2096897", "rabin-max:16-avg:20-min:30", "buzhash-1", "fastcdc", "size-10 ", "9" * 5000,
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="expected"):
        chunker.from_text(text)
