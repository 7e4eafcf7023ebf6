"""The table of checked blocks forgets when it is full, and never knows a block that was not added."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.blockstore.checked import Checked

blocks = st.tuples(st.integers(0, 1 << 24), st.integers(1, 1 << 40))


def test_a_block_is_known_by_series_and_offset() -> None:
    checked = Checked(64)
    checked.add(1, 8)
    assert checked.has(1, 8)
    assert not checked.has(2, 8)
    assert not checked.has(1, 9)


@given(st.lists(blocks, max_size=40), st.lists(blocks, max_size=40))
def test_nothing_is_invented(added: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    checked = Checked(8)
    for block in added:
        checked.add(*block)
    assert all(block in added for block in asked if checked.has(*block))


def test_of_two_slots_the_older_block_gives_way_and_the_newest_stays() -> None:
    checked = Checked(2)  # one pair, so that every block meets every other
    for offset in (1, 2, 3):
        checked.add(0, offset)
    assert [checked.has(0, offset) for offset in (1, 2, 3)] == [False, True, True]


def test_adding_again_costs_no_slot() -> None:
    checked = Checked(2)
    for offset in (1, 2, 2, 2):
        checked.add(0, offset)
    assert checked.has(0, 1)
    assert checked.has(0, 2)


def test_numbers_beyond_the_table_are_checked_on_every_read() -> None:
    checked = Checked(2)
    checked.add(1 << 24, 1)
    checked.add(1, 1 << 40)
    assert not checked.has(1 << 24, 1)
    assert not checked.has(1, 1 << 40)
    assert not checked.has(2, 0), "an offset too large must not look like another series"
