"""An ICE agent on asyncio: one UDP socket for each local address, TCP connections where the agent asks for them.

    transport = IceTransport(Agent(Role.CONTROLLING, random=SYSTEM), on_event=signal)
    await transport.open(["192.0.2.1", "2001:db8::1"])
    transport.command(transport.agent.set_remote, credentials)
    await transport.wait_connected()
    transport.send(b"hello")

Names of multicast DNS are the caller's: it sees `RegisterName` and `ResolveName` among the events. Bulk data goes
through `zwerm.net`, which knows batches; this shell takes one datagram at a time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address, Drained, drain
from zwerm.webrtc.ice.agent import Agent
from zwerm.webrtc.ice.candidate import TcpType
from zwerm.webrtc.ice.config import ServerTransport
from zwerm.webrtc.ice.events import (
    CloseStream,
    ConnectionState,
    ConnectionStateChanged,
    DataReceived,
    Event,
    OpenStream,
    SendStream,
)
from zwerm.webrtc.ice.gather import ACTIVE_PORT

MAX_WAITING = 1_024  # datagrams that nobody received; then new ones are dropped
MAX_UNSENT = 1_048_576  # bytes in a TCP connection's buffer; then frames are dropped, as UDP would

_CONNECTED = (ConnectionState.CONNECTED, ConnectionState.COMPLETED)
_OVER = (ConnectionState.FAILED, ConnectionState.CLOSED)


class _Datagrams(asyncio.DatagramProtocol):
    """One socket."""

    def __init__(self, owner: IceTransport) -> None:
        self._owner = owner
        self._local: Address = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._local = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._owner._receive(data, (addr[0], addr[1]), self._local)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: checks that are not answered tell as much."""


