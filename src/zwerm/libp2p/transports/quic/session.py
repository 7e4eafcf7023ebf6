"""One QUIC connection as a machine around qh3's: its streams, who the peer is, and when it is over.

qh3 carries packets, loss, congestion and TLS. What it has no notion of is a reader who does not read: it grants a peer
more as soon as data was taken from it. So data is taken only while less than `receive_window` lies unread here
(`gate.py`); then the peer's credit, at most `max_data` more, runs out, and it waits. Since that holds up all streams of
the connection, a stream that is the cause of it for `stall_timeout` is reset.

Sent data waits in qh3, which is asked how much of it there is.

Deviations from the machine contract: qh3 draws its own randomness, so two runs differ.
"""

from __future__ import annotations

import contextlib
import enum
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from qh3.quic import events as library

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.timers import TimerTable
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.transports.quic.config import Config
from zwerm.libp2p.transports.quic.events import (
    Authenticated,
    ConnectionIdIssued,
    ConnectionIdRetired,
    Event,
    SessionEnded,
    StreamArrived,
    StreamChanged,
)
from zwerm.libp2p.transports.quic.stream_state import Side, StreamState
from zwerm.libp2p.transports.quic.tls import ALPN, MutualConnection

NO_ERROR: Final = 0  # RFC 9000 section 20.1; libp2p has no codes of its own
APPLICATION_ERROR: Final = 12
STREAM_CANCELLED: Final = 0  # with which a stream is reset and stopped, as go-libp2p does
MAX_RUN: Final = 64  # datagrams of one transmit

# What the library says when a packet of the handshake is larger than what may be sent to an address that was not shown
# to be the peer's. It lost nothing, and goes on when the peer has sent more.
_IS_FULL: Final = "packet builder capacity exhausted"

_LOG: Final = logging.getLogger("zwerm.libp2p.quic")


class Timer(enum.Enum):
    """What a session waits for beside its packets."""

    HANDSHAKE = "the peer did not prove in time who it is"
    KEEP_ALIVE = "the connection was quiet: ask the peer for a sign of life"
    STALL = "unread data of a stream keeps all others waiting: reset it"


