"""Resetting and adding streams (RFC 6525), both directions, one request of ours at a time.

A reset of our outgoing streams waits until all their messages have been sent, and names the last TSN; the peer performs
it when it has everything up to there. A reset by the peer waits the same way in here, and its user is told only then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from zwerm.webrtc.sctp.chunks import reconfig
from zwerm.webrtc.sctp.chunks.reconfig import AddStreams, IncomingReset, OutgoingReset, Request, Response
from zwerm.webrtc.sctp.codes import TSN_MASK, ReconfigResult
from zwerm.webrtc.sctp.events import Event, IncomingStreamsReset, OutgoingStreamsReset, StreamsAdded
from zwerm.webrtc.sctp.reassembly import Reassembly
from zwerm.webrtc.sctp.send_queue import SendQueue

MAX_STREAMS: Final = 65_535
_MAX_LISTED: Final = 256  # streams in one request; more follow in the next
_MAX_ADDED: Final = 8  # additions that wait for their turn
_FINAL: Final = frozenset((ReconfigResult.NOTHING_TO_DO, ReconfigResult.PERFORMED))

Tsn: TypeAlias = int  # unwrapped


class Reconfiguration:
    """What is asked and answered. After each call, `take_chunks` says what to send."""

    def __init__(self, local_tsn: int, peer_tsn: int, outbound: int, inbound: int, queue: SendQueue) -> None:
        self.outbound = outbound  # streams
        self.inbound = inbound
        self.attempts = 0  # times the request in flight was sent
        self._queue = queue
        self._next_number = local_tsn & TSN_MASK
        self._request: Request | None = None  # in flight
        self._is_due = False  # the request in flight is to be sent (again)
        self._outgoing: dict[int, None] = {}  # streams to reset, in the order asked
        self._incoming: dict[int, None] = {}
        self._added: list[tuple[int, bool]] = []
        self._peer_number = peer_tsn & TSN_MASK  # that its next request must have
        self._answer: Response | None = None  # to its last request
        self._deferred: OutgoingReset | None = None  # waits for its TSN
        self._responses: list[Response] = []  # to be sent

    def reset_outgoing(self, stream_ids: Iterable[int]) -> None:
        for stream_id in stream_ids:
            self._queue.stream(stream_id).is_resetting = True
            self._outgoing[stream_id] = None

    def reset_incoming(self, stream_ids: Iterable[int]) -> None:
        self._incoming |= dict.fromkeys(stream_ids)

    def add(self, count: int, *, is_outgoing: bool) -> None:
        self._added.append((count, is_outgoing))

    @property
    def is_waiting(self) -> bool:
        """Whether a request is in flight, and the timer must run."""
        return self._request is not None

    @property
    def has_work(self) -> bool:
        """Whether `take_chunks` may give something."""
        return bool(self._is_due or self._responses or self._outgoing or self._incoming or self._added)

    def resend(self) -> None:
        """The timer ran out."""
        self._is_due = self._request is not None

    def take_chunks(self, last_tsn: Tsn) -> list[bytes]:
        """Chunks to send now; `last_tsn` is the last that was given to a chunk."""
        chunks = [reconfig.serialize(response) for response in self._responses]
        self._responses.clear()
        if self._request is None:
            self._request = self._next_request(last_tsn)
            if self._request is not None:
                self._next_number = (self._next_number + 1) & TSN_MASK
                self._is_due = True
                self.attempts = 0
        if self._is_due and self._request is not None:
            self._is_due = False
            self.attempts += 1
            chunks.append(reconfig.serialize(self._request))
        return chunks

    def _next_request(self, last_tsn: Tsn) -> Request | None:
        drained = tuple(one for one in self._outgoing if self._queue.is_drained(one))[:_MAX_LISTED]
        if drained:
            for stream_id in drained:
                del self._outgoing[stream_id]
            return OutgoingReset(
                self._next_number, (self._peer_number - 1) & TSN_MASK, last_tsn & TSN_MASK, tuple(sorted(drained))
            )
        if self._incoming:
            asked = tuple(self._incoming)[:_MAX_LISTED]
            for stream_id in asked:
                del self._incoming[stream_id]
            return IncomingReset(self._next_number, asked)
        if self._added:
            count, is_outgoing = self._added.pop(0)
            return AddStreams(self._next_number, count, is_outgoing)
        return None

    # What the peer says

    def receive(self, parameters: list[Request | Response], cumulative: Tsn, reassembly: Reassembly) -> list[Event]:
        """Take a RE-CONFIG chunk; `cumulative` is the last TSN of the peer's before the first hole."""
        events: list[Event] = []
        for parameter in parameters:
            if isinstance(parameter, Response):
                self._receive_response(parameter, events)
            else:
                self._receive_request(parameter, cumulative, reassembly, events)
        return events

    def _receive_request(self, request: Request, cumulative: Tsn, reassembly: Reassembly, events: list[Event]) -> None:
        number = request.request_number
        if number != self._peer_number:
            if self._answer is not None and number == self._answer.response_number:
                self._responses = [self._answer]  # our answer was lost, or it was to come later
            else:
                self._responses = [Response(number, ReconfigResult.BAD_SEQUENCE_NUMBER)]
            return
        self._peer_number = (number + 1) & TSN_MASK
        match request:
            case OutgoingReset():
                result = self._receive_outgoing_reset(request, cumulative, reassembly, events)
            case IncomingReset():
                wanted = request.streams or tuple(stream.stream_id for stream in self._queue.streams())
                self.reset_outgoing(one for one in wanted if self._queue.find(one) is not None)
                result = ReconfigResult.PERFORMED
            case AddStreams():
                result = self._receive_addition(request, events)
            case _:
                result = ReconfigResult.DENIED  # an association reset: data channels have no use for it
        self._respond(number, result)

    def _respond(self, number: int, result: int) -> None:
        self._answer = Response(number, result)
        self._responses = [self._answer]

    def _receive_outgoing_reset(
        self, request: OutgoingReset, cumulative: Tsn, reassembly: Reassembly, events: list[Event]
    ) -> ReconfigResult:
        if isinstance(self._request, IncomingReset) and request.response_number == self._request.request_number:
            self._request = None  # this is what we asked for
        if self._deferred is not None:
            return ReconfigResult.ALREADY_IN_PROGRESS
        if not _is_reached(request.last_tsn, cumulative):
            self._deferred = request
            return ReconfigResult.IN_PROGRESS
        reassembly.reset(request.streams)
        events.append(IncomingStreamsReset(request.streams))
        return ReconfigResult.PERFORMED

    def perform_deferred(self, cumulative: Tsn, reassembly: Reassembly) -> IncomingStreamsReset | None:
        """Perform the reset that waited, if everything before it has come."""
        request = self._deferred
        if request is None or not _is_reached(request.last_tsn, cumulative):
            return None
        self._deferred = None
        reassembly.reset(request.streams)
        self._respond(request.request_number, ReconfigResult.PERFORMED)
        return IncomingStreamsReset(request.streams)

    @property
    def has_deferred(self) -> bool:
        return self._deferred is not None

    def _receive_addition(self, request: AddStreams, events: list[Event]) -> ReconfigResult:
        if request.is_outgoing:
            if request.streams == 0 or self.inbound + request.streams > MAX_STREAMS:
                return ReconfigResult.DENIED
            self.inbound += request.streams
            events.append(StreamsAdded(self.outbound, self.inbound))
        else:
            if request.streams == 0 or self.outbound + request.streams > MAX_STREAMS or len(self._added) >= _MAX_ADDED:
                return ReconfigResult.DENIED
            self.add(request.streams, is_outgoing=True)
        return ReconfigResult.PERFORMED

    def _receive_response(self, response: Response, events: list[Event]) -> None:
        request = self._request
        if request is None or response.response_number != request.request_number:
            return
        if response.result == ReconfigResult.IN_PROGRESS:
            self.attempts = 1  # the peer lives; the timer goes on and asks again
            return
        self._request = None
        is_performed = response.result in _FINAL
        if isinstance(request, OutgoingReset):
            for stream_id in request.streams:
                stream = self._queue.stream(stream_id)
                if is_performed:
                    stream.restart()
                stream.is_resetting = False
                self._queue.forget(stream_id)
            events.append(OutgoingStreamsReset(request.streams, is_performed))
        elif isinstance(request, AddStreams) and is_performed and request.is_outgoing:
            self.outbound += request.streams
            events.append(StreamsAdded(self.outbound, self.inbound))


def _is_reached(last_tsn: int, cumulative: Tsn) -> bool:
    """Whether the wrapped `last_tsn` is at or before `cumulative`."""
    return (cumulative - last_tsn) & TSN_MASK < 0x80000000
