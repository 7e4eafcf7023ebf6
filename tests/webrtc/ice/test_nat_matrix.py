"""Eight kinds of home on each side, with and without TURN: every cell as theory says."""

import pytest

from tests.webrtc.ice.nat_matrix import CELLS, Cell, Home, Outcome, expected, table


@pytest.mark.parametrize(
    ("left", "right", "has_turn"),
    CELLS,
    ids=[f"{left.value}-{right.value}-{'turn' if turn else 'alone'}" for left, right, turn in CELLS],
)
def test_a_cell_comes_out_as_theory_says(left: Home, right: Home, has_turn: bool) -> None:
    outcome, took = Cell(left, right, has_turn).outcome()
    assert outcome is expected(left, right, has_turn)
    if outcome is not Outcome.IMPOSSIBLE:
        assert took < 1.0  # of virtual time, signaling included


def test_there_are_128_cells_and_each_outcome_is_among_them() -> None:
    assert len(CELLS) == 128
    assert {expected(*cell) for cell in CELLS} == set(Outcome)


def test_what_cannot_be_relayed_is_direct_or_impossible() -> None:
    assert all(expected(*cell) is not Outcome.RELAYED for cell in CELLS if not cell[2])


def test_the_table_prints_every_home_twice() -> None:
    text = table(has_turn=False)
    assert all(text.count(home.value) == 2 for home in (Home.ADDR, Home.PORT, Home.SYMM, Home.NOUDP))
    assert len(text.splitlines()) == 9