class Session:
    """One side of one connection."""

    def __init__(self, connection: MutualConnection, *, is_client: bool, now: Instant, config: Config) -> None:
        """`connection` is new: a client's is connected, a server's gets its first datagram by `receive_datagrams`."""
        self.peer: PeerId | None = None
        self.reason = ""  # why it is over
        self.is_peer_wrong = False  # it is over because of what the peer did, or who it is
        self._has_complained = False  # a stream that was reset because nobody read it was logged
        self._library = connection
        self._is_client = is_client
        self._config = config
        self._now = now
        self._heard = now
        self._is_over = False
        self._timers: TimerTable[Timer] = TimerTable(Timer)
        self._timers.arm(Timer.HANDSHAKE, now + config.handshake_timeout)
        self._streams: dict[int, StreamState] = {}
        self._blocked: dict[StreamState, None] = {}
        self._next_peer_stream = 1 if is_client else 0
        self._skipped: set[int] = set()  # below that and not heard of; at most `MAX_STREAMS`
        self._events: deque[Event] = deque([ConnectionIdIssued(connection.host_cid)])
        self._next: Transmit | None = None  # was taken to look whether it joins a run

    # In.

    def receive_datagrams(self, datagrams: Sequence[bytes], source: Address, now: Instant) -> int:
        """Take untrusted datagrams of one source; return how many. Never raises."""
        if not self._is_over:
            self._now = self._heard = now
            self._guarded(self._library.receive_many_datagrams, list(datagrams), source, now)
        return len(datagrams)

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        return self.receive_datagrams([data], source, now) == 1

    def handle_timeout(self, now: Instant) -> None:
        if self._is_over:
            return
        self._now = now
        due = self._library.get_timer()
        if due is not None and due <= now:
            self._guarded(self._library.handle_timer, now)
        while not self.is_over and (fired := self._timers.pop_expired(now)) is not None:
            self._fire(fired.timer, now)

    def _fire(self, timer: Timer, now: Instant) -> None:
        match timer:
            case Timer.HANDSHAKE:
                self._end("the handshake took too long", by_peer=False, code=APPLICATION_ERROR)
            case Timer.KEEP_ALIVE:
                quiet = now - self._heard
                if quiet >= self._config.keep_alive:
                    self._guarded(self._library.send_ping, 1)
                    quiet = 0.0
                self._timers.arm(Timer.KEEP_ALIVE, now + self._config.keep_alive - quiet)
            case Timer.STALL:
                worst = max(self._streams.values(), key=lambda stream: stream.unread, default=None)
                if worst is not None:
                    if not self._has_complained:
                        self._has_complained = True
                        size = worst.unread
                        _LOG.info("reset a stream of %s: %d bytes of it were not read for too long", self.peer, size)
                    self.reset(worst, now)
                self._mind_the_gate()

    # Out.

    def next_transmit(self) -> Transmit | None:
        """Return a datagram, or a run of equal ones to one destination."""
        first, self._next = self._next or self._poll(), None
        if first is None:
            self._find_room()
            return None
        size = len(first.data)
        parts = [first.data]
        while len(parts) < MAX_RUN:
            following = self._poll()
            if following is None:
                break
            if following.destination != first.destination or len(following.data) > size:
                self._next = following
                break
            parts.append(following.data)
            if len(following.data) < size:
                break
        if len(parts) == 1:
            return first
        return Transmit(b"".join(parts), first.destination, size)

    def _poll(self) -> Transmit | None:
        try:
            sent = self._library.poll(self._now)
        except Exception as error:  # noqa: BLE001 -- whatever fails in the library ends this connection and no other
            if self.peer is not None or _IS_FULL not in str(error):
                self._broken(error)
            return None
        return None if sent is None else Transmit(sent[0], sent[1])

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    @property
    def has_events(self) -> bool:
        return bool(self._events)

    @property
    def is_over(self) -> bool:
        return self._is_over

    @property
    def rtt(self) -> float | None:
        """Seconds to the peer and back; None while that is not known."""
        return self._library.rtt

    def next_timeout(self) -> Instant | None:
        if self._is_over:
            return None
        own, its = self._timers.next_timeout(), self._library.get_timer()
        return its if own is None else own if its is None else min(own, its)

    # Commands.

    def open_stream(self, now: Instant) -> StreamState:
        """Open a stream; the peer hears of it with its first byte.

        Raises:
            LocalProtocolError: it is over, or has not begun.
            ResourceLimitError: the peer allows no more streams at once.
        """
        self._now = now
        if self._is_over or self.peer is None:
            raise LocalProtocolError(f"the connection is closed: {self.reason or 'the handshake is not done'}")
        try:
            stream_id = self._library.core.open_stream(False)  # noqa: FBT003 -- the library's: not one way only
        except (ValueError, RuntimeError) as error:
            raise ResourceLimitError(f"the peer allows no more streams: {error}") from None
        stream = self._streams[stream_id] = StreamState(stream_id)
        return stream

    def write(self, stream: StreamState, data: memoryview, now: Instant) -> int:
        """Take of `data` what there is room for; return how many bytes. `StreamChanged` tells when there is more."""
        self._now = now
        if self._is_over or stream.write is not Side.OPEN:
            raise LocalProtocolError(f"the stream takes no more: {self.reason or stream.write.value}")
        core, config = self._library.core, self._config
        room = min(
            config.high_water - core.get_send_buffer_size(stream.id), config.send_buffer - core.get_send_buffer_size()
        )
        if room <= 0:
            stream.is_blocked = True
            self._blocked[stream] = None
            return 0
        part = data[:room]
        self._send(stream, part, is_end=False)
        return len(part)

    def finish(self, stream: StreamState, now: Instant) -> None:
        """Say that nothing follows. Idempotent."""
        self._now = now
        if stream.write is Side.OPEN and not self._is_over:
            stream.write = Side.FINISHED
            with contextlib.suppress(LocalProtocolError):
                self._send(stream, b"", is_end=True)
            self._forget(stream)

    def _send(self, stream: StreamState, data: bytes | memoryview, *, is_end: bool) -> None:
        """Hand data over.

        Raises:
            LocalProtocolError: the stream is over for the library: what says so stands behind what nobody reads.
        """
        try:
            self._library.core.send_stream(stream.id, data, is_end)
        except (ValueError, RuntimeError) as error:
            stream.write = Side.RESET
            self._forget(stream)
            raise LocalProtocolError(f"the stream takes no more: {error}") from None

    def read(self, stream: StreamState, limit: int, now: Instant) -> list[bytes]:
        """Take pieces of what came, at most `limit` bytes; the peer may send as much more."""
        pieces = stream.take_pieces(limit)
        if pieces:
            self._granted(sum(map(len, pieces)), now)
        return pieces

    def release(self, stream: StreamState, now: Instant) -> None:
        """Finish, and throw away what still comes."""
        self.finish(stream, now)
        if not stream.is_released:
            stream.is_released = True
            self._stop_reading(stream, now)

    def reset(self, stream: StreamState, now: Instant) -> None:
        """Give up both directions. Idempotent."""
        self._now = now
        if stream.write is Side.OPEN:
            stream.write = Side.RESET
            if not self._is_over:
                self._tried(self._library.core.reset_stream, stream.id, STREAM_CANCELLED)
        if not stream.is_released:
            stream.is_released = True
            self._stop_reading(stream, now)
        self._events.append(StreamChanged(stream))
        self._forget(stream)

    def close(self, now: Instant, reason: str = "closed here") -> None:
        """End it, and tell the peer. Idempotent."""
        self._now = now
        self._end(reason, by_peer=False, code=NO_ERROR)

    # The library's events.

    def _guarded(self, operation: Any, *arguments: Any) -> None:
        """Call the library, and see what became of it."""
        try:
            operation(*arguments)
        except Exception as error:  # noqa: BLE001 -- whatever fails in the library ends this connection and no other
            self._broken(error)
            return
        self._look()

    def _tried(self, operation: Any, *arguments: Any) -> None:
        """Call the library, which refuses where the stream is over on its side already."""
        try:
            operation(*arguments)
        except (ValueError, RuntimeError):
            return

    def _look(self) -> None:
        while not self._is_over and (event := self._library.next_event()) is not None:
            match event:
                case library.StreamDataReceived():
                    self._receive_data(event.stream_id, event.data, is_end=event.end_stream)
                case library.StreamReset(stream_id=stream_id):
                    self._receive_reset(stream_id)
                case library.StopSendingReceived(stream_id=stream_id):
                    self._receive_stop(stream_id)
                case library.HandshakeCompleted(alpn_protocol=protocol):
                    self._authenticated(protocol)
                case library.ConnectionIdIssued(connection_id=connection_id):
                    self._events.append(ConnectionIdIssued(connection_id))
                case library.ConnectionIdRetired(connection_id=connection_id):
                    self._events.append(ConnectionIdRetired(connection_id))
                case _:
                    pass  # pings that were answered, and datagrams, which libp2p does not use
        ending = self._library.ending
        if ending is not None and not self._is_over:
            self._end(self._library.cause or _explain(*ending), by_peer=True)
        elif not self._is_over:
            self._mind_the_gate()

    def _authenticated(self, protocol: str | None) -> None:
        peer = self._library.proved
        if peer is None or protocol != ALPN:
            self._end(f"the peer did not prove who it is, or speaks {protocol!r}", by_peer=True, code=APPLICATION_ERROR)
            return
        self.peer = peer
        self._timers.cancel(Timer.HANDSHAKE)
        self._timers.arm(Timer.KEEP_ALIVE, self._now + self._config.keep_alive)
        self._events.append(Authenticated())

    def _receive_data(self, stream_id: int, data: bytes, *, is_end: bool) -> None:
        stream = self._streams.get(stream_id) or self._arrived(stream_id)
        if stream is None:
            return
        if is_end:
            stream.read = Side.FINISHED
        if stream.is_released:
            self._library.grant(len(data))
        elif data:
            stream.put(data)
        self._events.append(StreamChanged(stream))
        self._forget(stream)

    def _receive_reset(self, stream_id: int) -> None:
        stream = self._streams.get(stream_id) or self._arrived(stream_id)
        if stream is not None:
            stream.read = Side.RESET
            self._library.grant(stream.drop())
            self._events.append(StreamChanged(stream))
            self._forget(stream)

    def _receive_stop(self, stream_id: int) -> None:
        """The peer reads no more: RFC 9000 section 3.5 wants a reset as the answer, which the library gives.

        It may be the first that is heard of a stream (section 2.1): libraries send it ahead of the data.
        """
        stream = self._streams.get(stream_id) or self._arrived(stream_id)
        if stream is not None and stream.write is Side.OPEN:
            stream.write = Side.RESET
            self._tried(self._library.core.reset_stream, stream_id, STREAM_CANCELLED)
            self._events.append(StreamChanged(stream))
            self._forget(stream)

    def _arrived(self, stream_id: int) -> StreamState | None:
        is_own = bool(stream_id & 1) is not self._is_client
        if is_own:
            return None  # it was over here
        if stream_id & 2:
            self._end("the peer opened a stream of one direction", by_peer=True, code=APPLICATION_ERROR)
            return None
        if stream_id >= self._next_peer_stream:
            self._skipped.update(range(self._next_peer_stream, stream_id, 4))
            self._next_peer_stream = stream_id + 4
        elif stream_id in self._skipped:
            self._skipped.remove(stream_id)
        else:
            return None  # it was over here, and for the library not yet
        stream = self._streams[stream_id] = StreamState(stream_id)
        self._events.append(StreamArrived(stream))
        return stream

    def _stop_reading(self, stream: StreamState, now: Instant) -> None:
        dropped = stream.drop()
        if stream.read is Side.OPEN and not self._is_over:
            self._tried(self._library.core.stop_sending, stream.id, STREAM_CANCELLED)
        if dropped:
            self._granted(dropped, now)

    def _granted(self, size: int, now: Instant) -> None:
        self._now = now
        if self._library.grant(size) and not self._is_over:
            self._guarded(self._library.resume)

    def _mind_the_gate(self) -> None:
        if not self._library.is_held:
            self._timers.cancel(Timer.STALL)
        elif self._timers.deadline(Timer.STALL) is None:
            self._timers.arm(Timer.STALL, self._now + self._config.stall_timeout)

    def _find_room(self) -> None:
        """Tell writers that wait when enough has gone out."""
        if not self._blocked or self._is_over:
            return
        core, config = self._library.core, self._config
        if core.get_send_buffer_size() > config.send_buffer // 2:
            return
        for stream in tuple(self._blocked):
            if stream.write is not Side.OPEN or core.get_send_buffer_size(stream.id) <= config.low_water:
                del self._blocked[stream]
                stream.is_blocked = False
                self._events.append(StreamChanged(stream))

    def _forget(self, stream: StreamState) -> None:
        if stream.is_over:
            self._streams.pop(stream.id, None)
            self._blocked.pop(stream, None)

    def _broken(self, error: Exception) -> None:
        self._end(f"QUIC: {str(error) or type(error).__name__}", by_peer=True, code=APPLICATION_ERROR)

    def _end(self, reason: str, *, by_peer: bool, code: int | None = None) -> None:
        if self._is_over:
            return
        self._is_over = True
        self.reason, self.is_peer_wrong = reason, by_peer
        self._timers.cancel_all()
        if code is not None:
            self._tried(self._library.close, code, None, reason if self.peer else "")
        for stream in self._streams.values():
            if stream.read is Side.OPEN:
                stream.read = Side.RESET
            if stream.write is Side.OPEN:
                stream.write = Side.RESET
            self._events.append(StreamChanged(stream))
        self._streams.clear()
        self._blocked.clear()
        self._events.append(SessionEnded(reason))


def _explain(code: int, reason: str) -> str:
    """Say in words with what the connection ended."""
    told = f": {reason[:200]}" if reason else ""
    if 0x100 <= code < 0x200:  # RFC 9001 section 4.8
        return f"TLS alert {code - 0x100}{told}"
    return f"the peer closed the connection{told}" if code == NO_ERROR else f"QUIC error {code}{told}"
