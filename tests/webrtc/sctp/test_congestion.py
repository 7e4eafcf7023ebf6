"""RFC 9438 and RFC 9406: how the window grows, and when it stops."""

import pytest

from zwerm.webrtc.sctp.congestion import Cubic

SEGMENT = 1_000
RTT = 0.1


def grown(cubic: Cubic, rounds: int, *, now: float = 0.0, rtt: float = RTT) -> float:
    """Acknowledge whole windows; return the time after."""
    for _ in range(rounds):
        now += rtt
        cubic.acknowledged(int(cubic.cwnd), now, rtt, is_limited=True)
    return now


def test_slow_start_doubles_in_each_round() -> None:
    cubic = Cubic(SEGMENT, 10)
    grown(cubic, 4)
    assert cubic.cwnd == 160_000


def test_a_window_that_is_not_filled_does_not_grow() -> None:
    cubic = Cubic(SEGMENT, 10)
    cubic.acknowledged(50_000, 1.0, RTT, is_limited=False)
    assert cubic.cwnd == 10_000


def test_a_loss_takes_three_tenths_and_the_curve_comes_back_to_where_it_was() -> None:
    cubic = Cubic(SEGMENT, 100)
    cubic.lost(has_queue=True)
    assert cubic.cwnd == cubic.ssthresh == 70_000
    k = (30 / 0.4) ** (1 / 3)  # seconds, RFC 9438 section 4.2
    grown(cubic, int(k / RTT) + 1)
    assert cubic.cwnd == pytest.approx(100_000, rel=0.05)


def test_a_loss_without_a_queue_takes_an_eighth() -> None:
    cubic = Cubic(SEGMENT, 100)
    cubic.lost(has_queue=False)
    assert cubic.cwnd == cubic.ssthresh == 87_500


def test_from_where_it_was_reduced_it_grows_a_packet_each_round_trip() -> None:
    """RFC 9438 section 4.3: alpha is 1 again from there on."""
    cubic = Cubic(SEGMENT, 20)
    cubic.lost(has_queue=False)
    cubic.lost(has_queue=False)  # the curve flattens far above: Reno is what grows
    grown(cubic, 6, rtt=0.001)
    before = cubic.cwnd
    assert before > 17_500
    grown(cubic, 1, rtt=0.001)
    assert cubic.cwnd - before == pytest.approx(SEGMENT, rel=0.05)


def test_on_short_paths_it_grows_at_least_as_reno_does() -> None:
    cubic = Cubic(SEGMENT, 20)
    cubic.lost(has_queue=True)
    grown(cubic, 50, rtt=0.001)
    assert cubic.cwnd > 14_000 + 0.5 * 50 * SEGMENT


def test_a_second_loss_below_the_first_gives_way() -> None:
    """RFC 9438 section 4.7: fast convergence."""
    cubic = Cubic(SEGMENT, 100)
    cubic.lost(has_queue=True)
    cubic.lost(has_queue=True)
    assert cubic._w_max == pytest.approx(70_000 * 0.85)


def test_a_timeout_begins_with_one_packet_and_a_second_keeps_the_threshold() -> None:
    cubic = Cubic(SEGMENT, 100)
    cubic.timed_out(is_first=True)
    assert (cubic.cwnd, cubic.ssthresh) == (1_000, 70_000)
    cubic.timed_out(is_first=False)
    assert (cubic.cwnd, cubic.ssthresh) == (1_000, 70_000)


def test_a_needless_reduction_is_taken_back() -> None:
    cubic = Cubic(SEGMENT, 100)
    cubic.lost(has_queue=True)
    cubic.undo()
    assert cubic.cwnd == 100_000
    assert cubic.is_slow_start


def test_idleness_halves_down_to_the_initial_window() -> None:
    cubic = Cubic(SEGMENT, 100)
    cubic.idle(1.0)
    assert cubic.cwnd == 50_000
    cubic.idle(1_000.0)
    assert cubic.cwnd == 10_000
    assert cubic.ssthresh > 10_000


def rounds_of(cubic: Cubic, *round_trips: float) -> None:
    """Ten samples for each round."""
    tsn = 0
    for rtt in round_trips:
        for _ in range(10):
            cubic.measured(rtt, tsn, tsn + 10)
            tsn += 1


def test_a_round_trip_that_rises_makes_slow_start_careful() -> None:
    cubic = Cubic(SEGMENT, 100)
    rounds_of(cubic, 0.1, 0.1, 0.115)
    assert cubic.is_slow_start
    cubic.acknowledged(40_000, 1.0, RTT, is_limited=True)
    assert cubic.cwnd == 110_000  # a quarter of the growth


def test_a_round_trip_that_stays_up_ends_slow_start() -> None:
    cubic = Cubic(SEGMENT, 100)
    rounds_of(cubic, 0.1, 0.1, *[0.115] * 9)
    assert not cubic.is_slow_start


def test_a_false_alarm_is_forgotten() -> None:
    cubic = Cubic(SEGMENT, 100)
    rounds_of(cubic, 0.1, 0.1, 0.115, *[0.1] * 9)
    assert cubic.is_slow_start
    cubic.acknowledged(10_000, 1.0, RTT, is_limited=True)
    assert cubic.cwnd == 110_000


def test_a_round_trip_that_jumps_ends_slow_start_at_once() -> None:
    cubic = Cubic(SEGMENT, 100)
    rounds_of(cubic, 0.1, 0.1, 0.2)
    assert not cubic.is_slow_start
