"""Chunks of one size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.unixfs.chunker.fixed import FixedChunker


@given(st.lists(st.binary(max_size=40)), st.integers(1, 20))
def test_all_chunks_but_the_last_have_the_size_however_the_bytes_come(pieces: list[bytes], size: int) -> None:
    chunker = FixedChunker(size)
    chunks = [chunk for piece in pieces for chunk in chunker.receive_data(piece)]
    chunks += chunker.finish()
    whole = b"".join(pieces)
    assert chunks == [whole[start : start + size] for start in range(0, len(whole), size)]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_becomes_bytes_that_do_not_change_with_it(kind: type) -> None:
    source = bytearray(b"abcdefgh")
    chunks = FixedChunker(8).receive_data(kind(source))
    source[:] = b"xxxxxxxx"
    assert chunks == [b"abcdefgh"]
    assert type(chunks[0]) is bytes


def test_a_finished_machine_begins_again() -> None:
    chunker = FixedChunker(4)
    assert chunker.receive_data(b"ab") == []
    assert chunker.finish() == [b"ab"]
    assert chunker.finish() == []
    assert chunker.receive_data(b"cdef") == [b"cdef"]
