"""Messages that wait to be sent, by stream, and which goes next (RFC 8260 section 3.6, weighted fair queueing).

Each stream has a virtual time that advances by what it sent over its weight; the one that is furthest behind goes next.
Without I-DATA a message that has begun goes on to its end, since its chunks must have consecutive TSNs; with I-DATA the
choice is made anew for each chunk.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.sctp.codes import BEGIN, END, UNORDERED
from zwerm.webrtc.sctp.events import BufferedAmountLow
from zwerm.webrtc.sctp.message import NOT_STARTED, OutgoingMessage, SentChunk

if TYPE_CHECKING:
    from mypy_extensions import i64

DEFAULT_WEIGHT: Final = 256  # RFC 8831 section 6.4: "normal"

_SSN_MASK: Final = 0xFFFF
_MID_MASK: Final = 0xFFFFFFFF


class OutgoingStream:
    """What one stream has to send, and its counters."""

    __slots__ = (
        "buffered",
        "finish",
        "is_active",
        "is_resetting",
        "messages",
        "next_mid",
        "next_ssn",
        "next_unordered_mid",
        "stream_id",
        "threshold",
        "weight",
    )

    def __init__(self, stream_id: int) -> None:
        self.stream_id: i64 = stream_id
        self.messages: deque[OutgoingMessage] = deque()
        self.weight: float = float(DEFAULT_WEIGHT)
        self.finish: float = 0.0  # virtual time at which what it sent so far is paid for
        self.is_active: bool = False  # in the schedule
        self.is_resetting: bool = False  # takes no messages until the reset is answered
        self.buffered: i64 = 0  # bytes that were not sent yet
        self.threshold: i64 = -1  # bytes; falling to it is told; -1: never
        self.next_ssn: i64 = 0
        self.next_mid: i64 = 0
        self.next_unordered_mid: i64 = 0

    def restart(self) -> None:
        """Count messages from zero."""
        self.next_ssn = self.next_mid = self.next_unordered_mid = 0
        self.is_resetting = False


class SendQueue:
    """All streams that send. `has_interleaving` is set once the handshake has told."""

    __slots__ = (
        "_current",
        "_number",
        "_streams",
        "_virtual",
        "_waiting",
        "buffered",
        "expired",
        "has_interleaving",
        "low",
        "may_abandon",
        "messages",
    )

    def __init__(self) -> None:
        self._streams: dict[int, OutgoingStream] = {}
        self._waiting: list[tuple[float, int, OutgoingStream]] = []  # heap of active streams but the current
        self._current: OutgoingStream | None = None
        self._virtual: float = 0.0
        self._number: i64 = 0  # of entries of the heap: makes ties first come, first served
        self.has_interleaving: bool = False
        self.may_abandon: bool = False  # the peer has partial reliability: what has begun may be given up
        self.buffered: i64 = 0  # bytes of all streams
        self.messages: i64 = 0  # of all streams
        self.expired: list[OutgoingMessage] = []  # begun, out of time, cut short: their chunks are to be given up
        self.low: list[int] = []  # streams that fell to their threshold; whoever tells the owner empties it

    def stream(self, stream_id: int) -> OutgoingStream:
        """Return the stream, made on first use."""
        stream = self._streams.get(stream_id)
        if stream is None:
            stream = OutgoingStream(stream_id)
            self._streams[stream_id] = stream
        return stream

    def streams(self) -> list[OutgoingStream]:
        return list(self._streams.values())

    def find(self, stream_id: int) -> OutgoingStream | None:
        return self._streams.get(stream_id)

    def forget(self, stream_id: int) -> None:
        """Drop a stream that was reset and is empty: it costs nothing any more."""
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.messages and not stream.is_active:
            del self._streams[stream_id]

    def put(self, message: OutgoingMessage) -> None:
        stream = self.stream(message.stream_id)
        stream.messages.append(message)
        stream.buffered += message.unsent
        self.buffered += message.unsent
        self.messages += 1
        if not stream.is_active:
            self._activate(stream)

    def append(self, message: OutgoingMessage, data: bytes, *, is_last: bool) -> None:
        """Give the next part of a message that is being sent.

        Raises:
            LocalProtocolError: it was ended already, or the last part is empty: an end needs a byte to travel with.
        """
        if message.is_ended:
            raise LocalProtocolError("a message that was ended takes no more parts")
        if is_last and not data and not message.unsent:
            raise LocalProtocolError("the last part of a message is empty")
        if message.is_abandoned:
            return
        size = len(data)
        if size:
            if message.offset == len(message.data) and message.more is None:
                message.data, message.offset = data, 0
            else:
                if message.more is None:
                    message.more = deque()
                message.more.append(data)
        message.is_ended = is_last
        message.unsent += size
        stream = self.stream(message.stream_id)
        stream.buffered += size
        self.buffered += size
        if not stream.is_active:
            self._activate(stream)

    def _activate(self, stream: OutgoingStream) -> None:
        stream.is_active = True
        stream.finish = max(stream.finish, self._virtual)
        self._number += 1
        heappush(self._waiting, (stream.finish, self._number, stream))

    def produce(self, room: i64, now: float, *, is_fresh: bool) -> SentChunk | None:
        """Cut the next chunk of at most `room` bytes of payload, or None.

        In a packet that is not fresh a message is not cut merely to fill a small rest.
        """
        while True:
            stream = self._current
            if stream is None:
                if not self._waiting:
                    return None
                stream = heappop(self._waiting)[2]
                self._virtual = stream.finish
                self._current = stream
            message = self._head(stream, now)
            if message is None:
                continue
            size: i64 = len(message.data) - message.offset
            if size > room:
                if not is_fresh and room < 512:
                    return None
                size = room
            return self._cut(stream, message, size)

    def _head(self, stream: OutgoingStream, now: float) -> OutgoingMessage | None:
        """The message to go on with; None when the schedule is to be asked again."""
        while stream.messages:
            message = stream.messages[0]
            if message.number == NOT_STARTED:
                if message.expires <= now:
                    stream.messages.popleft()
                    self.messages -= 1
                    self._sent(stream, message.unsent)
                    message.is_abandoned = True
                    continue
            elif message.expires <= now and self.may_abandon:
                self.discard(message)
                self.expired.append(message)
                continue
            if message.offset == len(message.data) and message.more is not None:
                message.data, message.offset = message.more.popleft(), 0
                if not message.more:
                    message.more = None
            if message.unsent:
                return message
            break  # its next part is not known yet
        stream.is_active = False
        self._current = None
        return None

    def _cut(self, stream: OutgoingStream, message: OutgoingMessage, size: i64) -> SentChunk:
        flags: i64 = UNORDERED if message.is_unordered else 0
        if message.number == NOT_STARTED:
            flags |= BEGIN
            self._number_message(stream, message)
        message.unsent -= size
        start = message.offset
        message.offset += size
        chunk = SentChunk(message, message.data, start, size, flags, message.fsn)
        message.fsn += 1
        is_over = message.is_ended and message.unsent == 0
        if is_over:
            chunk.flags |= END
            message.data = b""
            message.offset = 0
            stream.messages.popleft()
            self.messages -= 1
        self._sent(stream, size)
        stream.finish += float(size) / stream.weight
        if (is_over or self.has_interleaving) and self._waiting:
            self._current = None
            self._number += 1
            heappush(self._waiting, (stream.finish, self._number, stream))
        return chunk

    def _number_message(self, stream: OutgoingStream, message: OutgoingMessage) -> None:
        if not self.has_interleaving:
            message.number = stream.next_ssn
            if not message.is_unordered:
                stream.next_ssn = (stream.next_ssn + 1) & _SSN_MASK
        elif message.is_unordered:
            message.number = stream.next_unordered_mid
            stream.next_unordered_mid = (stream.next_unordered_mid + 1) & _MID_MASK
        else:
            message.number = stream.next_mid
            stream.next_mid = (stream.next_mid + 1) & _MID_MASK

    def _sent(self, stream: OutgoingStream, size: i64) -> None:
        before = stream.buffered
        stream.buffered = before - size
        self.buffered -= size
        if before > stream.threshold >= stream.buffered:
            self.low.append(stream.stream_id)

    def discard(self, message: OutgoingMessage) -> bool:
        """Drop what is left of a message that was given up; return whether chunks were still to come."""
        stream = self._streams.get(message.stream_id)
        if stream is None or not stream.messages or stream.messages[0] is not message:
            return False
        stream.messages.popleft()
        self.messages -= 1
        rest = message.unsent
        message.unsent = 0
        message.data, message.offset, message.more = b"", 0, None
        self._sent(stream, rest)
        return True

    def take_low(self) -> list[BufferedAmountLow]:
        """Say once which streams fell to their threshold."""
        low, self.low = self.low, []
        return [BufferedAmountLow(stream_id) for stream_id in low]

    def is_drained(self, stream_id: int) -> bool:
        """Whether nothing of the stream waits any more."""
        stream = self._streams.get(stream_id)
        return stream is None or not stream.messages
