"""The TURN server on real sockets: UDP, TCP and TLS towards clients, UDP towards peers.

Everything runs on one loop, and no task is made for a packet. A client on a stream that does not read fast enough
loses what is relayed to it, as on a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import operator
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from zwerm.core.errors import TransportError, WireError
from zwerm.core.machine import Address
from zwerm.core.random import SYSTEM
from zwerm.net.alarm import Alarm
from zwerm.net.pool import CAN_FORBID_FRAGMENTS, IcmpError, PooledSocket, UdpPool
from zwerm.net.recvmmsg import Arrival
from zwerm.net.udp import RECEIVE_BUFFER
from zwerm.webrtc.stun.attributes import Icmp
from zwerm.webrtc.stun.stream import MessageStream
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.credentials import Users
from zwerm.webrtc.turn.server.config import FiveTuple, TurnServerConfig
from zwerm.webrtc.turn.server.forwarding import Departure
from zwerm.webrtc.turn.server.handover import Handover, worker_of
from zwerm.webrtc.turn.server.opening import OpenRelay
from zwerm.webrtc.turn.server.server import Statistics, TurnServer
from zwerm.webrtc.turn.server.shared import SharedCounts

MAX_BATCH: Final = 65_536  # bytes handed on at once: as far as a client's unread data may pass its limit
MAX_HANDOVERS: Final = 64  # messages of other workers taken at once
MAX_HANDOVER_SIZE: Final = 70_000


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceConfig:
    """Where a server listens besides, and what streams may cost."""

    tls: ssl.SSLContext | None = None
    tls_listening: tuple[Address, ...] = ()
    max_connections: int = 4_096  # clients on streams at once
    handshake_time: float = 10.0  # seconds until TLS is set up, or the client is hung up on
    login_time: float = 30.0  # seconds until a client on a stream has an allocation, or is hung up on
    max_unread: int = 1_048_576  # bytes that wait for a client on a stream before what comes is dropped


class Inherited(NamedTuple):
    """The sockets of one listening address, bound by somebody else; all workers have such of the same port."""

    transport: Transport  # UDP, TCP or TLS
    socket: socket.socket


class Crew(NamedTuple):
    """What a worker process has of the others."""

    shared: SharedCounts
    inbox: socket.socket  # a Unix datagram socket, for handovers to this worker
    outboxes: dict[int, socket.socket]  # of the other workers, by number
    ports: range  # of all


class TurnService:
    """A TURN server that listens, or one worker process of it."""

    def __init__(
        self,
        config: TurnServerConfig,
        users: Users,
        service: ServiceConfig | None = None,
        *,
        nonce_key: bytes | None = None,
        inherited: Sequence[Inherited] = (),
        crew: Crew | None = None,
        started: float | None = None,
    ) -> None:
        """Workers share `nonce_key` and `started`, an instant; `inherited` is listened on instead of the config's."""
        self._config = config
        self._inherited = inherited
        self._crew = crew
        self._started = started
        self._users = users
        self.limits = service or ServiceConfig()
        self._nonce_key = nonce_key
        self._sockets: dict[Address, PooledSocket] = {}
        self.connections: dict[FiveTuple, _Connection] = {}
        self._listeners: list[asyncio.Server] = []
        self.addresses: list[tuple[Transport, Address]] = []  # where it listens, once started

    async def start(self) -> None:
        """Listen everywhere; port 0 lets the system choose, for UDP and TCP alike.

        Raises:
            TransportError: an address is not ours, or a port is taken. Nothing is left open.
        """
        self.loop = asyncio.get_running_loop()
        self._alarm = Alarm(self.loop, self._wake)
        self._pool = UdpPool()
        try:
            listening = await self._listen_inherited() if self._inherited else await self._listen_everywhere()
        except OSError as error:
            await self.close()
            raise TransportError(f"cannot listen: {error.strerror or error}") from error
        except TransportError:
            await self.close()
            raise
        now = self.loop.time()
        self.server = TurnServer(
            dataclasses.replace(
                self._config,
                listening=listening,
                dont_fragment=self._config.dont_fragment and CAN_FORBID_FRAGMENTS,
            ),
            self._users,
            now=now if self._started is None else self._started,
            random=SYSTEM,
            unix_offset=time.time() - now,
            nonce_key=self._nonce_key,
            shared=self._crew.shared if self._crew else None,
        )
        if self._crew is not None:
            self._crew.inbox.setblocking(False)  # noqa: FBT003
            self.loop.add_reader(self._crew.inbox.fileno(), self._receive_handovers)

    async def close(self) -> None:
        """Close everything; clients find out by themselves. Twice is harmless."""
        if self._crew is not None:
            self.loop.remove_reader(self._crew.inbox.fileno())
        for listener in self._listeners:
            listener.close()
        for connection in list(self.connections.values()):
            connection.abort()
        self._pool.close()
        self._sockets.clear()
        self._alarm.set(None)
        for listener in self._listeners:
            await listener.wait_closed()
        self._listeners.clear()

    def statistics(self) -> Statistics:
        return self.server.statistics()

    async def _listen_everywhere(self) -> tuple[Address, ...]:
        listening = tuple([await self._listen(address) for address in self._config.listening])
        for address in self.limits.tls_listening:
            bound = await self._listen_stream(address, Transport.TLS)
            self.addresses.append((Transport.TLS, bound))
        return listening

    async def _listen_inherited(self) -> tuple[Address, ...]:
        listening: list[Address] = []
        for transport, sock in self._inherited:
            if transport is Transport.UDP:
                udp = self._pool.adopt(sock, self._receive_from_clients)
                self._sockets[udp.address] = udp
                listening.append(udp.address)
                bound = udp.address
            else:
                bound = await self._listen_stream(sock, transport)
            self.addresses.append((transport, bound))
        return tuple(listening)

    async def _listen(self, address: Address) -> Address:
        """Listen for datagrams and streams on one port."""
        for _ in range(20):
            udp = self._pool.open(address, self._receive_from_clients, receive_buffer=RECEIVE_BUFFER)
            try:
                bound = await self._listen_stream(udp.address, Transport.TCP)
            except OSError:
                udp.close()
                if address[1] != 0:
                    raise
                continue  # the port is free for UDP only: another one, as any will do
            self._sockets[bound] = udp
            self.addresses += [(Transport.UDP, bound), (Transport.TCP, bound)]
            return bound
        raise TransportError(f"no port of {address[0]} is free for both UDP and TCP")

    async def _listen_stream(self, where: Address | socket.socket, transport: Transport) -> Address:
        tls = self.limits.tls if transport is Transport.TLS else None
        patience = self.limits.handshake_time if tls is not None else None
        if isinstance(where, socket.socket):
            listener = await self.loop.create_server(
                lambda: _Connection(self, transport), sock=where, ssl=tls, ssl_handshake_timeout=patience
            )
        else:
            listener = await self.loop.create_server(
                lambda: _Connection(self, transport), *where, ssl=tls, ssl_handshake_timeout=patience
            )
        self._listeners.append(listener)
        host, port = listener.sockets[0].getsockname()[:2]
        return host, port

    # What comes in.

    def _receive_from_clients(self, udp: PooledSocket, arrivals: list[Arrival]) -> None:
        pool, now = self._pool, self.loop.time()
        departures, rest = self.server.forwarding.from_clients(udp.address, pool.buffer, pool.view, arrivals, now)
        if departures:
            self._send(departures)
        if rest:
            for source, datagrams in batches(pool.view, rest):
                client = FiveTuple(Transport.UDP, source, udp.address)
                self.server.receive_from_client(datagrams, client, now)
            self.carry_out()

    def _receive_from_peers(self, udp: PooledSocket, arrivals: list[Arrival]) -> None:
        pool, now = self._pool, self.loop.time()
        departures, rest = self.server.forwarding.from_peers(udp.address, pool.buffer, pool.view, arrivals, now)
        if departures:
            self._send(departures)
        if rest:
            for source, datagrams in batches(pool.view, rest):
                self.server.receive_from_peer(udp.address, datagrams, source, now)
            self.carry_out()

    def _receive_icmp(self, udp: PooledSocket, error: IcmpError) -> None:
        icmp = Icmp(error.type, error.code, error.data)
        self.server.receive_icmp(udp.address, error.destination, icmp, self.loop.time())
        self.carry_out()

    def _send(self, departures: list[Departure]) -> None:
        sockets = self._sockets
        for departure in departures:
            udp = sockets.get(departure.local)
            if udp is not None:
                udp.send(departure.pieces, departure.destination, departure.segment_size)

    def _receive_handovers(self) -> None:
        """Take what other workers sent; each message was checked by them, and is parsed all the same."""
        crew = self._crew
        for _ in range(MAX_HANDOVERS):
            try:
                data = crew.inbox.recv(MAX_HANDOVER_SIZE) if crew is not None else b""
                self.server.receive_handover(Handover.parse(data), self.loop.time())
            except (OSError, WireError):
                break
        self.carry_out()

    def _hand_over(self, handover: Handover) -> None:
        crew = self._crew
        number = worker_of(handover.destination[1], crew.ports, len(crew.outboxes) + 1) if crew is not None else None
        outbox = crew.outboxes.get(number) if crew is not None and number is not None else None
        if outbox is not None:
            with contextlib.suppress(OSError):  # it is full: lost, as on a network
                outbox.send(handover.serialize(), socket.MSG_DONTWAIT)

    def _wake(self) -> None:
        self.server.handle_timeout(self.loop.time())
        self.carry_out()

    # What goes out.

    def carry_out(self) -> None:
        server = self.server
        while (event := server.next_event()) is not None:
            if isinstance(event, OpenRelay):
                self._open(event.local)
            else:
                udp = self._sockets.pop(event.local, None)
                if udp is not None:
                    udp.close()
        while (transmit := server.next_transmit()) is not None:
            udp = self._sockets.get(transmit.source) if transmit.source is not None else None
            if udp is not None:
                udp.transmit(transmit)
        while (transmit := server.next_whole()) is not None:
            udp = self._sockets.get(transmit.source) if transmit.source is not None else None
            if udp is not None:
                udp.transmit_whole(transmit)
        while (handover := server.next_handover()) is not None:
            self._hand_over(handover)
        while (item := server.next_stream_data()) is not None:
            client, data = item
            connection = self.connections.get(client)
            if connection is not None:
                connection.write(data)
        self._alarm.set(self.server.next_timeout())

    def _open(self, local: Address) -> None:
        now = self.loop.time()
        try:
            udp = self._sockets[local] = self._pool.open(local, self._receive_from_peers)
            udp.watch_icmp(self._receive_icmp)
        except TransportError:
            self.server.relay_failed(local, now)
            return
        self.server.relay_opened(local, now)


