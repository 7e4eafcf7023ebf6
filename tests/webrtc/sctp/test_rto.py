"""RFC 9260 section 6.3.1: the retransmission timeout follows the round trip."""

import pytest

from zwerm.webrtc.sctp.rto import RoundTrip


def test_the_first_sample_sets_everything() -> None:
    trip = RoundTrip(1.0, 0.3, 10.0)
    assert trip.rto == 1.0
    trip.measure(0.2)
    assert (trip.srtt, trip.rttvar, trip.minimum) == (0.2, 0.1, 0.2)
    assert trip.rto == pytest.approx(0.6)


def test_later_samples_move_it_by_an_eighth() -> None:
    trip = RoundTrip(1.0, 0.3, 10.0)
    trip.measure(0.2)
    trip.measure(0.28)
    assert trip.srtt == pytest.approx(0.21)
    assert trip.rttvar == pytest.approx(0.095)
    assert trip.latest == 0.28


def test_it_stays_between_its_bounds() -> None:
    trip = RoundTrip(1.0, 0.3, 10.0)
    trip.measure(0.001)
    assert trip.rto == 0.3
    for _ in range(10):
        trip.back_off()
    assert trip.rto == 10.0


def test_a_sample_well_above_the_least_says_that_there_is_a_queue() -> None:
    trip = RoundTrip(1.0, 0.3, 10.0)
    trip.measure(0.1)
    assert not trip.has_queue
    trip.measure(0.114)
    assert not trip.has_queue
    trip.measure(0.115)
    assert trip.has_queue
