"""Chunks in flight: what SACKs take away, what is lost, what turns out not to have been."""

from __future__ import annotations

from zwerm.webrtc.sctp.codes import BEGIN, END
from zwerm.webrtc.sctp.message import ACKNOWLEDGED, LOST, OutgoingMessage, SentChunk
from zwerm.webrtc.sctp.outstanding import Outcome, Outstanding
from zwerm.webrtc.sctp.rto import RoundTrip

FIRST = 100  # TSN
SIZE = 1_000
RTT = 0.1


def sent(count: int, *, now: float = 0.0) -> tuple[Outstanding, list[SentChunk]]:
    """So many chunks, each a message and a packet."""
    outstanding = Outstanding(FIRST)
    chunks = []
    for _ in range(count):
        message = OutgoingMessage(1, 53, bytes(SIZE), False, -1, float("inf"), True)  # noqa: FBT003
        chunk = SentChunk(message, bytes(SIZE), 0, SIZE, BEGIN | END, 0)
        outstanding.send(chunk, now)
        outstanding.packets += 1
        chunks.append(chunk)
    return outstanding, chunks


def round_trip() -> RoundTrip:
    trip = RoundTrip(1.0, 0.3, 10.0)
    trip.measure(RTT)
    return trip


def acknowledge(outstanding: Outstanding, cumulative: int, *gaps: tuple[int, int], now: float = RTT) -> Outcome:
    """Gaps are TSNs counted from the first, each stop not included."""
    return outstanding.acknowledge(FIRST + cumulative, [(FIRST + a, FIRST + b) for a, b in gaps], now)


def test_a_cumulative_acknowledgement_frees_what_was_held_and_measures_the_round_trip() -> None:
    outstanding, _ = sent(4)
    outcome = acknowledge(outstanding, 1)
    assert (outcome.acknowledged, outcome.is_advanced, outcome.rtt) == (2 * SIZE, True, RTT)
    assert (outstanding.flight, outstanding.held, outstanding.first_tsn) == (2 * SIZE, 2 * SIZE, FIRST + 2)


def test_gaps_count_once_however_often_they_are_told() -> None:
    outstanding, chunks = sent(4)
    assert acknowledge(outstanding, -1, (2, 4)).acknowledged == 2 * SIZE
    assert acknowledge(outstanding, -1, (2, 4)).acknowledged == 0
    assert [chunk.state == ACKNOWLEDGED for chunk in chunks] == [False, False, True, True]
    assert outstanding.held == 4 * SIZE  # until it is cumulative


def test_a_sack_of_what_was_never_sent_is_not_plausible() -> None:
    outstanding, _ = sent(4)
    assert outstanding.is_plausible(FIRST + 3, [])
    assert not outstanding.is_plausible(FIRST + 4, [])
    assert not outstanding.is_plausible(FIRST, [(FIRST + 2, FIRST + 9)])
    assert not outstanding.is_plausible(FIRST, [(FIRST + 1, FIRST + 2)])  # no hole before it


def test_three_later_packets_make_a_loss_and_two_a_wait() -> None:
    outstanding, chunks = sent(4)
    acknowledge(outstanding, -1, (1, 3))
    assert outstanding.find_losses(RTT, round_trip()) == []
    assert outstanding.reorder_due > RTT
    acknowledge(outstanding, -1, (1, 4))
    assert outstanding.find_losses(RTT, round_trip()) == [chunks[0]]
    assert (chunks[0].state, outstanding.lost_bytes, outstanding.flight) == (LOST, SIZE, 0)


def test_what_two_overtook_is_lost_when_the_wait_is_over() -> None:
    outstanding, chunks = sent(4)
    acknowledge(outstanding, -1, (1, 3))
    outstanding.find_losses(RTT, round_trip())
    assert outstanding.find_losses(outstanding.reorder_due, round_trip()) == [chunks[0]]


def test_a_lost_chunk_goes_again_and_no_round_trip_is_measured_by_it() -> None:
    outstanding, chunks = sent(4)
    acknowledge(outstanding, -1, (1, 4))
    outstanding.find_losses(RTT, round_trip())
    assert outstanding.next_lost() is chunks[0]
    outstanding.resend(chunks[0], 0.2)
    assert (outstanding.next_lost(), outstanding.flight, chunks[0].transmits) == (None, SIZE, 2)
    assert acknowledge(outstanding, 3, now=0.3).rtt == 0.0  # Karn
    assert outstanding.is_empty


def test_losses_that_arrived_after_all_are_found_to_have_been_none() -> None:
    outstanding, chunks = sent(5)
    acknowledge(outstanding, -1, (1, 5))
    outstanding.begin_recovery(outstanding.find_losses(RTT, round_trip()))
    outcome = acknowledge(outstanding, 4, now=RTT)
    assert outcome.is_spurious
    assert outstanding.lost_bytes == 0
    assert chunks[0].state == ACKNOWLEDGED


def test_a_duplicate_report_of_what_was_sent_twice_says_the_same() -> None:
    outstanding, chunks = sent(5)
    acknowledge(outstanding, -1, (1, 5))
    outstanding.begin_recovery(outstanding.find_losses(RTT, round_trip()))
    outstanding.resend(chunks[0], 0.2)
    outcome = acknowledge(outstanding, 4, now=0.25)
    outstanding.duplicated([FIRST], outcome)
    assert outcome.is_spurious


def test_a_peer_that_takes_back_what_it_said_is_sent_it_again() -> None:
    outstanding, chunks = sent(4)
    acknowledge(outstanding, -1, (1, 2))
    acknowledge(outstanding, 0)  # cumulative up to the gap, and the gap is gone
    assert chunks[1].state == LOST


def test_a_timeout_loses_everything_in_flight_lowest_first() -> None:
    outstanding, chunks = sent(3)
    acknowledge(outstanding, -1, (1, 2))
    assert outstanding.lose_all() == [chunks[0], chunks[2]]
    assert (outstanding.flight, outstanding.lost_bytes) == (0, 2 * SIZE)
    assert outstanding.next_lost() is chunks[0]


def test_the_probe_is_the_last_chunk_in_flight() -> None:
    outstanding, chunks = sent(3)
    assert outstanding.probe(1.0) is chunks[2]
    assert chunks[2].transmits == 2
    acknowledge(outstanding, 2)
    assert outstanding.probe(1.0) is None


def test_what_is_given_up_moves_the_point_that_the_peer_is_told() -> None:
    outstanding, chunks = sent(3)
    outstanding.abandon(chunks[0].message, has_rest=False)
    assert outstanding.advance()
    assert outstanding.advanced == FIRST
    assert outstanding.skipped(10) == (FIRST, [chunks[0].message])
    assert outstanding.flight == 2 * SIZE


def test_a_message_cut_short_spends_a_number_on_its_end() -> None:
    outstanding, chunks = sent(1)
    outstanding.abandon(chunks[0].message, has_rest=True)
    assert outstanding.next_tsn == FIRST + 2
    assert outstanding.advance()
    assert outstanding.advanced == FIRST + 1


def test_thousands_acknowledged_leave_a_short_list() -> None:
    outstanding, _ = sent(1_000)
    acknowledge(outstanding, 998)
    assert len(outstanding._chunks) == 1
    assert outstanding.held == SIZE
