"""Every pair of homes behind real translators, with and without TURN, as theory says; cells of IPv6 and TCP too."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.netlab.homes import Kind, wide_network
from tests.netlab.matrix import CELLS, PAIRS, Cell, relay_in, run_cells, table, try_cell
from tests.netlab.meeting import Selected
from tests.netlab.namespace import resident_of
from tests.webrtc.ice.nat_matrix import Outcome

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nat-matrix")]

Results = dict[Cell, tuple[Outcome, Selected | None]]


@pytest.fixture(scope="module")
def results() -> Results:
    found = asyncio.run(run_cells(CELLS))
    for has_turn in (False, True):
        print(f"\n{'with' if has_turn else 'without'} TURN\n{table(found, has_turn=has_turn)}")
    return found


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_comes_out_as_theory_says(results: Results, cell: Cell) -> None:
    outcome, pair = results[cell]
    assert outcome is cell.expected, pair


def test_there_are_36_pairs_twice_and_each_outcome_is_among_them() -> None:
    assert (len(PAIRS), len(CELLS)) == (36, 72)
    assert {cell.expected for cell in CELLS} == set(Outcome)


def test_without_udp_a_home_reaches_an_open_one_by_tcp(results: Results) -> None:
    _, pair = results[Cell(Kind.NONE, Kind.NOUDP, has_turn=False)]
    assert pair is not None
    assert pair.protocol == "tcp"


def test_the_table_has_every_pair_once(results: Results) -> None:
    text = table(results, has_turn=True)
    assert sum(text.count(outcome.value) for outcome in Outcome) == 36


SIX = [
    (Kind.SYMM, Kind.SYMM, True, True, False, Outcome.DIRECT),
    (Kind.SYMM, Kind.PORT, True, True, True, Outcome.DIRECT),
    (Kind.NOUDP, Kind.NOUDP, True, True, False, Outcome.DIRECT),  # its rules are for IPv4
    (Kind.SYMM, Kind.PORT, True, False, False, Outcome.IMPOSSIBLE),
    (Kind.SYMM, Kind.PORT, False, True, True, Outcome.RELAYED),
]


@pytest.mark.parametrize(
    ("left", "right", "left6", "right6", "has_turn", "expected"),
    SIX,
    ids=[f"{a.value}{'6' * a6}-{b.value}{'6' * b6}-{'turn' if turn else 'alone'}" for a, b, a6, b6, turn, _ in SIX],
)
async def test_ipv6_goes_around_translators_where_both_have_it(
    left: Kind, right: Kind, left6: bool, right6: bool, has_turn: bool, expected: Outcome
) -> None:
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network())
        homes = (network.join(left, has_ipv6=left6), network.join(right, has_ipv6=right6))
        core, *sides = (stack.enter_context(resident_of(one)) for one in (network.core, *(home.host for home in homes)))
        async with relay_in(core):
            outcome, pair = await try_cell(*sides, has_turn=has_turn, busy=asyncio.Semaphore())
    assert outcome is expected
    if expected is Outcome.DIRECT:
        assert pair is not None
        assert pair.family == 6
