"""RFC 9110 section 14 and the entity-bytes parameter of the Trustless Gateway specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.ipfs.gateway.ranges import MAX_RANGES, ByteRange, EntityBytes, parse_range


@pytest.mark.parametrize(
    ("header", "ranges"),
    [
        ("bytes=0-499", [ByteRange(0, 500)]),
        ("bytes=500-999", [ByteRange(500, 1000)]),
        ("bytes=-500", [ByteRange(9500, 10000)]),
        ("bytes=9500-", [ByteRange(9500, 10000)]),
        ("bytes=0-0,-1", [ByteRange(0, 1), ByteRange(9999, 10000)]),
        ("bytes= 0-999, 4500-5499, -1000", [ByteRange(0, 1000), ByteRange(4500, 5500), ByteRange(9000, 10000)]),
        ("bytes=9999-20000", [ByteRange(9999, 10000)]),
        ("bytes=-20000", [ByteRange(0, 10000)]),
    ],
)
def test_examples_of_the_rfc(header: str, ranges: list[ByteRange]) -> None:
    assert parse_range(header, 10000) == ranges


@pytest.mark.parametrize("header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=20000-30000,-0"])
def test_ranges_behind_the_end_cannot_be_satisfied(header: str) -> None:
    assert parse_range(header, 10000) == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "items=0-1",
        "bytes=",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=1",
        "bytes=0-5,3-9",
        "bytes=٣-٤",
        "bytes=0-" + "9" * 40,
    ],
)
def test_what_is_malformed_or_overlaps_is_ignored(header: str) -> None:
    assert parse_range(header, 10000) is None


def test_more_ranges_than_the_limit_are_ignored() -> None:
    many = ",".join(f"{start}-{start}" for start in range(0, 2 * MAX_RANGES, 2))
    assert len(parse_range("bytes=" + many, 10000) or []) == MAX_RANGES
    assert parse_range(f"bytes={many},9999-", 10000) is None


@given(st.text(max_size=60), st.integers(0, 10**12))
def test_any_header_gives_ranges_inside_the_body_or_is_ignored(header: str, size: int) -> None:
    for part in parse_range("bytes=" + header, size) or []:
        assert 0 <= part.start < part.end <= size


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0:*", ByteRange(0, 1000)),
        ("0:0", ByteRange(0, 1)),
        ("-100:*", ByteRange(900, 1000)),
        ("499:-100", ByteRange(499, 901)),
        ("500:5000", ByteRange(500, 1000)),
        ("-5000:10", ByteRange(0, 11)),
        ("2000:3000", ByteRange(1000, 1000)),
        ("10:5", ByteRange(10, 10)),
    ],
)
def test_entity_bytes_of_a_file_of_a_thousand(text: str, part: ByteRange) -> None:
    assert EntityBytes.parse(text).resolve(1000) == part


@pytest.mark.parametrize("text", ["", "5", "*:5", "a:b", "1:2:3", "--1:*", ":"])
def test_entity_bytes_that_are_none(text: str) -> None:
    with pytest.raises(WireError):
        EntityBytes.parse(text)
