"""Which TSNs arrived, and when a SACK is due."""

from __future__ import annotations

from zwerm.webrtc.sctp.chunks.sack import Sack
from zwerm.webrtc.sctp.receive_queue import MAX_DUPLICATES, ReceiveQueue

FIRST = 1_000
DELAY = 0.02


def queue(*tsns: int, max_ranges: int = 8) -> ReceiveQueue:
    """With these TSNs, counted from the first."""
    received = ReceiveQueue(FIRST, DELAY, max_ranges)
    for tsn in tsns:
        received.add(FIRST + tsn)
    return received


def sack_of(received: ReceiveQueue, room: int = 1_000) -> Sack:
    return Sack.parse(received.sack(5_000, room)[4:])


def test_in_order_only_the_cumulative_number_moves() -> None:
    received = queue(0, 1, 2)
    assert (received.cumulative, received.has_holes) == (FIRST + 2, False)


def test_a_hole_makes_a_sack_due_and_is_told_in_it() -> None:
    received = queue(0, 2, 3, 6)
    assert received.is_due
    sack = sack_of(received)
    assert (sack.cumulative_tsn, sack.a_rwnd) == (FIRST, 5_000)
    assert list(sack.gaps) == [(2, 3), (6, 6)]
    assert not received.is_due


def test_filling_the_hole_takes_what_waited_behind_it() -> None:
    received = queue(0, 2, 3, 1)
    assert (received.cumulative, received.has_holes) == (FIRST + 3, False)


def test_what_arrived_is_not_new() -> None:
    received = queue(0, 2)
    assert [received.is_new(FIRST + tsn) for tsn in (0, 1, 2, 3)] == [False, True, False, True]


def test_a_hole_too_many_is_not_taken() -> None:
    received = queue(0, 2, 4, max_ranges=2)
    assert not received.add(FIRST + 6)
    assert received.add(FIRST + 5)  # joins one that is there


def test_one_packet_waits_for_the_delay_and_the_second_does_not() -> None:
    received = queue(0)
    received.packet_received(1.0, is_urgent=False)
    assert (received.is_due, received.due_at) == (False, 1.0 + DELAY)
    assert received.is_owed
    received.packet_received(1.001, is_urgent=False)
    assert received.is_due
    sack_of(received)
    assert not received.is_owed
    assert received.due_at == 0.0


def test_the_peers_wish_makes_it_due_at_once() -> None:
    received = queue(0)
    received.packet_received(1.0, is_urgent=True)
    assert received.is_due


def test_duplicates_are_told_once_up_to_a_limit() -> None:
    received = queue(0)
    for _ in range(MAX_DUPLICATES + 5):
        received.duplicate(FIRST)
    assert len(sack_of(received).duplicates) == MAX_DUPLICATES
    assert list(sack_of(received).duplicates) == []


def test_a_sack_leaves_out_what_has_no_room() -> None:
    received = queue(0, 2, 4, 6, 8)
    assert list(sack_of(received, room=16 + 2 * 4).gaps) == [(2, 2), (4, 4)]


def test_what_the_peer_gave_up_counts_as_received() -> None:
    received = queue(0, 4)
    received.skip_to(FIRST + 3)
    assert received.cumulative == FIRST + 4
    received.skip_to(FIRST + 1)  # behind
    assert received.cumulative == FIRST + 4