def batches(view: memoryview, arrivals: list[Arrival]) -> Iterator[tuple[Address, list[bytes]]]:
    """Copy datagrams out of the buffer, those of one source that follow each other together, to `MAX_BATCH`."""
    for source, group in itertools.groupby(arrivals, operator.itemgetter(0)):
        datagrams: list[bytes] = []
        total = 0
        for _, start, size, segment in group:
            if total and total + size > MAX_BATCH:
                yield source, datagrams
                datagrams, total = [], 0
            cuts = range(start, start + size, segment) if segment else (start,)
            datagrams += [bytes(view[cut : min(cut + segment, start + size)]) for cut in cuts]
            total += size
        if datagrams:
            yield source, datagrams


class _Connection(asyncio.Protocol):
    """One client over TCP or TLS."""

    def __init__(self, service: TurnService, transport: Transport) -> None:
        self._service = service
        self._kind = transport
        self._stream = MessageStream()
        self._client: FiveTuple | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        service = self._service
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if peer is None or len(service.connections) >= service.limits.max_connections:
            self._transport.abort()
            return
        self._client = FiveTuple(self._kind, (peer[0], peer[1]), (local[0], local[1]))
        service.connections[self._client] = self
        self._patience = service.loop.call_later(service.limits.login_time, self._hang_up)

    def data_received(self, data: bytes) -> None:
        service = self._service
        if self._client is None:
            return
        messages = self._stream.receive_untrusted(data)
        service.server.receive_from_client(messages, self._client, service.loop.time())
        service.carry_out()
        if self._stream.failure is not None:
            self._transport.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        service = self._service
        if self._patience is not None:
            self._patience.cancel()
        if self._client is not None:
            service.connections.pop(self._client, None)
            service.server.client_gone(self._client)
            service.carry_out()

    def write(self, data: bytes) -> None:
        if self._transport.get_write_buffer_size() < self._service.limits.max_unread:
            self._transport.write(data)

    def abort(self) -> None:
        with contextlib.suppress(AttributeError):
            self._transport.abort()

    def _hang_up(self) -> None:
        """Time to log in is over."""
        if self._client is None or not self._service.server.has_allocation(self._client):
            self._transport.abort()
