"""Connections of a wire, a secure channel and a yamux session, put together: what TCP and WebSocket give a swarm.

The path of a byte that came: the wire's buffer, decrypted out of it into bytes that its stream keeps, returned by
`read_pieces`. Of one that goes: the caller's buffer, copied once into the records that the wire gets. What all streams
have to say in one turn of the loop goes out together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.secure import Buffer, Records, Secured
from zwerm.libp2p.stream import ConnectionClosed, Direction, MuxedStream, StreamReset
from zwerm.libp2p.transports.wire import Wire
from zwerm.libp2p.yamux.event import (
    SessionEnded,
    StreamAborted,
    StreamDrained,
    StreamEnded,
    StreamOpened,
    StreamReadable,
)
from zwerm.libp2p.yamux.session import PROTOCOL, Session
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.alarm import Alarm

TURN: Final = 262_144  # bytes that are encrypted at once
WRITE_BUFFER: Final = 131_072  # bytes of one stream that wait; then `write` does
CLOSE_TIME: Final = 1.0  # seconds that a peer has to take our last words

_LOG: Final = logging.getLogger("zwerm.libp2p")


class SecuredConnection:
    """A connection that is ready for streams."""

    is_limited = False
    muxer = PROTOCOL

    def __init__(
        self,
        wire: Wire,
        secured: Secured,
        session: Session,
        *,
        security: str,
        direction: Direction,
        clock: Callable[[], Instant],
        complaints: Complaints,
        ahead: bytes = b"",
    ) -> None:
        """Take over `wire`. `complaints` are the node's; `ahead` was received and decrypted with the handshake."""
        self.remote_peer: PeerId = secured.peer
        self.security = security
        self.direction = direction
        self._wire = wire
        self._records: Records = secured.records
        self._session = session
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._loop, self._ring, clock)
        self._streams: dict[int, SecuredStream] = {}
        self._on_stream: Callable[[MuxedStream], None] | None = None
        self._early: list[SecuredStream] = []
        self._is_flush_due = False
        self._has_received = False  # since the last flush
        self._complaints = complaints
        self._reason: str | None = None  # why it ended
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        wire.start(self)
        if ahead:
            session.receive_data(ahead, clock())
        self.changed()

    @property
    def local_address(self) -> Multiaddr:
        return self._wire.local_address

    @property
    def remote_address(self) -> Multiaddr:
        return self._wire.remote_address

    @property
    def rtt(self) -> float | None:
        """Seconds to the peer and back; None when nothing has measured it."""
        measured = self._session.rtt
        return measured if measured is not None else getattr(self._wire, "rtt", None)

    @property
    def heard(self) -> Instant:
        """When a byte last came."""
        return self._session.heard

    def start(self, on_stream: Callable[[MuxedStream], None]) -> None:
        if self._on_stream is not None:
            raise LocalProtocolError("the connection was started before")
        self._on_stream = on_stream
        early, self._early = self._early, []
        for stream in early:
            on_stream(stream)

    async def open_stream(self) -> SecuredStream:
        if self._reason is not None:
            raise ConnectionClosed(self._reason)
        try:
            stream_id = self._session.open_stream(self._clock())
        except LocalProtocolError as error:
            raise ConnectionClosed(str(error)) from error
        stream = self._streams[stream_id] = SecuredStream(self, self._session, stream_id)
        self.flush_soon()
        return stream

    async def close(self) -> None:
        """As the interface says; a peer that takes nothing does not hold it up for more than `CLOSE_TIME` seconds."""
        self._finish("closed here")
        if not self._lost.done():
            await asyncio.wait([self._lost], timeout=CLOSE_TIME)
            self._wire.abort()
            await asyncio.wait([self._lost])

    def on_lost(self, call: Callable[[], None]) -> None:
        """Call back once nothing is left of the connection."""
        self._lost.add_done_callback(lambda _: call())

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._ended)

    # What the wire tells

    def wire_received(self, data: memoryview) -> None:
        session, now = self._session, self._clock()
        try:
            for plaintext in self._records.decrypt_untrusted(data):
                session.receive_data(plaintext, now)
        except WireError as error:
            self._finish(str(error))
            return
        self._has_received = True
        if session.refused and self._complaints.is_news(self.remote_peer, "streams"):
            _LOG.info("refused streams of %s at %s: too many are open", self.remote_peer, self.remote_address)
        self.changed()

    def wire_ended(self) -> None:
        try:
            self._records.check_end_untrusted()
        except WireError as error:
            self._finish(str(error))
            return
        self._session.receive_eof(self._clock())
        self.changed()

    def wire_writable(self) -> None:
        self._flush()

    def wire_lost(self, reason: str) -> None:
        if not self._lost.done():
            self._lost.set_result(None)
        self._finish(reason)

    # Driving the session

    def changed(self) -> None:
        """Carry out what the session has to say after a mutation."""
        session = self._session
        while (event := session.next_event()) is not None:
            match event:
                case StreamReadable(stream_id) | StreamDrained(stream_id):
                    if (stream := self._streams.get(stream_id)) is not None:
                        stream.wake()
                case StreamOpened(stream_id):
                    self._open(stream_id)
                case StreamEnded(stream_id):
                    if (stream := self._streams.get(stream_id)) is not None:
                        stream.has_ended = True
                        stream.wake()
                case StreamAborted(stream_id, cause, is_excess):
                    if is_excess and self._complaints.is_news(self.remote_peer, "unread"):
                        _LOG.info("reset a stream of %s at %s: %s", self.remote_peer, self.remote_address, cause)
                    if (stream := self._streams.pop(stream_id, None)) is not None:
                        stream.abort(cause)
                case SessionEnded(cause):
                    self._finish(cause)
                    return
        self.flush_soon()

    def flush_soon(self) -> None:
        if not self._is_flush_due and self._reason is None:
            self._is_flush_due = True
            self._loop.call_soon(self._flush)

    def forget(self, stream_id: int) -> None:
        self._streams.pop(stream_id, None)

    def now(self) -> Instant:
        return self._clock()

    def _open(self, stream_id: int) -> None:
        stream = self._streams[stream_id] = SecuredStream(self, self._session, stream_id)
        if self._on_stream is None:
            self._early.append(stream)
        else:
            self._on_stream(stream)

    def _flush(self) -> None:
        self._is_flush_due = False
        if self._reason is not None:
            return
        session, wire = self._session, self._wire
        while not wire.is_full and (chunks := session.chunks_to_send(TURN)):
            wire.write(self._records.encrypt(chunks))
            while (event := session.next_event()) is not None:
                if isinstance(event, StreamDrained) and (stream := self._streams.get(event.stream_id)) is not None:
                    stream.wake()
        if self._has_received:
            self._has_received = False
            if answer := self._records.encrypt(()):  # of the channel itself, when nothing of the session's went out
                wire.write(answer)
        self._alarm.set(session.next_timeout())

    def _ring(self) -> None:
        self._session.handle_timeout(self._clock())
        self.changed()

    def _finish(self, reason: str) -> None:
        """End: the peer is told once, streams and waiters are."""
        if self._reason is not None:
            return
        self._session.end()
        self._complaints.forget(self.remote_peer)
        self._reason = reason
        self._alarm.set(None)
        try:
            last_words = self._records.encrypt([self._session.data_to_send()])
            self._wire.write(bytes(last_words) + self._records.close())
        except LocalProtocolError:
            pass  # the channel has used up its nonces: it goes without a word
        self._wire.close()
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.abort(reason)
        self._ended.set_result(reason)


