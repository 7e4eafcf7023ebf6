"""What we do is shown at once, and is what the authority says in the end."""

from __future__ import annotations

import pytest

from tests.sim.profile import Profile
from tests.webrtc.sync.test_authority import over_every_path
from tests.webrtc.sync.world import TICK, World
from zwerm.webrtc.sync.authority import InputArrived
from zwerm.webrtc.sync.prediction import Predictor


def step(state: int, given: int) -> int:
    """Not commutative, so that order and number of inputs matter."""
    return (state * 31 + given) % 4_096


def test_inputs_show_at_once_and_are_applied_again_to_what_the_authority_says() -> None:
    predictor = Predictor(0, step)
    assert [predictor.apply(number, 5) for number in (1, 2, 3)] == [5, 160, 869]
    assert predictor.reconcile(5, 1) == 869
    assert predictor.pending == 2
    assert predictor.reconcile(1_000, 2) == step(1_000, 5)
    assert predictor.reconcile(7, 1) == step(1_000, 5), "older than what is known"
    assert predictor.reconcile(9, 3) == 9
    assert predictor.pending == 0


def test_inputs_that_wait_are_bounded() -> None:
    predictor = Predictor(0, step, max_pending=4)
    for number in range(1, 10):
        predictor.apply(number, 1)
    assert predictor.pending == 4


@over_every_path
@pytest.mark.parametrize("seed", range(2))
def test_over_every_path_both_sides_end_in_the_same_state(profile: Profile, seed: int) -> None:
    world = World(profile, seed)
    ours = Predictor(0, step)
    theirs = 0
    corrections = 0
    for number in range(1, 181):
        given = number * 7 % 251
        ours.apply(world.follower.give(bytes([given]), world.clock.now), given)
        world.clock.run_for(TICK)
        world.follower.handle_timeout(world.clock.now)
        theirs, corrections = exchange(world, ours, theirs, corrections)
    for _ in range(120):
        world.clock.run_for(TICK)
        theirs, corrections = exchange(world, ours, theirs, corrections)
    assert ours.pending == 0
    assert ours.state == theirs
    assert corrections == 0, "the same steps in the same order are never corrected"


def exchange(world: World, ours: Predictor[int, int], theirs: int, corrections: int) -> tuple[int, int]:
    """Let the authority step and publish, and the follower reconcile."""
    inputs: list[InputArrived] = world.taken_inputs()
    for event in inputs:
        theirs = step(theirs, event.data[0])
        world.authority.processed = event.number
    world.tick += 1
    world.authority.publish({0: (theirs / 1_000 - 1, 0, 0)}, world.tick, world.clock.now)
    world.pump()
    for snapshot in world.taken_snapshots():
        before = ours.state
        if snapshot.is_newest and ours.reconcile(snapshot.state[0][0], snapshot.processed) != before:
            corrections += 1
    return theirs, corrections
