"""Epochs and holds: what a collection may take for old."""

from __future__ import annotations

from zwerm.ipfs.blockstore.holds import Holds


def test_the_threshold_is_now_when_nothing_is_held() -> None:
    holds = Holds(5)
    assert holds.threshold() == 6
    assert holds.epoch == 6
    assert holds.oldest() is holds.newest() is None


def test_the_threshold_is_the_start_of_the_oldest_hold() -> None:
    holds = Holds()
    first, second = holds.begin(), holds.begin()
    assert (first, second) == (1, 2)
    assert (holds.oldest(), holds.newest()) == (1, 2)
    assert holds.threshold() == 1
    holds.end(first)
    assert holds.threshold() == 2
    holds.end(second)
    assert holds.threshold() > holds.epoch - 1


def test_a_hold_ends_when_its_work_fails() -> None:
    holds = Holds()
    try:
        with holds.hold():
            assert holds.oldest() is not None
            raise RuntimeError
    except RuntimeError:
        pass
    assert holds.oldest() is None
