"""Connections and streams as `zwerm.libp2p.stream` has them, above a session that a `SessionDriver` drives.

QUIC and webrtc-direct have each a shell made of this one. They add how bytes are read, and which events tell what.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, Protocol, Self, TypeVar

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import ConnectionClosed, Direction, MuxedStream, StreamReset
from zwerm.libp2p.transports import session_driver
from zwerm.libp2p.transports.session_driver import SessionDriver
from zwerm.multiformats.multiaddr import Multiaddr


class StreamState(Protocol):
    """A stream as its session keeps it."""

    @property
    def is_over(self) -> bool: ...

    @property
    def unread(self) -> object: ...  # truth: whether there is something to read

    @property
    def write(self) -> Enum: ...


StateT = TypeVar("StateT", bound=StreamState)


class Session(session_driver.Session[Any], Protocol[StateT]):
    """The machine below."""

    @property
    def peer(self) -> PeerId | None: ...

    @property
    def reason(self) -> str: ...

    def open_stream(self, now: Instant) -> StateT: ...

    def write(self, stream: StateT, data: memoryview, now: Instant) -> int: ...

    def finish(self, stream: StateT, now: Instant) -> None: ...

    def release(self, stream: StateT, now: Instant) -> None: ...

    def reset(self, stream: StateT, now: Instant) -> None: ...

    def close(self, now: Instant) -> None: ...


SessionT = TypeVar("SessionT", bound=Session[Any])


class SessionStream(ABC, Generic[SessionT, StateT]):
    """One stream."""

    def __init__(self, connection: SessionConnection[SessionT, StateT, Any], state: StateT) -> None:
        self._connection = connection
        self._state = state
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._is_reset = False
        self._is_released = False

    @abstractmethod
    async def read(self, limit: int = 65_536) -> bytes: ...

    @property
    @abstractmethod
    def _is_writable(self) -> bool:
        """Whether our direction is open."""

    @property
    def _is_full(self) -> bool:
        """Whether what was not taken has to wait for room; if not, the next attempt takes more."""
        return True

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        while True:
            if not self._is_writable:
                raise StreamReset(f"the stream takes no more: {self._state.write.value}; {self._reason}")
            view = view[self._connection.put(self._state, view) :]
            if not view:
                return
            if not self._is_full:
                continue
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

    async def _wait_readable(self) -> None:
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    @property
    def _reason(self) -> str:
        if self._is_reset:
            return "this side reset the stream"
        return self._connection.session.reason or "the peer reset the stream"


StreamT = TypeVar("StreamT", bound=SessionStream[Any, Any])


class SessionConnection(ABC, Generic[SessionT, StateT, StreamT]):
    """A connection whose peer has proved who it is."""

    is_limited = False

    def __init__(
        self,
        direction: Direction,
        local_address: Multiaddr,
        remote_address: Multiaddr,
        on_ready: Callable[[Self], None],
    ) -> None:
        """`on_ready` is called once: when the peer is known, or when it is clear that it never will be."""
        self.direction = direction
        self.local_address = local_address
        self.remote_address = remote_address
        self.driver: SessionDriver[SessionT, Any]
        self.session: SessionT
        self._on_ready: Callable[[], None] | None = lambda: on_ready(self)
        self._on_stream: Callable[[MuxedStream], None] | None = None
        self._waiting: list[StreamT] = []  # at most as many as the session lets the peer open, until `start`
        self._streams: dict[StateT, StreamT] = {}
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @abstractmethod
    def _make_stream(self, state: StateT) -> StreamT:
        """Return what a stream is held by."""

    def drive(self, driver: SessionDriver[SessionT, Any]) -> None:
        """Take the driver that tells the session's events."""
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

    def start(self, on_stream: Callable[[MuxedStream], None]) -> None:
        self._on_stream = on_stream
        waiting, self._waiting = self._waiting, []
        for stream in waiting:
            on_stream(stream)

    async def open_stream(self) -> StreamT:
        if self._ended.done():
            raise ConnectionClosed(f"the connection is closed: {self._ended.result()}")
        try:
            state = self.session.open_stream(self.driver.now)
        except LocalProtocolError as error:
            raise ConnectionClosed(str(error)) from error
        self.driver.pump_soon()
        return self._stream(state)

    async def close(self) -> None:
        self.session.close(self.driver.now)
        self.driver.pump()

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._ended)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when it is over."""
        self._ended.add_done_callback(lambda _: callback())

    def put(self, state: StateT, data: memoryview) -> int:
        """Write for a stream; return how many bytes were taken."""
        try:
            taken = self.session.write(state, data, self.driver.now)
        except LocalProtocolError as error:
            raise StreamReset(str(error)) from error
        if taken:
            self.driver.pump_soon()
        return taken

    # What the session tells.

    def _changed(self, state: StateT) -> None:
        stream = self._streams.get(state)
        if stream is not None:
            stream.changed()
            self._let_go(state)

    def _arrived(self, state: StateT) -> None:
        stream = self._stream(state)
        if self._on_stream is None:
            self._waiting.append(stream)
        else:
            self._on_stream(stream)

    def _tell_ready(self) -> None:
        on_ready, self._on_ready = self._on_ready, None
        if on_ready is not None:
            on_ready()

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)
        for stream in list(self._streams.values()):
            stream.changed()
        self._streams.clear()
        self.driver.finish()
        self._tell_ready()

    def _let_go(self, state: StateT) -> None:
        """Forget a stream that is over, once all of it was read."""
        if state.is_over and not state.unread:
            self._streams.pop(state, None)

    def _stream(self, state: StateT) -> StreamT:
        stream = self._streams[state] = self._make_stream(state)
        return stream