class SecuredStream:
    """One stream of a session."""

    __slots__ = (
        "_cause",
        "_connection",
        "_id",
        "_is_closed",
        "_is_ignored",
        "_reader",
        "_session",
        "_writer",
        "has_ended",
    )

    def __init__(self, connection: SecuredConnection, session: Session, stream_id: int) -> None:
        self.has_ended = False  # the peer has closed its direction; what it sent before may be unread
        self._connection = connection
        self._session = session
        self._id = stream_id
        self._cause: str | None = None  # why it was reset
        self._is_closed = False  # our direction
        self._is_ignored = False  # the peer's
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    async def read(self, limit: int = 65_536) -> bytes:
        while True:
            data = self._session.read(self._id, limit, self._connection.now())
            if data:
                self._connection.flush_soon()  # with the credit that reading gave
                return data
            if self._is_at_end():
                return b""
            await self._wait_readable()

    async def read_pieces(self, limit: int) -> Sequence[Buffer]:
        while True:
            pieces = self._session.read_pieces(self._id, limit, self._connection.now())
            if pieces:
                self._connection.flush_soon()
                return pieces
            if self._is_at_end():
                return []
            await self._wait_readable()

    def _is_at_end(self) -> bool:
        """Whether nothing will come any more, and nothing did. Raises `StreamReset` when that was no proper end."""
        if self.has_ended or self._is_ignored:
            self._is_ignored = True
            self._look()
            return True
        if self._cause is not None:
            raise StreamReset(self._cause)
        return False

    async def _wait_readable(self) -> None:
        self._reader = asyncio.get_running_loop().create_future()
        await self._reader

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        self._check_open()
        size = len(data)
        if not size:
            return
        if not isinstance(data, bytes) and size <= WRITE_BUFFER:
            data = bytes(data)  # copied, so that it may be changed when this returns
        must_wait = not isinstance(data, bytes)
        self._session.send(self._id, data)
        self._connection.flush_soon()
        while (pending := self._session.pending(self._id)) > WRITE_BUFFER or (must_wait and pending):
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
            self._check_open()

    async def write_pieces(self, pieces: Sequence[Buffer]) -> None:
        self._check_open()
        for piece in pieces:
            self._session.send(self._id, piece)
        self._connection.flush_soon()
        while self._session.pending(self._id):
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
            self._check_open()

    async def close_write(self) -> None:
        if not self._is_closed and self._cause is None:
            self._is_closed = True
            self._session.close_write(self._id)
            self._connection.flush_soon()
            self._look()

    async def close(self) -> None:
        if self._cause is None:
            self._is_closed = self._is_ignored = True
            self._session.close(self._id, self._connection.now())
            self._connection.flush_soon()
            self._look()
            self.wake()

    def reset(self) -> None:
        if self._cause is None:
            self._session.reset(self._id)
            self._connection.forget(self._id)
            self._connection.flush_soon()
            self.abort("the stream was reset here")

    def abort(self, cause: str) -> None:
        """Fail what waits, and whatever comes after."""
        if self._cause is None:
            self._cause = cause
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        for waiter in (self._reader, self._writer):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _check_open(self) -> None:
        if self._cause is not None:
            raise StreamReset(self._cause)
        if self._is_closed:
            raise StreamReset("our direction is closed")

    def _look(self) -> None:
        if self._is_closed and self._is_ignored:
            self._connection.forget(self._id)
