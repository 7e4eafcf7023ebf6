"""Bits in, bits out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.sync.bits import BitReader, BitWriter

numbers = st.integers(1, 32).flatmap(lambda bits: st.tuples(st.integers(0, (1 << bits) - 1), st.just(bits)))


@given(st.lists(numbers, max_size=40))
def test_what_is_written_is_read(rows: list[tuple[int, int]]) -> None:
    writer = BitWriter()
    for value, bits in rows:
        writer.put(value, bits)
    data = writer.data()
    assert len(data) == (sum(bits for _, bits in rows) + 7) // 8
    reader = BitReader(data)
    assert [reader.take(bits) for _, bits in rows] == [value for value, _ in rows]
    reader.expect_end()


def test_more_bits_than_there_are_cannot_be_taken() -> None:
    reader = BitReader(b"\xff")
    assert reader.take(7) == 127
    with pytest.raises(WireError):
        reader.take(2)


@pytest.mark.parametrize("data", [b"\x80\x00", b"\x81"], ids=["a byte too many", "a bit that is set"])
def test_what_follows_the_end_is_refused(data: bytes) -> None:
    reader = BitReader(data)
    reader.take(1)
    with pytest.raises(WireError):
        reader.expect_end()
