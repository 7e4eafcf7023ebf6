"""What is shown between states: smooth, a little late, and never far beyond what is known."""

from __future__ import annotations

import itertools
import math

import pytest

from tests.sim.profile import CELLULAR, WIFI, Profile
from tests.webrtc.sync.things import SCHEMA
from tests.webrtc.sync.world import TICK, World
from zwerm.webrtc.sync.interpolation import InterpolationBuffer, Playout
from zwerm.webrtc.sync.schema import Field, Schema

LINE = Schema((Field("x", 16, step=0.01), Field("turn", 8, step=1.0, wraps=True)))
PLAYOUT = Playout(tick=0.1, minimum_delay=0.1, maximum_delay=0.5, extrapolation=0.1)


def filled(*states: tuple[int, float, float], late: float = 0.0) -> InterpolationBuffer:
    buffer = InterpolationBuffer(LINE, PLAYOUT)
    for tick, x, turn in states:
        buffer.add(tick, LINE.quantise({1: (x, turn)}), tick * 0.1 + late)
    return buffer


def test_values_are_drawn_between_the_state_before_and_the_one_after() -> None:
    buffer = filled((0, 0.0, 0), (1, 1.0, 10), (2, 3.0, 20))
    assert buffer.delay == pytest.approx(0.1)
    shown = [buffer.sample(now)[1] for now in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3)]
    assert [x for x, _ in shown] == pytest.approx([0, 0, 0.5, 1, 2, 3])
    assert [turn for _, turn in shown] == pytest.approx([0, 0, 5, 10, 15, 20])


def test_values_go_on_for_a_moment_and_then_stand_still() -> None:
    buffer = filled((0, 0.0, 0), (1, 1.0, 0))
    assert buffer.sample(0.25)[1][0] == pytest.approx(1.5)
    assert [buffer.sample(now)[1][0] for now in (0.3, 99.0)] == pytest.approx([2.0, 2.0])


def test_angles_go_the_short_way_around() -> None:
    buffer = filled((0, 0.0, 250), (1, 0.0, 6))
    assert [buffer.sample(now)[1][1] for now in (0.125, 0.15, 0.175)] == pytest.approx([253, 0, 3])


def test_states_out_of_order_and_twice_are_sorted() -> None:
    in_order, mixed = filled((0, 0, 0), (1, 1, 0), (2, 2, 0)), filled((0, 0, 0), (2, 2, 0), (1, 1, 0), (1, 1, 0))
    assert in_order.sample(0.27) == mixed.sample(0.27)


def test_nothing_and_one_state_are_shown_as_they_are() -> None:
    assert InterpolationBuffer(LINE, PLAYOUT).sample(1.0) == {}
    assert filled((5, 2.0, 7)).sample(99.0) == {1: (2.0, 7.0)}


def test_things_appear_and_go_with_the_state_that_says_so() -> None:
    buffer = InterpolationBuffer(LINE, PLAYOUT)
    buffer.add(0, {1: (0, 0)}, 0.0)
    buffer.add(1, {2: (100, 0)}, 0.1)
    assert set(buffer.sample(0.15)) == {1}
    assert set(buffer.sample(0.21)) == {2}


def test_states_that_are_kept_are_bounded() -> None:
    buffer = InterpolationBuffer(LINE, Playout(tick=0.1, max_states=8))
    for tick in range(1_000):
        buffer.add(tick, {1: (tick, 0)}, tick * 0.1)
    assert buffer.sample(0.0)[1][0] == pytest.approx(9.92)


@pytest.mark.parametrize("profile", [WIFI, CELLULAR], ids=["wifi", "cellular"])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_shown_over_a_bad_path_moves_smoothly(profile: Profile, seed: int) -> None:
    """A thing in a circle moves 0.025 in a sixtieth of a second; what is shown never jumps by three times that."""
    world = World(profile, seed)
    buffer = InterpolationBuffer(SCHEMA, Playout(tick=TICK))
    world.on_snapshot = lambda snapshot: buffer.add(snapshot.tick, snapshot.state, world.clock.now)
    world.run(2.0)
    shown = []
    for frame in range(240):
        if frame % 2 == 0:
            world.publish()
        world.clock.run_for(TICK / 2)
        shown.append(buffer.sample(world.clock.now)[0])
    steps = [math.dist(a[:2], b[:2]) for a, b in itertools.pairwise(shown)]
    assert max(steps) < 3 * 0.0125 + 0.01
