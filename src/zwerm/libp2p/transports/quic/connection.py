"""Connections and streams of QUIC as `zwerm.libp2p.stream` has them, above the session that a port drives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import ConnectionClosed, Direction, MuxedStream, StreamReset
from zwerm.libp2p.tls.handshake import PROTOCOL as TLS
from zwerm.libp2p.transports.quic.address import PROTOCOL
from zwerm.libp2p.transports.quic.events import Authenticated, Event, SessionEnded, StreamArrived, StreamChanged
from zwerm.libp2p.transports.quic.port import Driver
from zwerm.libp2p.transports.quic.session import Session
from zwerm.libp2p.transports.quic.stream_state import Side, StreamState
from zwerm.multiformats.multiaddr import Multiaddr

MUXER: Final = PROTOCOL  # its own streams


class QuicStream:
    """One stream."""

    def __init__(self, connection: QuicConnection, state: StreamState) -> None:
        self._connection = connection
        self._state = state
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._is_reset = False
        self._is_released = False

    async def read(self, limit: int = 65_536) -> bytes:
        pieces = await self._read(limit, at_once=False)
        return pieces[0] if pieces else b""

    async def read_pieces(self, limit: int) -> list[bytes]:
        return await self._read(limit, at_once=True)

    async def _read(self, limit: int, *, at_once: bool) -> list[bytes]:
        state = self._state
        while True:
            if self._is_released:
                return []
            if self._is_reset or state.read is Side.RESET:
                raise StreamReset(self._reason)
            if state.unread:
                return self._connection.take(state, limit if at_once else min(limit, len(state.pieces[0])))
            if state.read is not Side.OPEN:
                return []
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        while True:
            if self._state.write is not Side.OPEN:
                raise StreamReset(f"the stream takes no more: {self._state.write.value}; {self._reason}")
            view = view[self._connection.put(self._state, view) :]
            if not view:
                return
            if not self._state.is_blocked:
                continue  # a part was taken, and the next attempt says whether there is room for more
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    async def close_write(self) -> None:
        self._connection.session.finish(self._state, self._connection.driver.now)
        self._connection.driver.pump_soon()

    async def close(self) -> None:
        if not self._is_released:
            self._is_released = True
            self._connection.session.release(self._state, self._connection.driver.now)
            self._connection.driver.pump_soon()

    def reset(self) -> None:
        if not self._is_reset and not self._is_released:
            self._is_reset = True
            self._connection.session.reset(self._state, self._connection.driver.now)
            self._connection.driver.pump_soon()
            self.changed()

    def changed(self) -> None:
        """There is something to read, room to write, or an end of either."""
        for waiter in (self._reader, self._writer):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    @property
    def _reason(self) -> str:
        if self._is_reset:
            return "this side reset the stream"
        return self._connection.session.reason or "the peer reset the stream"


class QuicConnection:
    """A connection whose peer has proved who it is."""

    security = TLS
    muxer = MUXER
    is_limited = False

    def __init__(
        self,
        direction: Direction,
        local_address: Multiaddr,
        remote_address: Multiaddr,
        on_ready: Callable[[QuicConnection], None],
    ) -> None:
        """`on_ready` is called once: when the peer is known, or when it is clear that it never will be."""
        self.direction = direction
        self.local_address = local_address
        self.remote_address = remote_address
        self.driver: Driver
        self.session: Session
        self._on_ready: Callable[[QuicConnection], None] | None = on_ready
        self._on_stream: Callable[[MuxedStream], None] | None = None
        self._waiting: list[QuicStream] = []  # at most `MAX_STREAMS`, until `start`
        self._streams: dict[StreamState, QuicStream] = {}
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def drive(self, driver: Driver) -> None:
        """Take the driver that calls `handle`."""
        self.driver = driver
        self.session = driver.session

    @property
    def remote_peer(self) -> PeerId:
        if self.session.peer is None:
            raise LocalProtocolError("the peer has not proved who it is")
        return self.session.peer

    @property
    def is_ready(self) -> bool:
        return self.session.peer is not None

    @property
    def rtt(self) -> float | None:
        """Seconds to the peer and back."""
        return self.session.rtt

    def start(self, on_stream: Callable[[MuxedStream], None]) -> None:
        self._on_stream = on_stream
        waiting, self._waiting = self._waiting, []
        for stream in waiting:
            on_stream(stream)

    async def open_stream(self) -> QuicStream:
        if self._ended.done():
            raise ConnectionClosed(f"the connection is closed: {self._ended.result()}")
        try:
            state = self.session.open_stream(self.driver.now)
        except LocalProtocolError as error:
            raise ConnectionClosed(str(error)) from error
        return self._stream(state)

    async def close(self) -> None:
        self.session.close(self.driver.now)
        self.driver.pump()

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._ended)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when it is over."""
        self._ended.add_done_callback(lambda _: callback())

    # What streams ask.

    def take(self, state: StreamState, limit: int) -> list[bytes]:
        pieces = self.session.read(state, limit, self.driver.now)
        self.driver.pump_soon()
        self._let_go(state)
        return pieces

    def put(self, state: StreamState, data: memoryview) -> int:
        try:
            taken = self.session.write(state, data, self.driver.now)
        except LocalProtocolError as error:
            raise StreamReset(str(error)) from error
        if taken:
            self.driver.pump_soon()
        return taken

    # What the session tells.

    def handle(self, event: Event) -> None:
        match event:
            case StreamChanged(state):
                stream = self._streams.get(state)
                if stream is not None:
                    stream.changed()
                    self._let_go(state)
            case StreamArrived(state):
                self._arrived(self._stream(state))
            case Authenticated():
                self._tell_ready()
            case SessionEnded(reason):
                if not self._ended.done():
                    self._ended.set_result(reason)
                for stream in list(self._streams.values()):
                    stream.changed()
                self._streams.clear()
                self.driver.finish()
                self._tell_ready()
            case _:
                pass  # what the port cares for

    def _let_go(self, state: StreamState) -> None:
        if state.is_over and not state.unread:
            self._streams.pop(state, None)

    def _stream(self, state: StreamState) -> QuicStream:
        stream = self._streams[state] = QuicStream(self, state)
        return stream

    def _arrived(self, stream: QuicStream) -> None:
        if self._on_stream is None:
            self._waiting.append(stream)
        else:
            self._on_stream(stream)

    def _tell_ready(self) -> None:
        on_ready, self._on_ready = self._on_ready, None
        if on_ready is not None:
            on_ready(self)
