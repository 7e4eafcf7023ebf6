"""Kubo's Rabin chunker: the same cuts as the Go package that Kubo uses."""

from __future__ import annotations

import pytest

from tests.ipfs.unixfs.chunker.vectors import Vector, data, vectors
from zwerm.ipfs.unixfs import chunker
from zwerm.ipfs.unixfs.chunker.rabin import POLYNOMIAL, RabinChunker, powers


@pytest.mark.parametrize("vector", vectors("rabin"), ids=str)
def test_the_cuts_are_those_of_go(vector: Vector) -> None:
    machine = chunker.from_text(vector.chunker)
    source = data(vector.data, vector.size)
    chunks = machine.receive_data(source) + machine.finish()
    assert [len(chunk) for chunk in chunks] == vector.chunks
    assert b"".join(chunks) == source


@pytest.mark.parametrize("step", [1, 7, 1000, 65_537])
def test_the_cuts_do_not_depend_on_how_the_bytes_come(step: int) -> None:
    source = data("one", 20_000)
    machine = RabinChunker(500, 1000, 2000)
    whole = machine.receive_data(source) + machine.finish()
    pieces = [source[start : start + step] for start in range(0, len(source), step)]
    assert [chunk for piece in pieces for chunk in machine.receive_data(piece)] + machine.finish() == whole


def test_bytes_in_front_move_only_the_first_cuts() -> None:
    source = data("one", 300_000)
    machine = RabinChunker(1000, 4000, 16_000)
    before = set(machine.receive_data(source) + machine.finish())
    after = set(machine.receive_data(b"inserted" + source) + machine.finish())
    assert len(after - before) <= 3


def test_the_tables_are_remainders_of_the_polynomial() -> None:
    """Each place is the place before, shifted by a byte and reduced, and all stay below the degree."""
    table = powers(POLYNOMIAL)
    assert table[0] == tuple(range(256))
    assert table[6][0x20] == (0x20 << 48) ^ POLYNOMIAL
    assert max(map(max, table)).bit_length() <= 53
