"""QUIC as a transport: a listener and a dialer (libp2p specs, "quic/README.md")."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from zwerm.core.errors import RemoteProtocolError, TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.core.random import SYSTEM, Random
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import Direction, MuxedConnection
from zwerm.libp2p.transports.quic.address import PROTOCOL, matches, multiaddr_of, socket_address
from zwerm.libp2p.transports.quic.admission import Admission, Answer, Begin, Load, Retry
from zwerm.libp2p.transports.quic.config import Config
from zwerm.libp2p.transports.webrtc_direct.admission import host_of
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.interfaces import list_addresses
from zwerm.net.shared_udp import UdpPorts

if TYPE_CHECKING:
    from zwerm.libp2p.transports.quic.assembly import QuicIdentity
    from zwerm.libp2p.transports.quic.connection import QuicConnection
    from zwerm.libp2p.transports.quic.port import Port

OnConnection = Callable[[MuxedConnection], None]


class QuicTransport:
    """Dials and listens on `/ip4/.../udp/.../quic-v1`."""

    name = PROTOCOL

    def __init__(
        self,
        key: PrivateKey,
        *,
        ports: UdpPorts | None = None,
        config: Config | None = None,
        random: Random = SYSTEM,
    ) -> None:
        """`key` is the node's; `ports` are the sockets that it shares with other transports."""
        self.config = config or Config()
        self.random = random
        self.ports = ports or UdpPorts()
        self._key = key
        self._made: QuicIdentity | None = None
        self._listeners: dict[QuicListener, None] = {}
        self._connections: set[QuicConnection] = set()

    def can_dial(self, address: Multiaddr) -> bool:
        return matches(address)

    def can_listen(self, address: Multiaddr) -> bool:
        return matches(address)

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> QuicConnection:
        from zwerm.libp2p.transports.quic.connection import QuicConnection

        remote = socket_address(address)
        source = _source_of_route(remote)
        port = self._port_to(source)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_ready(_: QuicConnection) -> None:
            if not ready.done():
                ready.set_result(None)

        local = multiaddr_of((source, port.address[1]))
        connection = QuicConnection(Direction.OUTBOUND, local, address.decapsulate("p2p") or address, on_ready)
        session = self._identity.dial(remote, peer, now=time.monotonic(), wall_time=time.time())
        connection.drive(port.attach(session, remote, connection.handle))
        self._keep(connection)
        connection.driver.pump()
        try:
            await ready
        except asyncio.CancelledError:
            await connection.close()
            raise
        if not connection.is_ready:
            failure = RemoteProtocolError if session.is_peer_wrong else TransportError
            raise failure(f"{PROTOCOL} to {address}: {session.reason}")
        return connection

    async def listen(self, address: Multiaddr, on_connection: OnConnection) -> QuicListener:
        listener = QuicListener(self, socket_address(address), on_connection)
        self._listeners[listener] = None
        return listener

    async def close(self) -> None:
        for listener in list(self._listeners):
            await listener.close()
        for connection in list(self._connections):
            await connection.close()

    def _port_to(self, source: str) -> Port:
        """The port of a listener that packets from the local address `source` may go out by, or a new one.

        What others see is then the address at which this node is reached.
        """
        from zwerm.libp2p.transports.quic.port import Port

        wildcard = "::" if ":" in source else "0.0.0.0"  # noqa: S104 - compared, not bound
        for listener in self._listeners:
            if listener.port.address[0] in (source, wildcard):
                return listener.port
        port = Port(self.ports, (source, 0))
        port.mark_closing()
        return port

    @property
    def _identity(self) -> QuicIdentity:
        if self._made is None:
            from zwerm.libp2p.transports.quic.assembly import QuicIdentity

            self._made = QuicIdentity(self._key, self.random, time.time(), self.config)
        return self._made

    # For listeners.

    def forget_listener(self, listener: QuicListener) -> None:
        self._listeners.pop(listener, None)

    def accept(
        self, begin: Begin, data: bytes, source: Address, local: Address, port: Port, on_connection: OnConnection
    ) -> None:
        """Begin the connection of a stranger; it is handed over when it has proved who it is."""
        from zwerm.libp2p.transports.quic.connection import QuicConnection

        def on_ready(connection: QuicConnection) -> None:
            if connection.is_ready:
                on_connection(connection)

        connection = QuicConnection(Direction.INBOUND, multiaddr_of(local), multiaddr_of(source), on_ready)
        session = self._identity.accept(begin, now=time.monotonic(), wall_time=time.time())
        driver = port.attach(session, source, connection.handle)
        connection.drive(driver)
        self._keep(connection)
        port.know(begin.retry_source or begin.original_destination, driver)
        driver.receive([data], source, local)

    def _keep(self, connection: QuicConnection) -> None:
        self._connections.add(connection)
        connection.on_end(lambda: self._connections.discard(connection))


class QuicListener:
    """One UDP socket, and the connections that came to it or go out by it."""

    def __init__(self, transport: QuicTransport, address: Address, on_connection: OnConnection) -> None:
        from zwerm.libp2p.transports.quic.port import Port

        self._transport = transport
        self._on_connection = on_connection
        self._admission = Admission(transport.config, transport.random)
        self.port = Port(transport.ports, address, self._receive_stranger)

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        host, port = self.port.address
        hosts = _hosts_of(host) if self.port.is_everywhere else [host]
        return tuple(multiaddr_of((one, port)) for one in hosts)

    @property
    def handshakes(self) -> int:
        """How many of those who came have not proved who they are."""
        return self._handshakes().total()

    @property
    def dropped(self) -> int:
        """How many packets of strangers nothing was done for."""
        return self._admission.dropped

    async def close(self) -> None:
        self._transport.forget_listener(self)
        self.port.close_when_idle()
        for driver in self.port.drivers:
            if driver.session.peer is None:
                driver.session.close(driver.now, "the listener was closed")
                driver.pump()

    def _handshakes(self) -> Counter[str]:
        """How many are under way, by host."""
        return Counter(host_of(driver.remote[0]) for driver in self.port.drivers if driver.session.peer is None)

    def _receive_stranger(self, data: bytes, source: Address, local: Address) -> None:
        under_way = self._handshakes()
        load = Load(len(self.port), under_way.total(), under_way[host_of(source[0])])
        match self._admission.receive(data, source, time.monotonic(), load):
            case Begin() as begin:
                self._transport.accept(begin, data, source, local, self.port, self._on_connection)
            case Retry() as retry:
                from zwerm.libp2p.transports.quic.assembly import retry_packet

                self._answer(retry_packet(retry), source, local)
            case Answer(answer):
                self._answer(answer, source, local)
            case None:
                pass

    def _answer(self, data: bytes, source: Address, local: Address) -> None:
        self.port.send(Transmit(data, source, None, local if self.port.is_everywhere else None))


def _source_of_route(remote: Address) -> str:
    """The address of this machine from which `remote` is reached.

    Raises:
        TransportError: none.
    """
    host, port = remote
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0)  # it only asks the kernel for a route
        try:
            probe.connect((host, port or 1))
        except OSError as error:
            raise TransportError(f"no route to {host}: {error}") from error
        name: str = probe.getsockname()[0]
        return name


def _hosts_of(unspecified: str) -> list[str]:
    """Every address of this machine that a socket on the unspecified one is reached at."""
    is_ipv6 = unspecified == "::"
    return [one.address for one in list_addresses() if one.is_ipv6 == is_ipv6 and not one.is_link_local]
