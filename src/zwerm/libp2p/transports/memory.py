"""Connections inside one process, `/memory/7`: for tests of what stands above, and nodes that share a process.

There are no bytes of a handshake: whoever dials says who it is, which a process may believe itself. Streams have
windows, so that a writer waits for a reader as it does on a network.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import LocalProtocolError, RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import ConnectionClosed, Direction, MuxedStream, StreamReset
from zwerm.libp2p.transports.transport import Listener
from zwerm.multiformats.multiaddr import Multiaddr

WINDOW: Final = 262_144  # bytes of one direction of a stream that nobody has read
MAX_STREAMS: Final = 1_024  # open on one connection
FIRST_FREE_PORT: Final = 2**32  # where `/memory/0` is given ports


class MemoryNetwork:
    """Those who can reach each other: the listeners of the transports that were given this one."""

    def __init__(self) -> None:
        self._listeners: dict[int, _MemoryListener] = {}
        self._free_port = FIRST_FREE_PORT

    def listen(self, port: int, transport: MemoryTransport, accept: Callable[[MemoryConnection], None]) -> Listener:
        if port == 0:
            port, self._free_port = self._free_port, self._free_port + 1
        if port in self._listeners:
            raise TransportError(f"cannot listen on /memory/{port}: it is taken")
        listener = self._listeners[port] = _MemoryListener(self, port, transport, accept)
        return listener

    def find(self, port: int) -> _MemoryListener:
        listener = self._listeners.get(port)
        if listener is None:
            raise TransportError(f"nobody listens on /memory/{port}")
        return listener

    def forget(self, port: int) -> None:
        self._listeners.pop(port, None)


class _MemoryListener:
    def __init__(
        self,
        network: MemoryNetwork,
        port: int,
        transport: MemoryTransport,
        accept: Callable[[MemoryConnection], None],
    ) -> None:
        self._network = network
        self._port = port
        self.transport = transport
        self.accept = accept

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        return (_address(self._port),)

    async def close(self) -> None:
        self._network.forget(self._port)


class MemoryTransport:
    """Dials and listens on `/memory/PORT` in one network. Port 0 takes a free one."""

    name = "memory"

    def __init__(
        self, network: MemoryNetwork, peer: PeerId, *, window: int = WINDOW, max_streams: int = MAX_STREAMS
    ) -> None:
        """`peer` is who this is to others."""
        self.peer = peer
        self.window = window
        self.max_streams = max_streams
        self._network = network
        self._listeners: list[Listener] = []
        self.connections: set[MemoryConnection] = set()

    def can_dial(self, address: Multiaddr) -> bool:
        return address.names == ("memory",)

    can_listen = can_dial

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> MemoryConnection:
        listener = self._network.find(_port(address))
        await asyncio.sleep(0)  # as on a network, others have their turn meanwhile
        if peer is not None and peer != listener.transport.peer:
            raise RemoteProtocolError(f"{address} is {listener.transport.peer}, expected {peer}")
        near = MemoryConnection(self, listener.transport.peer, Direction.OUTBOUND, address)
        far = MemoryConnection(listener.transport, self.peer, Direction.INBOUND, address)
        near.join(far)
        listener.accept(far)
        return near

    async def listen(self, address: Multiaddr, on_connection: Callable[[MemoryConnection], None]) -> Listener:
        listener = self._network.listen(_port(address), self, on_connection)
        self._listeners.append(listener)
        return listener

    async def close(self) -> None:
        for listener in self._listeners:
            await listener.close()
        for connection in list(self.connections):
            await connection.close()


class MemoryConnection:
    """One end of a connection."""

    security = "memory"
    muxer = "memory"
    is_limited = False

    def __init__(self, transport: MemoryTransport, remote: PeerId, direction: Direction, address: Multiaddr) -> None:
        self.remote_peer = remote
        self.direction = direction
        self.local_address = self.remote_address = address
        self.streams: set[MemoryStream] = set()
        self._transport = transport
        self._other: MemoryConnection
        self._on_stream: Callable[[MuxedStream], None] | None = None
        self._early: list[MemoryStream] = []
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        transport.connections.add(self)

    def join(self, other: MemoryConnection) -> None:
        """Make `other` the far end."""
        self._other, other._other = other, self

    def start(self, on_stream: Callable[[MuxedStream], None]) -> None:
        if self._on_stream is not None:
            raise LocalProtocolError("the connection was started before")
        self._on_stream = on_stream
        early, self._early = self._early, []
        for stream in early:
            on_stream(stream)

    async def open_stream(self) -> MemoryStream:
        if self._closed.done():
            raise ConnectionClosed(self._closed.result())
        if len(self.streams) >= self._transport.max_streams:
            raise ResourceLimitError(f"{len(self.streams) + 1} streams, the limit is {self._transport.max_streams}")
        window = self._transport.window
        there, back = _Pipe(window), _Pipe(window)
        near, far = MemoryStream(self, back, there), MemoryStream(self._other, there, back)
        asyncio.get_running_loop().call_soon(self._other.accept, far)
        return near

    def accept(self, stream: MemoryStream) -> None:
        """Take a stream that the other end opened."""
        if self._closed.done():
            stream.reset()
        elif self._on_stream is None:
            self._early.append(stream)
        else:
            self._on_stream(stream)

    async def close(self) -> None:
        self.end("closed here")
        self._other.end("the peer closed the connection")

    def end(self, reason: str) -> None:
        """End this end. Idempotent."""
        if self._closed.done():
            return
        self._closed.set_result(reason)
        self._transport.connections.discard(self)
        for stream in list(self.streams):
            stream.reset(reason)

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._closed)


class MemoryStream:
    """One end of a stream."""

    def __init__(self, connection: MemoryConnection, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._connection = connection
        self._incoming = incoming
        self._outgoing = outgoing
        connection.streams.add(self)

    async def read(self, limit: int = 65_536) -> bytes:
        data = await self._incoming.read(limit)
        self._look()
        return data

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        await self._outgoing.write(data)

    async def close_write(self) -> None:
        self._outgoing.end()
        self._look()

    async def close(self) -> None:
        self._outgoing.end()
        self._incoming.ignore()
        self._look()

    def reset(self, reason: str = "the stream was reset") -> None:
        self._incoming.reset(reason)
        self._outgoing.reset(reason)
        self._connection.streams.discard(self)

    def _look(self) -> None:
        if self._incoming.is_over and self._outgoing.is_ended:
            self._connection.streams.discard(self)


class _Pipe:
    """One direction of a stream."""

    def __init__(self, window: int) -> None:
        self.is_ended = False  # the writer has said so
        self._window = window
        self._waiting: deque[bytes] = deque()
        self._taken = 0  # bytes of the first of them
        self._size = 0
        self._is_ignored = False
        self._reason: str | None = None  # why it was reset
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the reader has seen everything, or does not want to."""
        return self._is_ignored or self._reason is not None or (self.is_ended and not self._waiting)

    async def read(self, limit: int) -> bytes:
        while not self._waiting:
            if self._reason is not None:
                raise StreamReset(self._reason)
            if self.is_ended or self._is_ignored:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        first = self._waiting[0]
        data = first[self._taken : self._taken + limit]
        self._taken += len(data)
        self._size -= len(data)
        if self._taken == len(first):
            self._waiting.popleft()
            self._taken = 0
        _wake(self._writer)
        return data

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        rest = memoryview(data).cast("B") if len(data) else memoryview(b"")
        while True:
            if self._reason is not None:
                raise StreamReset(self._reason)
            if self.is_ended:
                raise StreamReset("our direction is closed")
            room = len(rest) if self._is_ignored else min(self._window - self._size, len(rest))
            if room and not self._is_ignored:
                self._waiting.append(bytes(rest[:room]))
                self._size += room
                _wake(self._reader)
            rest = rest[room:]
            if not rest:
                return
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    def end(self) -> None:
        self.is_ended = True
        _wake(self._reader)

    def ignore(self) -> None:
        self._is_ignored = True
        self._waiting.clear()
        self._taken = self._size = 0
        _wake(self._writer)
        _wake(self._reader)

    def reset(self, reason: str) -> None:
        if self._reason is None and not (self.is_ended and self._is_ignored):
            self._reason = reason
            self._waiting.clear()
            self._taken = self._size = 0
            _wake(self._writer)
            _wake(self._reader)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _address(port: int) -> Multiaddr:
    return Multiaddr.from_text(f"/memory/{port}")


def _port(address: Multiaddr) -> int:
    return int(address.value("memory") or 0)
