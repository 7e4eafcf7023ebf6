"""Streams reset and added, one request at a time."""

from __future__ import annotations

from collections import deque

from zwerm.webrtc.sctp.chunks import reconfig
from zwerm.webrtc.sctp.chunks.reconfig import AddStreams, IncomingReset, OutgoingReset, Request, Response
from zwerm.webrtc.sctp.codes import ReconfigResult
from zwerm.webrtc.sctp.events import Event, IncomingStreamsReset, OutgoingStreamsReset, StreamsAdded
from zwerm.webrtc.sctp.message import OutgoingMessage
from zwerm.webrtc.sctp.reassembly import Reassembly
from zwerm.webrtc.sctp.reconfiguration import Reconfiguration
from zwerm.webrtc.sctp.send_queue import SendQueue

OURS, THEIRS = 100, 500  # first numbers of requests


class Bench:
    """One side."""

    def __init__(self) -> None:
        self.queue = SendQueue()
        self.it = Reconfiguration(OURS, THEIRS, 100, 100, self.queue)
        self.reassembly = Reassembly(deque(), 1_000, 4, 8, has_interleaving=False)

    def asked(self, last_tsn: int = 50) -> list[Request | Response]:
        return [one for chunk in self.it.take_chunks(last_tsn) for one in reconfig.parse(chunk[4:])]

    def receive(self, parameter: Request | Response, cumulative: int = 10) -> list[Event]:
        return self.it.receive([parameter], cumulative, self.reassembly)


def test_a_reset_waits_until_what_was_sent_on_the_stream_has_gone_out() -> None:
    bench = Bench()
    bench.queue.put(OutgoingMessage(7, 53, b"last words", False, -1, float("inf"), True))  # noqa: FBT003
    bench.it.reset_outgoing([7])
    assert bench.asked() == []
    assert bench.it.has_work
    bench.queue.produce(1_000, 0.0, is_fresh=True)
    assert bench.asked() == [OutgoingReset(OURS, THEIRS - 1, 50, (7,))]
    assert bench.it.is_waiting


def test_one_request_is_in_flight_and_the_next_follows_its_answer() -> None:
    bench = Bench()
    bench.it.reset_outgoing([1])
    bench.it.add(5, is_outgoing=True)
    (first,) = bench.asked()
    assert isinstance(first, OutgoingReset)
    assert bench.asked() == []
    assert bench.receive(Response(OURS, ReconfigResult.PERFORMED)) == [OutgoingStreamsReset((1,), is_performed=True)]
    assert bench.asked() == [AddStreams(OURS + 1, 5, is_outgoing=True)]
    assert bench.receive(Response(OURS + 1, ReconfigResult.PERFORMED)) == [StreamsAdded(105, 100)]


def test_a_request_is_repeated_until_it_is_answered() -> None:
    bench = Bench()
    bench.it.reset_incoming([3])
    asked = bench.asked()
    bench.it.resend()
    assert bench.asked() == asked
    assert bench.it.attempts == 2


def test_a_refusal_leaves_the_stream_as_it_was() -> None:
    bench = Bench()
    bench.it.reset_outgoing([1])
    bench.asked()
    assert bench.receive(Response(OURS, ReconfigResult.DENIED)) == [OutgoingStreamsReset((1,), is_performed=False)]
    assert not bench.it.is_waiting


def test_in_progress_is_no_answer_yet() -> None:
    bench = Bench()
    bench.it.reset_outgoing([1])
    bench.asked()
    assert bench.receive(Response(OURS, ReconfigResult.IN_PROGRESS)) == []
    assert bench.it.is_waiting


def test_a_reset_of_the_peer_is_performed_when_everything_before_it_has_come() -> None:
    bench = Bench()
    assert bench.receive(OutgoingReset(THEIRS, OURS - 1, 20, (4,)), cumulative=10) == []
    assert bench.asked() == [Response(THEIRS, ReconfigResult.IN_PROGRESS)]
    assert bench.it.has_deferred
    assert bench.it.perform_deferred(19, bench.reassembly) is None
    assert bench.it.perform_deferred(20, bench.reassembly) == IncomingStreamsReset((4,))
    assert bench.asked() == [Response(THEIRS, ReconfigResult.PERFORMED)]


def test_a_request_twice_is_answered_as_the_first_time_and_done_once() -> None:
    bench = Bench()
    request = OutgoingReset(THEIRS, OURS - 1, 5, (4,))
    assert bench.receive(request) == [IncomingStreamsReset((4,))]
    answer = bench.asked()
    assert bench.receive(request) == []
    assert bench.asked() == answer


def test_a_request_out_of_turn_is_refused() -> None:
    bench = Bench()
    assert bench.receive(IncomingReset(THEIRS + 9)) == []
    assert bench.asked() == [Response(THEIRS + 9, ReconfigResult.BAD_SEQUENCE_NUMBER)]


def test_the_peers_wish_resets_streams_of_ours_that_exist() -> None:
    bench = Bench()
    bench.queue.stream(2)
    bench.receive(IncomingReset(THEIRS, (2, 9)))
    answer, request = bench.asked()
    assert answer == Response(THEIRS, ReconfigResult.PERFORMED)
    assert isinstance(request, OutgoingReset)
    assert request.streams == (2,)


def test_more_streams_than_there_can_be_are_refused() -> None:
    bench = Bench()
    assert bench.receive(AddStreams(THEIRS, 65_500, is_outgoing=True)) == []
    assert bench.asked() == [Response(THEIRS, ReconfigResult.DENIED)]
    assert bench.receive(AddStreams(THEIRS + 1, 20, is_outgoing=True)) == [StreamsAdded(100, 120)]
