"""Kubo's buzhash chunker: the same cuts as boxo."""

from __future__ import annotations

import pytest

from tests.ipfs.unixfs.chunker.vectors import Vector, data, vectors
from zwerm.ipfs.unixfs.chunker.buzhash import MAX, MIN, TABLE, BuzhashChunker


@pytest.mark.parametrize("vector", vectors("buzhash"), ids=str)
def test_the_cuts_are_those_of_go(vector: Vector) -> None:
    machine = BuzhashChunker()
    source = data(vector.data, vector.size)
    chunks = machine.receive_data(source) + machine.finish()
    assert [len(chunk) for chunk in chunks] == vector.chunks
    assert b"".join(chunks) == source
    assert all(MIN <= size <= MAX for size in vector.chunks[:-1])


@pytest.mark.parametrize("step", [1000, 65_537, 999_983])
def test_the_cuts_do_not_depend_on_how_the_bytes_come(step: int) -> None:
    source = data("one", 1_500_000)
    machine = BuzhashChunker()
    whole = machine.receive_data(source) + machine.finish()
    pieces = [source[start : start + step] for start in range(0, len(source), step)]
    assert [chunk for piece in pieces for chunk in machine.receive_data(piece)] + machine.finish() == whole


def test_every_bit_of_the_table_is_set_in_half_of_it() -> None:
    """As boxo tests its own, `TestBuzhashBitsHashBias`: a number typed wrongly would show."""
    assert [sum(number >> bit & 1 for number in TABLE) for bit in range(32)] == [128] * 32
