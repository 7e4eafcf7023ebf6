"""What goes into the next packet, and what a SACK or a timer does to it."""

from __future__ import annotations

from zwerm.webrtc.sctp.chunks.data import Data
from zwerm.webrtc.sctp.chunks.init import Features
from zwerm.webrtc.sctp.codes import ChunkType
from zwerm.webrtc.sctp.message import OutgoingMessage
from zwerm.webrtc.sctp.packet import chunks, has_zero_checksum
from zwerm.webrtc.sctp.rto import RoundTrip
from zwerm.webrtc.sctp.send_queue import SendQueue
from zwerm.webrtc.sctp.sender import Sender

FIRST = 100  # TSN
PACKET = 1_160
RTT = 0.1


def sender(*, rwnd: int = 1_000_000, zero_checksum: bool = True, floor: float = 1_000.0) -> Sender:
    made = Sender(FIRST, PACKET, RoundTrip(1.0, 0.3, 10.0), 10, floor, SendQueue())
    features = Features(partial_reliability=True, zero_checksum=zero_checksum)
    made.establish(bytes(8), rwnd, features)
    return made


def put(one: Sender, size: int, *, max_retransmits: int = -1, expires: float = float("inf")) -> OutgoingMessage:
    message = OutgoingMessage(1, 53, bytes(size), False, max_retransmits, expires, True)  # noqa: FBT003
    one.queue.put(message)
    return message


def packets(one: Sender, now: float = 0.0) -> list[bytes]:
    sent = []
    while packet := one.next_packet(b"", now):
        sent.append(packet)
    one.settle(now)
    return sent


def sack(one: Sender, upto: int, *gaps: tuple[int, int], rwnd: int = 1_000_000, now: float = RTT) -> bool:
    """Numbers are counted from the first TSN, each stop not included."""
    return one.acknowledged(FIRST + upto, [(FIRST + a, FIRST + b) for a, b in gaps], [], rwnd, now)


def tsn_of(packet: bytes) -> int:
    chunk = next(iter(chunks(packet)))
    return Data.parse(chunk.flags, chunk.value).tsn


def test_small_messages_share_a_packet_and_large_ones_fill_them() -> None:
    one = sender()
    for _ in range(5):
        put(one, 100)
    (packet,) = packets(one)
    assert [chunk.type for chunk in chunks(packet)] == [ChunkType.DATA] * 5
    put(one, 3_000)
    assert [len(packet) for packet in packets(one)] == [PACKET, PACKET, 12 + 16 + 3_000 - 2 * (PACKET - 28)]


def test_it_stops_at_the_window_and_goes_on_with_the_acknowledgement() -> None:
    one = sender()
    put(one, 100_000)
    first = packets(one)
    assert 10 <= len(first) <= 11
    assert packets(one) == []
    assert sack(one, 4)
    assert len(packets(one, RTT)) >= 5


def test_a_window_that_the_peer_shut_lets_one_chunk_probe_it() -> None:
    one = sender(rwnd=0)
    put(one, 10_000)
    assert len(packets(one)) == 1
    assert packets(one) == []


def test_the_checksum_is_left_out_only_where_that_was_agreed() -> None:
    for is_agreed in (True, False):
        one = sender(zero_checksum=is_agreed)
        put(one, 10)
        assert has_zero_checksum(packets(one)[0]) is is_agreed


def test_a_lost_chunk_goes_before_new_ones() -> None:
    one = sender()
    put(one, 100_000)
    packets(one)
    assert sack(one, -1, (1, 5))
    assert tsn_of(packets(one, RTT)[0]) == FIRST


def test_what_was_never_sent_is_not_believed() -> None:
    one = sender()
    put(one, 100)
    packets(one)
    assert not sack(one, 5)
    assert not one.outstanding.is_empty
    assert sack(one, -50)  # an old one is harmless


def test_the_retransmission_timer_runs_while_something_is_in_flight() -> None:
    one = sender()
    assert one.t3_due == 0.0
    put(one, 100)
    packets(one, 1.0)
    assert one.t3_due == 2.0
    assert sack(one, 0, now=1.1)
    assert one.t3_due == 0.0
    assert one.has_nothing_to_send


def test_after_a_timeout_everything_goes_again_one_packet_first() -> None:
    one = sender()
    put(one, 5_000)
    sent = packets(one)
    one.timed_out(one.t3_due)
    assert one.congestion.cwnd < 2 * PACKET
    assert one.timeouts == 1
    again = packets(one, 1.0)
    assert again[0] == sent[0]
    assert not one.has_lost_peer(1)
    one.timed_out(3.0)
    assert one.has_lost_peer(1)


def test_an_unanswered_tail_is_probed_before_the_timeout() -> None:
    one = sender()
    put(one, 100)
    packets(one)
    assert sack(one, 0)
    put(one, 3_000)
    packets(one, 1.0)
    assert 1.0 < one.probe_due < one.t3_due
    one.probe()
    (probe,) = packets(one, one.t3_due - 0.01)
    assert tsn_of(probe) == FIRST + 3


def test_a_message_of_no_retransmits_is_given_up_and_the_peer_is_told() -> None:
    one = sender()
    put(one, 100, max_retransmits=0)
    packets(one)
    one.timed_out(1.0)
    assert packets(one, 1.0) == []
    assert one.owes_forward_tsn
    assert one.forward_tsn(1_000)
    assert not one.owes_forward_tsn
    assert sack(one, 0, now=1.2)
    assert one.has_nothing_to_send


def test_a_message_out_of_time_is_given_up_with_what_was_not_sent() -> None:
    one = sender()
    put(one, 50_000, expires=0.5)
    packets(one)
    assert sack(one, 2, now=0.6)
    assert packets(one, 0.6) == []
    assert one.queue.messages == 0
    assert one.owes_forward_tsn


def test_on_a_long_path_packets_are_spread_over_the_round_trip() -> None:
    one = sender(floor=0.002)
    put(one, 1_000_000)
    packets(one)
    assert sack(one, 9)
    burst = packets(one, RTT)
    assert len(burst) < 20
    assert one.pace_due > RTT
    one.pace_due = 0.0
    assert packets(one, RTT + 0.02)
