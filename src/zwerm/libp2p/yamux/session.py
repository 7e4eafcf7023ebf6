"""A yamux session as a machine (libp2p specs, "yamux/README.md"; protocol `/yamux/1.0.0`).

A stream is a number here. Whoever holds the session opens streams, gives data to `send`, takes data with `read`, and
is told by events when to go on. Three rules keep both sides bounded:

* Data that is sent stays the caller's, uncopied, until the connection wants it (`chunks_to_send`) and the stream's
  window lets it through; `StreamDrained` says when. A caller who waits for that has a bounded buffer: its own.
* Data that came is kept until it is read, uncopied where the channel made bytes of its own for it. Only reading gives
  the peer new credit, so who does not read stops the sender. Windows grow while they, and not the link, limit a stream.
* A stream is in the table from SYN until both sides have closed it and all was read, or either side reset it. Frames
  for streams that are not in the table are passed over: they were under way when it was reset here.

A peer that breaks the protocol ends the session with GO_AWAY; a caller that does gets a `LocalProtocolError`.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Instant
from zwerm.core.timers import TimerTable
from zwerm.core.trace import Trace
from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.yamux.budget import Budget
from zwerm.libp2p.yamux.config import Config
from zwerm.libp2p.yamux.event import (
    Event,
    GoneAway,
    OpenPossible,
    SessionEnded,
    StreamAborted,
    StreamDrained,
    StreamEnded,
    StreamOpened,
    StreamReadable,
)
from zwerm.libp2p.yamux.frame import (
    HEADER_SIZE,
    INITIAL_WINDOW,
    MAX_STREAM_ID,
    Flag,
    FrameType,
    Reason,
    parse_header_untrusted,
)
from zwerm.libp2p.yamux.liveness import Liveness, Timer
from zwerm.libp2p.yamux.send_queue import SendQueue
from zwerm.libp2p.yamux.stream_state import StreamState

PROTOCOL: Final = "/yamux/1.0.0"

_DATA: Final = int(FrameType.DATA)  # plain numbers: comparing with an enum costs three times as much
_WINDOW_UPDATE: Final = int(FrameType.WINDOW_UPDATE)
_PING: Final = int(FrameType.PING)
_SYN, _ACK, _FIN, _RST = (int(flag) for flag in Flag)
_MAX_WINDOW: Final = 0xFFFF_FFFF  # bytes of credit that a peer can give
_BUSY: Final = 65_536  # bytes read from one stream, from where on the round trip is worth knowing
_EVENTS: Final = 4  # that a stream has in its life
_UNLIMITED: Final = 2**63


class Session:
    """One side of a connection that carries streams."""

    def __init__(
        self,
        *,
        is_client: bool,
        now: Instant,
        config: Config | None = None,
        budget: Budget | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Begin, as the side that dialled (`is_client`) or the other; `budget` is shared with other sessions."""
        self._config = config = config or Config()
        self._trace = trace
        self._parity = 1 if is_client else 0  # of the streams that we open
        self._next_id = 1 if is_client else 2
        self._streams: dict[int, StreamState] = {}
        self._inbound = self._outbound = 0  # streams in the table
        self._unacknowledged = 0  # of ours
        self._was_refused = False  # `open_stream`, for the backlog
        self._is_gone_away = False  # the peer
        self._timers = TimerTable(Timer)
        self._liveness = Liveness(config, self._timers, now)
        self.refused = 0  # streams of the peer, being more than may be open
        self._lingering: deque[tuple[Instant, StreamState]] = deque()
        self._queue = SendQueue(config)
        self._events: deque[Event] = deque()
        self._growth = 0  # bytes that windows have beyond their first size
        self._unread = 0  # bytes of all streams
        self._budget = budget or Budget(config.max_unread)
        self._budget.sessions += 1
        self._partial = b""  # a header that is not whole
        self._body_left = 0  # bytes of payload that the frame in hand still brings
        self._body_flags = 0  # what happens to its stream then
        self._body_stream: StreamState | None = None  # None: passed over
        self.is_over = False

    # What the caller does

    def open_stream(self, now: Instant) -> int:
        """Open a stream and return its number. Data may be sent at once.

        Raises:
            ResourceLimitError: too many are open, or not yet taken by the peer (`OpenPossible` tells when that ends).
            LocalProtocolError: the session is over, or the peer takes no more.
        """
        if self.is_over or self._is_gone_away:
            raise LocalProtocolError("the yamux session is over, or the peer takes no more streams")
        config = self._config
        if self._outbound >= config.max_outbound_streams or self._next_id > MAX_STREAM_ID:
            raise ResourceLimitError(f"{self._outbound + 1} open streams, the limit is {config.max_outbound_streams}")
        if self._unacknowledged >= config.max_unacknowledged:
            self._was_refused = True
            count, limit = self._unacknowledged + 1, config.max_unacknowledged
            raise ResourceLimitError(f"{count} streams that the peer has not taken, the limit is {limit}")
        stream = StreamState(self._next_id, now, is_acknowledged=False)
        self._next_id += 2
        self._streams[stream.stream_id] = stream
        self._outbound += 1
        self._unacknowledged += 1
        self._queue.put(FrameType.WINDOW_UPDATE, Flag.SYN, stream.stream_id)
        return stream.stream_id

    def send(self, stream_id: int, data: Buffer) -> None:
        """Send `data` when the connection and the window let it through; it must not change until `StreamDrained`."""
        stream = self._find(stream_id)
        if stream.is_closing or self.is_over:
            raise LocalProtocolError(f"stream {stream_id} is closed for writing")
        if data:
            stream.outgoing.append(data)
            stream.pending += len(data)
            self._queue.wake(stream)

    def pending(self, stream_id: int) -> int:
        """Bytes given to `send` that the connection has not taken; 0 for a stream that is gone."""
        stream = self._streams.get(stream_id)
        return stream.pending if stream else 0

    def read(self, stream_id: int, limit: int, now: Instant) -> bytes:
        """Take up to `limit` bytes of what came; empty when there is nothing, or the stream is gone.

        The peer may send as much again.
        """
        stream = self._streams.get(stream_id)
        if stream is None:
            return b""
        data = stream.take(limit)
        self._note_read(stream, len(data), now)
        return data

    def read_pieces(self, stream_id: int, limit: int, now: Instant) -> list[Buffer]:
        """Take the same in pieces as they came, so that many of them cost little more than one."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return []
        pieces = stream.take_pieces(limit)
        self._note_read(stream, sum(map(len, pieces)), now)
        return pieces

    def close_write(self, stream_id: int) -> None:
        """Send FIN behind what is pending. Idempotent, also for a stream that is gone."""
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.is_closing and not self.is_over:
            self._queue.close(stream)
            self._forget_closed(stream)

    def close(self, stream_id: int, now: Instant) -> None:
        """Close for writing, and throw away what came and still comes. Idempotent.

        A peer that sends a whole window more, or does not close in `Config.linger` seconds, gets RST.
        """
        stream = self._streams.get(stream_id)
        if stream is None or stream.is_discarding:
            return
        stream.is_discarding = True
        self._drop_unread(stream)
        if self.is_over:
            self._forget(stream)
            return
        if not stream.is_closing:
            self._queue.close(stream)
        self._forget_closed(stream)
        if not stream.is_gone:
            self._lingering.append((now + self._config.linger, stream))
            self._arm_linger()

    def reset(self, stream_id: int) -> None:
        """Give up both directions at once, and what is pending and unread. Idempotent."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._forget(stream)
            if self.is_over:
                return
            self._queue.put(FrameType.WINDOW_UPDATE, Flag.RST, stream_id)

    def end(self, reason: Reason = Reason.NORMAL) -> None:
        """Say GO_AWAY and end every stream. Idempotent; tells nobody here."""
        if not self.is_over:
            self._end()
            self._queue.put(FrameType.GO_AWAY, 0, 0, reason)

    @property
    def stream_ids(self) -> tuple[int, ...]:
        """The streams in the table."""
        return tuple(self._streams)

    @property
    def rtt(self) -> float | None:
        """Seconds to the peer and back, smoothed; None before bulk data made it worth a ping."""
        return self._liveness.rtt

    @property
    def heard(self) -> Instant:
        """When a byte last came."""
        return self._liveness.heard

    # What the driver does

    def receive_data(self, data: Buffer, now: Instant) -> None:
        """Take untrusted bytes, cut anywhere. What is kept of them is copied, unless it lies in `bytes`."""
        if self.is_over or not data:
            return
        self._liveness.heard = now
        try:
            self._receive_untrusted(memoryview(data), now)
        except WireError as error:
            self._fail(str(error), Reason.PROTOCOL_ERROR)

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 -- the contract's form
        if self.is_over:
            return
        is_cut = self._partial or self._body_left
        self._end(keep_whole=True)
        self._events.append(SessionEnded(f"the peer closed the connection{' within a yamux frame' if is_cut else ''}"))

    def handle_timeout(self, now: Instant) -> None:
        while not self.is_over and (fired := self._timers.pop_expired(now)) is not None:
            if fired.timer is Timer.KEEP_ALIVE:
                if self._liveness.is_silent(now):
                    self._queue.put(FrameType.PING, Flag.SYN, 0, self._liveness.ask(now))
            elif fired.timer is Timer.PING_TIMEOUT:
                if self._liveness.is_dead(now):
                    silent = now - self._liveness.heard
                    self._fail(f"the peer has been silent for {silent:.0f} s", Reason.INTERNAL_ERROR)
            else:
                self._end_lingering(now)

    def chunks_to_send(self, limit: int) -> list[Buffer]:
        """Take what goes out next, until there are `limit` bytes of it or a frame more; empty when there is nothing.

        The chunks refer to what was given to `send`: use them before anything else is done.
        """
        chunks = self._queue.take(limit)
        for stream in self._queue.drained:
            self._events.append(StreamDrained(stream.stream_id))
            if stream.is_fin_sent:
                self._forget_closed(stream)
        return chunks

    def data_to_send(self) -> bytes:
        return b"".join(self.chunks_to_send(_UNLIMITED))

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    # Receiving

    def _receive_untrusted(self, view: memoryview, now: Instant) -> None:
        position, end = 0, len(view)
        if self._partial:
            position = HEADER_SIZE - len(self._partial)
            header = self._partial + view[:position]
            if len(header) < HEADER_SIZE:
                self._partial = header
                return
            self._partial = b""
            self._receive_header_untrusted(header, 0, now)
        while position < end and not self.is_over:
            if self._body_left:
                size = min(self._body_left, end - position)
                self._receive_body(view[position : position + size], now)
                position += size
            elif end - position < HEADER_SIZE:
                self._partial = bytes(view[position:])
                return
            else:
                self._receive_header_untrusted(view, position, now)
                position += HEADER_SIZE

    def _receive_header_untrusted(self, data: Buffer, offset: int, now: Instant) -> None:
        frame_type, flags, stream_id, length = parse_header_untrusted(data, offset)
        if frame_type > _WINDOW_UPDATE:
            self._receive_session_frame_untrusted(frame_type, flags, stream_id, length, now)
            return
        if not stream_id:
            raise WireError("yamux stream frame for stream 0")
        stream = self._receive_syn_untrusted(stream_id, now) if flags & _SYN else self._streams.get(stream_id)
        if stream is not None and flags & _ACK and not stream.is_acknowledged:
            self._acknowledge(stream)
        if frame_type == _DATA and length:
            self._begin_body_untrusted(stream, flags, length)
            return
        if stream is None:
            return
        if frame_type == _WINDOW_UPDATE and length:
            stream.send_window += length
            if stream.send_window > _MAX_WINDOW:
                raise WireError(f"yamux window of {stream.send_window} bytes for stream {stream_id}")
            self._queue.wake(stream)
        if flags & (_FIN | _RST):
            self._receive_end(stream, flags)

    def _receive_session_frame_untrusted(
        self, frame_type: int, flags: int, stream_id: int, value: int, now: Instant
    ) -> None:
        if stream_id:
            raise WireError(f"yamux {FrameType(frame_type).name} for stream {stream_id}, expected 0")
        if frame_type != _PING:
            if not self._is_gone_away:
                self._is_gone_away = True
                self._events.append(GoneAway(value))
        elif flags & _ACK:
            self._liveness.receive_answer(value, now)
        elif flags & _SYN:
            self._answer(FrameType.PING, Flag.ACK, 0, value)

    def _receive_syn_untrusted(self, stream_id: int, now: Instant) -> StreamState | None:
        if stream_id & 1 == self._parity:
            raise WireError(f"yamux stream {stream_id} opened by the peer, which has the other numbers")
        if stream_id in self._streams:
            raise WireError(f"yamux stream {stream_id} opened twice")
        # Streams that came and went before anybody took their events count too, or resetting them would be free.
        limit = self._config.max_inbound_streams
        if self._inbound >= limit or len(self._events) >= limit * _EVENTS:
            self._answer(FrameType.WINDOW_UPDATE, Flag.RST, stream_id)
            self.refused += 1
            return None
        stream = StreamState(stream_id, now, is_acknowledged=True)
        self._streams[stream_id] = stream
        self._inbound += 1
        self._answer(FrameType.WINDOW_UPDATE, Flag.ACK, stream_id)
        self._events.append(StreamOpened(stream_id))
        return stream

    def _begin_body_untrusted(self, stream: StreamState | None, flags: int, length: int) -> None:
        if stream is None:
            if length > self._config.max_window:
                raise WireError(f"yamux frame of {length} bytes for a stream that is not open")
        elif length > stream.receive_window:
            window = stream.receive_window
            raise WireError(f"yamux frame of {length} bytes for stream {stream.stream_id}, its window is {window}")
        elif stream.has_ended:
            raise WireError(f"yamux data for stream {stream.stream_id} behind its end")
        else:
            stream.receive_window -= length
            if self._unread + length > self._config.max_unread and not stream.is_discarding:
                limit = self._config.max_unread
                cause = f"{self._unread + length} bytes received and not read, the limit is {limit}"
                self._abort(stream, cause, is_excess=True)
                stream = None
            elif self._budget.is_spent(self._unread, length) and not stream.is_discarding:
                limit = self._budget.limit
                cause = f"{self._budget.used + length} bytes that nobody has read, the limit is {limit}"
                self._abort(stream, cause, is_excess=True)
                stream = None
        self._body_stream, self._body_flags, self._body_left = stream, flags & (_FIN | _RST), length

    def _receive_body(self, piece: memoryview, now: Instant) -> None:
        self._body_left -= len(piece)
        stream = self._body_stream
        if stream is None or stream.is_gone:
            return
        if not stream.is_discarding:
            if not stream.unread:
                self._events.append(StreamReadable(stream.stream_id))
            stream.deliver(piece)
            self._unread += len(piece)
            self._budget.used += len(piece)
            if self._liveness.is_measure_due(now) and stream.window - stream.receive_window >= _BUSY:
                self._queue.put(FrameType.PING, Flag.SYN, 0, self._liveness.ask(now))
        if not self._body_left:
            if stream.is_discarding and not stream.receive_window:
                self._abort(stream, "the peer went on sending on a closed stream")
            elif self._body_flags:
                self._receive_end(stream, self._body_flags)

    def _receive_end(self, stream: StreamState, flags: int) -> None:
        """The peer closes its direction, or gives the stream up."""
        if flags & _RST:
            was_refused = not stream.is_acknowledged
            self._forget(stream)
            self._events.append(
                StreamAborted(stream.stream_id, f"the peer {'refused' if was_refused else 'reset'} the stream")
            )
        elif not stream.has_ended:
            stream.has_ended = True
            self._events.append(StreamEnded(stream.stream_id))
            self._forget_closed(stream)

    def _acknowledge(self, stream: StreamState) -> None:
        stream.is_acknowledged = True
        self._unacknowledged -= 1
        if self._was_refused and not self.is_over:
            self._was_refused = False
            self._events.append(OpenPossible())

    def _answer(self, frame_type: FrameType, flags: int, stream_id: int, value: int = 0) -> None:
        self._queue.put(frame_type, flags, stream_id, value)
        if self._queue.is_flooded:
            waiting = self._queue.waiting_control
            raise WireError(f"{waiting} bytes of yamux answers, which the peer asks for and does not read")

    # Windows and the life of streams

    def _note_read(self, stream: StreamState, size: int, now: Instant) -> None:
        if size:
            self._unread -= size
            self._budget.used -= size
            self._give_credit(stream, now)
            if not stream.unread:
                self._forget_closed(stream)

    def _give_credit(self, stream: StreamState, now: Instant) -> None:
        credit = stream.credit_due()
        if not credit:
            return
        config, rtt = self._config, self._liveness.rtt
        growth = stream.growth(now, rtt, config.max_window, config.max_window_growth - self._growth)
        if growth:
            stream.window += growth
            self._growth += growth
            if self._trace:
                self._trace(now, "yamux window", stream=stream.stream_id, window=stream.window, rtt=rtt)
        stream.updated = now
        stream.receive_window += credit + growth
        self._queue.add_credit(stream.stream_id, credit + growth)

    def _find(self, stream_id: int) -> StreamState:
        stream = self._streams.get(stream_id)
        if stream is None:
            raise LocalProtocolError(f"stream {stream_id} is not open")
        return stream

    def _abort(self, stream: StreamState, cause: str, *, is_excess: bool = False) -> None:
        """Reset a stream for what its peer did."""
        self._forget(stream)
        self._events.append(StreamAborted(stream.stream_id, cause, is_excess))
        self._answer(FrameType.WINDOW_UPDATE, Flag.RST, stream.stream_id)

    def _forget_closed(self, stream: StreamState) -> None:
        """Take a stream out of the table if both sides have closed it and nothing is left to read."""
        if stream.has_ended and not stream.unread and (stream.is_fin_sent or self.is_over):
            self._forget(stream)

    def _forget(self, stream: StreamState) -> None:
        if stream.is_gone:
            return
        stream.is_gone = True
        del self._streams[stream.stream_id]
        self._drop_unread(stream)
        self._queue.drop(stream)
        self._growth -= stream.window - INITIAL_WINDOW
        if stream.stream_id & 1 == self._parity:
            self._outbound -= 1
            if not stream.is_acknowledged:
                self._acknowledge(stream)
        else:
            self._inbound -= 1

    def _drop_unread(self, stream: StreamState) -> None:
        self._unread -= stream.unread_size
        self._budget.used -= stream.unread_size
        stream.unread_size = 0
        stream.unread.clear()

    def _end_lingering(self, now: Instant) -> None:
        while self._lingering and (self._lingering[0][0] <= now or self._lingering[0][1].is_gone):
            _, stream = self._lingering.popleft()
            if not stream.is_gone:
                self._forget(stream)
                self._queue.put(FrameType.WINDOW_UPDATE, Flag.RST, stream.stream_id)
        self._arm_linger()

    def _arm_linger(self) -> None:
        while self._lingering and self._lingering[0][1].is_gone:
            self._lingering.popleft()
        if self._lingering:
            self._timers.arm(Timer.LINGER, self._lingering[0][0])
        else:
            self._timers.cancel(Timer.LINGER)

    def _fail(self, cause: str, reason: Reason) -> None:
        self._end()
        self._queue.put(FrameType.GO_AWAY, 0, 0, reason)
        self._events.append(SessionEnded(cause))

    def _end(self, *, keep_whole: bool = False) -> None:
        """Forget everything, but with `keep_whole` what can still be read of streams that came to their end."""
        self.is_over = True
        for stream in tuple(self._streams.values()):
            self._queue.drop(stream)
            if not (keep_whole and stream.has_ended and stream.unread):
                self._forget(stream)
        self._budget.used -= self._unread  # what is still read is its reader's
        self._budget.sessions -= 1
        self._budget = Budget(self._unread)
        self._lingering.clear()
        self._timers.cancel_all()
        self._partial, self._body_left, self._body_stream = b"", 0, None
