"""Packets of a window are spread over the round trip, in bursts a timer can follow."""

import pytest

from zwerm.webrtc.sctp.pacing import Pacer

SEGMENT = 1_000


def test_a_short_round_trip_is_not_paced() -> None:
    pacer = Pacer(SEGMENT, 0.002)
    pacer.update(1e6, 0.001, is_slow_start=True)
    pacer.spend(1e9)
    assert pacer.budget(0.0) > 1e9


def test_a_burst_is_at_most_ten_packets_on_a_slow_path() -> None:
    pacer = Pacer(SEGMENT, 0.002)
    pacer.update(100_000, 0.1, is_slow_start=False)
    assert pacer.budget(100.0) == 10_000
    pacer.spend(10_000)
    assert pacer.budget(100.0) == 0
    assert pacer.next_burst(100.0) == pytest.approx(100.0 + 5_000 / 1_200_000)


@pytest.mark.parametrize(("is_slow_start", "gain"), [(True, 2.0), (False, 1.2)], ids=["slow start", "after"])
def test_the_rate_is_the_window_over_the_round_trip_and_some_more(gain: float, *, is_slow_start: bool) -> None:
    pacer = Pacer(SEGMENT, 0.002)
    pacer.update(1_000_000, 0.1, is_slow_start=is_slow_start)
    sent, now = 0.0, 0.0
    while now < 1.0:
        budget = pacer.budget(now)
        pacer.spend(budget)
        sent += budget
        now = pacer.next_burst(now)
    assert sent == pytest.approx(gain * 10_000_000, rel=0.02)
