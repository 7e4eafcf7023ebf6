"""The cursor reads what is there, and never one byte more."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.cursor import Cursor
from zwerm.core.errors import WireError

READERS = [Cursor.uint8, Cursor.uint16, Cursor.uint24, Cursor.uint32, Cursor.uint64]


def test_integers_are_big_endian() -> None:
    cursor = Cursor(bytes(range(1, 19)))
    assert [read(cursor) for read in READERS] == [0x01, 0x0203, 0x040506, 0x0708090A, 0x0B0C0D0E0F101112]
    assert cursor.remaining == 0
    cursor.expect_end()


@pytest.mark.parametrize(("read", "size"), [*zip(READERS, (1, 2, 3, 4, 8), strict=True)])
def test_an_integer_cut_short_is_refused_and_nothing_moves(read, size: int) -> None:
    for have in range(size):
        cursor = Cursor(bytes(have))
        with pytest.raises(WireError, match=f"message cut short at byte 0: {have} of {size} bytes"):
            read(cursor)
        assert cursor.position == 0


def test_take_skip_and_the_rest() -> None:
    cursor = Cursor(b"abcdef")
    assert cursor.take(2) == b"ab"
    cursor.skip(1)
    assert cursor.position == 3
    assert cursor.take(0) == b""
    assert cursor.take_rest() == b"def"
    assert cursor.take_rest() == b""


def test_a_negative_size_does_not_go_back() -> None:
    cursor = Cursor(b"abc")
    cursor.skip(2)
    for step in (cursor.take, cursor.skip):
        with pytest.raises(WireError):
            step(-1)
    assert cursor.position == 2


def test_unpack_reads_a_layout_of_any_byte_order() -> None:
    cursor = Cursor(b"\0\x01\0\x02\0\0\0\xff")
    cursor.skip(1)
    assert cursor.unpack(struct.Struct("<HI")) == (1, 2)
    with pytest.raises(WireError):
        cursor.unpack(struct.Struct("<H"))


def test_a_split_cannot_read_past_its_end() -> None:
    cursor = Cursor(b"abcdef")
    inner = cursor.split(3, "attribute")
    assert inner.take(2) == b"ab"
    with pytest.raises(WireError, match="attribute cut short at byte 2: 1 of 2"):
        inner.uint16()
    assert cursor.take_rest() == b"def"
    with pytest.raises(WireError):
        cursor.split(1, "attribute")


def test_bytes_left_over_are_refused_by_name() -> None:
    cursor = Cursor(b"abc", "STUN message")
    cursor.skip(1)
    with pytest.raises(WireError, match="2 bytes after the STUN message"):
        cursor.expect_end()


@given(st.binary(max_size=20), st.lists(st.integers(-3, 8), max_size=12))
def test_no_order_of_reads_leaves_the_input(data: bytes, sizes: list[int]) -> None:
    cursor, seen = Cursor(data), b""
    for size in sizes:
        try:
            seen += cursor.take(size)
        except WireError:
            assert not 0 <= size <= cursor.remaining
    assert data.startswith(seen)
    assert cursor.position == len(seen)
