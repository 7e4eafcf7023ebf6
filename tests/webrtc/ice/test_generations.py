"""Which session carries data around a restart, and which is forgotten when."""

from __future__ import annotations

import pytest

from tests.webrtc.ice.two import Two
from tests.webrtc.ice.world import run_until
from zwerm.webrtc.ice.generations import PAUSE, Generations


def connected() -> tuple[Two, Generations]:
    two = Two()
    two.connect()
    return two, two.left.agent._generations


def test_the_session_before_carries_data_until_the_present_one_has_a_pair() -> None:
    two, generations = connected()
    before, pair = generations.present, generations.carrier(two.clock.now)
    assert pair is not None
    two.left.do(two.left.agent.restart)
    assert generations.all() == [generations.present, before]
    assert generations.carrier(two.clock.now) is pair
    assert generations.valid_pair(pair.path) is pair
    assert generations.has_validated(pair.remote.address, None)
    assert not generations.has_validated(pair.remote.address, ("192.0.2.1", 1))


def test_a_session_without_a_pair_is_not_kept() -> None:
    two, generations = connected()
    before = generations.present
    for _ in range(2):
        two.left.do(two.left.agent.restart)
        assert generations.retired is before


def test_a_restart_that_is_taken_back_leaves_the_session_before() -> None:
    two, generations = connected()
    before = generations.present
    assert not generations.undo(two.clock.now)
    two.left.do(two.left.agent.restart)
    assert generations.undo(two.clock.now)
    assert generations.all() == [before]


def test_what_is_forgotten_carries_nothing() -> None:
    two, generations = connected()
    pair = generations.carrier(two.clock.now)
    assert pair is not None
    two.left.do(two.left.agent.restart)
    generations.forget_retired()
    generations.forget_retired()
    assert generations.carrier(two.clock.now) is None
    assert generations.valid_pair(pair.path) is None


def test_data_is_held_back_from_the_exchange_of_credentials_until_a_new_pair_is_nominated() -> None:
    two, generations = connected()
    two.left.do(two.left.agent.restart)
    assert not two.left.agent.is_paused  # the other side knows of nothing yet
    two.signaling.offer_answer()
    run_until(two.clock, lambda: two.left.agent.is_paused, 1.0)
    assert generations.present.selected is None
    run_until(two.clock, lambda: not two.left.agent.is_paused, PAUSE / 2)
    assert generations.present.selected is not None
    assert generations.present.selected.is_nominated
    assert two.exchange()


def test_data_goes_on_over_the_path_before_when_no_pair_comes_in_time() -> None:
    two, generations = connected()
    pair = generations.carrier(two.clock.now)
    two.left.do(two.left.agent.restart)
    two.signaling.offer_answer()
    run_until(two.clock, lambda: two.left.agent.is_paused, 1.0)
    two.hosts[1].interface.cut()
    start = two.clock.now
    run_until(two.clock, lambda: not two.left.agent.is_paused, 2 * PAUSE)
    assert two.clock.now - start == pytest.approx(PAUSE)
    assert generations.carrier(two.clock.now) is pair


def test_a_restart_that_is_taken_back_holds_nothing_back() -> None:
    two, generations = connected()
    two.left.do(two.left.agent.restart)
    generations.exchanged(two.clock.now)
    assert generations.is_paused
    assert generations.undo(two.clock.now)
    assert not generations.is_paused
