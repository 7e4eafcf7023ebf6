"""Rates: so many at once, then so many a second, for each key by itself."""

from __future__ import annotations

import pytest

from zwerm.calls.limits import Buckets, Rate, Refused

RATE = Rate(3, 0.5)


def test_a_burst_is_free_and_then_time_has_to_pass() -> None:
    buckets = Buckets(10)
    assert [buckets.take("ring", "ann", RATE, 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]
    assert buckets.take("ring", "bob", RATE, 100.0) == 0.0
    assert buckets.take("mail", "ann", RATE, 100.0) == 0.0
    assert buckets.take("ring", "ann", RATE, 101.0) == 1.0
    assert buckets.take("ring", "ann", RATE, 102.0) == 0.0


def test_nobody_saves_up_more_than_a_burst() -> None:
    buckets = Buckets(10)
    buckets.take("ring", "ann", RATE, 0.0)
    assert [buckets.take("ring", "ann", RATE, 1e6) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]


def test_a_refusal_says_how_long_to_wait_and_looking_costs_nothing() -> None:
    buckets = Buckets(10)
    for _ in range(3):
        assert not buckets.is_empty("ring", "ann", RATE, 0.0)
        buckets.spend("ring", "ann", RATE, 0.0, "too-fast", "Too fast")
    assert buckets.is_empty("ring", "ann", RATE, 0.0)
    with pytest.raises(Refused, match="Too fast") as caught:
        buckets.spend("ring", "ann", RATE, 0.5, "too-fast", "Too fast")
    assert (caught.value.code, caught.value.wait) == ("too-fast", 1.5)


def test_a_flood_of_keys_is_forgotten_from_its_beginning() -> None:
    buckets = Buckets(100)
    for number in range(1_000):
        buckets.take("guess", f"host {number}", RATE, 0.0)
    assert len(buckets) == 100