class _Stream(asyncio.Protocol):
    """One TCP connection; accepted ones get their number when they are made."""

    def __init__(self, owner: IceTransport, number: int | None) -> None:
        self._owner = owner
        self._number = number

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._number = self._owner._stream_made(self._number, transport)

    def data_received(self, data: bytes) -> None:
        if self._number is not None:
            self._owner._stream_received(self._number, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name; the reason changes nothing
        if self._number is not None:
            self._owner._stream_lost(self._number)


class IceTransport:
    """One agent on real sockets. It owns them until `close`."""

    def __init__(self, agent: Agent, *, on_event: Callable[[Event], object] | None = None) -> None:
        """`on_event` is told every event but data; it may give the agent commands through `command`."""
        self.agent = agent
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[Address, asyncio.DatagramTransport] = {}
        self._servers: list[asyncio.Server] = []
        self._streams: dict[int, asyncio.Transport] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._data: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._is_pumping = False

    async def open(self, hosts: Iterable[str], *, tcp: bool = False, ports: Sequence[int] = ()) -> None:
        """Bind a UDP socket on each host, with `tcp` a listening one too, and gather.

        `ports` are taken in the order of the hosts; where there is none, the kernel chooses.

        Raises:
            TransportError: an address cannot be bound. Sockets that were bound stay so until `close`.
        """
        for index, host in enumerate(hosts):
            port = ports[index] if index < len(ports) else 0
            try:
                await self._bind(host, port, tcp=tcp)
            except OSError as error:
                raise TransportError(f"{host} port {port}: {error.strerror or error}") from error
        self.command(self.agent.gather)

    def command(self, verb: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call a verb of the agent that takes the time last, and carry out what follows."""
        result = verb(*arguments, self._loop.time(), **options)
        self._pump()
        return result

    def send(self, data: bytes) -> bool:
        """Send a datagram on the selected pair; False when there is none, or no consent."""
        sent: bool = self.command(self.agent.send, data)
        return sent

    async def receive(self) -> bytes:
        """Return the next datagram of a validated pair. Cancelling this call loses none.

        Raises:
            TransportError: the agent was closed, and nothing is left.
        """
        data = await self._data.get()
        if data is None:
            self._data.put_nowait(None)  # the next reader must find the end too
            raise TransportError("the ICE transport is closed")
        return data

    async def wait_connected(self) -> None:
        """Wait until there is a pair to send on.

        Raises:
            TransportError: there is none, or the agent was closed.
        """
        while self.agent.state not in _CONNECTED:
            if self.agent.state in _OVER:
                raise TransportError(f"the ICE transport is {self.agent.state.value}")
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """Close the agent and every socket. Twice is harmless."""
        self.command(self.agent.close)
        if self._timer is not None:
            self._timer.cancel()
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for server in self._servers:
            server.close()
        for transport in [*self._sockets.values(), *self._streams.values()]:
            transport.close()
        self._data.put_nowait(None)
        await asyncio.sleep(0)  # transports tell their protocols in the next turn of the loop

    async def _bind(self, host: str, port: int, *, tcp: bool) -> None:
        transport, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(host, port))
        address = transport.get_extra_info("sockname")[:2]
        self._sockets[address] = transport
        self.command(lambda now: self.agent.add_local_address(address, now))
        if tcp:
            server = await self._loop.create_server(lambda: _Stream(self, None), host, 0)
            self._servers.append(server)
            passive = server.sockets[0].getsockname()[:2]
            self.command(lambda now: self.agent.add_local_address(passive, now, tcp_type=TcpType.PASSIVE))
            active = (host, ACTIVE_PORT)
            self.command(lambda now: self.agent.add_local_address(active, now, tcp_type=TcpType.ACTIVE))

    # What the sockets bring.

    def _receive(self, data: bytes, source: Address, local: Address) -> None:
        self.agent.receive_datagram(data, source, self._loop.time(), local=local)
        self._pump()

    def _stream_made(self, number: int | None, transport: asyncio.Transport) -> int | None:
        if number is None:
            local, remote = (transport.get_extra_info(name)[:2] for name in ("sockname", "peername"))
            number = self.command(lambda now: self.agent.stream_accepted(local, remote, now))
            if number is None:
                transport.close()
                return None
        self._streams[number] = transport
        self.command(self.agent.stream_opened, number)
        return number

    def _stream_received(self, number: int, data: bytes) -> None:
        self.command(self.agent.receive_stream_data, number, data)

    def _stream_lost(self, number: int) -> None:
        if self._streams.pop(number, None) is not None:
            self.command(self.agent.stream_closed, number)

    # What the agent wants.

    def _pump(self) -> None:
        if self._is_pumping:
            return  # an event's handler gave a command: the loop below takes up what came of it
        self._is_pumping = True
        try:
            while True:
                drained: Drained[Event] = drain(self.agent)
                for transmit in drained.transmits:
                    socket = self._sockets.get(transmit.source) if transmit.source is not None else None
                    if socket is not None and not socket.is_closing():
                        socket.sendto(transmit.data, transmit.destination)
                for event in drained.events:
                    self._take(event)
                if not drained.transmits and not drained.events:
                    break
        finally:
            self._is_pumping = False
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if drained.timeout is None else self._loop.call_at(drained.timeout, self._wake)

    def _wake(self) -> None:
        self.agent.handle_timeout(self._loop.time())
        self._pump()

    def _take(self, event: Event) -> None:
        match event:
            case DataReceived(data, _):
                if self._data.qsize() < MAX_WAITING:
                    self._data.put_nowait(data)
                return
            case SendStream(stream, data):
                transport = self._streams.get(stream)
                if transport is not None and transport.get_write_buffer_size() < MAX_UNSENT:
                    transport.write(data)
                return
            case OpenStream():
                task = self._loop.create_task(self._connect(event))
                self._connecting.add(task)
                task.add_done_callback(self._connecting.discard)
            case CloseStream(stream):
                closing = self._streams.pop(stream, None)
                if closing is not None:
                    closing.close()
            case ConnectionStateChanged():
                self._changed.set()
        if self._on_event is not None:
            self._on_event(event)

    async def _connect(self, wanted: OpenStream) -> None:
        server = wanted.server
        with_tls = server is not None and server.transport is ServerTransport.TLS
        try:
            await self._loop.create_connection(
                lambda: _Stream(self, wanted.stream),
                wanted.remote[0],
                wanted.remote[1],
                local_addr=wanted.local,
                ssl=ssl.create_default_context() if with_tls else None,
                server_hostname=(server.name or wanted.remote[0]) if server is not None and with_tls else None,
            )
        except OSError:
            self.command(self.agent.stream_closed, wanted.stream)
