"""TCP (libp2p specs, "addressing/README.md"): `/ip4/192.0.2.1/tcp/4001`, `/ip6/...`, secured and multiplexed above.

All connections of a loop share one buffer to receive into: what came is used up before the loop turns to the next
socket. So an idle connection holds no buffer at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.core.machine import Address
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.socks.aio import ask_for, destination_of
from zwerm.libp2p.socks.client import Proxy
from zwerm.libp2p.stream import MuxedConnection
from zwerm.libp2p.swarm.secured import SecuredConnection
from zwerm.libp2p.swarm.tasks import Tasks
from zwerm.libp2p.swarm.upgrade import Upgrade
from zwerm.libp2p.transports.tcp_port import PortTaken, connect_from, is_outside, share, source_for
from zwerm.libp2p.transports.transport import Listener
from zwerm.libp2p.transports.wire import Buffer, WireReceiver
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.bad_links import BBR, UNSENT, hurry, outstanding, round_trip, suit
from zwerm.net.interfaces import list_addresses

RECEIVE: Final = 262_144  # bytes that are received at once
LOOK: Final = 3.0  # seconds between looks at whether what was sent gets through
MUCH: Final = 8  # packets on their way from which on we are the one who sends, and speaks first after a pause
CALM: Final = 3  # looks in a row at which it did, until a link that was away is as any other
FULL: Final = 524_288  # bytes that wait to be sent
BACKLOG: Final = 256  # connections that wait to be accepted
PUNCH_AGAIN: Final = 0.1  # seconds between two knocks at a NAT that refuses

_LOG: Final = logging.getLogger("zwerm.libp2p")


class TcpWire(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(
        self, buffer: memoryview, on_made: Callable[[TcpWire], None] | None = None, *, congestion: str = BBR
    ) -> None:
        """`buffer` is what is received into; others use it too, between two calls. `congestion`: as `TcpTransport`."""
        self.is_full = False
        self.local_address: Multiaddr
        self.remote_address: Multiaddr
        self._buffer = buffer
        self._on_made = on_made
        self._congestion = congestion
        self._receiver: WireReceiver | None = None
        self._early = bytearray()  # received before anybody was told, of one read
        self._has_ended = False
        self._transport: asyncio.Transport
        self._is_closing = False
        self._is_far = False  # to another machine
        self._hurried = 0  # looks until the kernel tries no more often than usual
        self._watch: asyncio.TimerHandle | None = None

    @property
    def rtt(self) -> float | None:
        """Seconds to the peer and back; None when the kernel does not say."""
        return None if self._transport.is_closing() else round_trip(self._transport.get_extra_info("socket"))

    def start(self, receiver: WireReceiver) -> None:
        is_first, self._receiver = self._receiver is None, receiver
        if is_first:
            self._transport.resume_reading()
            if self._early:
                early, self._early = self._early, bytearray()
                receiver.wire_received(memoryview(early))
            if self._has_ended:
                receiver.wire_ended()

    def stop(self, rest: bytes) -> None:
        """Tell nobody anything until the next `start`, which is told `rest` first."""
        self._receiver = None
        self._early += rest
        self.pause()

    def write(self, data: Buffer) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
            if self._is_far and self._watch is None:
                self._watch = asyncio.get_running_loop().call_later(LOOK, self._look)

    def pause(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        self._is_closing = True
        self._transport.close()

    def abort(self) -> None:
        self._is_closing = True
        self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's
        self._transport.set_write_buffer_limits(FULL)
        with contextlib.suppress(OSError):  # it is gone already, which is told soon
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if suit(transport.get_extra_info("socket"), self._congestion):
            self._is_far = True
            self._transport.set_write_buffer_limits(UNSENT)
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if not local or not remote:
            self.abort()
            return
        self.local_address, self.remote_address = address_of(local), address_of(remote)
        self._transport.pause_reading()  # until somebody is told
        if self._on_made is not None:
            self._on_made(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 -- asyncio's name
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_closing:
            return
        if self._receiver is not None:
            self._receiver.wire_received(self._buffer[:nbytes])
        else:  # uvloop begins to read after `connection_made`, whatever that said
            self._early += self._buffer[:nbytes]
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._receiver is not None:
            self._receiver.wire_ended()
        return True  # what we have to say can still be sent

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        if self._receiver is not None:
            self._receiver.wire_writable()

    def _look(self) -> None:
        """Have the kernel try more often while nothing gets through, and for a moment after.

        Who has sent little leaves the first word to the other: what it says of packets from before the pause would make
        the kernel of the one who sent much take its own attempts for needless (F-RTO), and wait another second.
        """
        self._watch = None
        if self._transport.is_closing():
            return
        connection = self._transport.get_extra_info("socket")
        unacknowledged, tries = outstanding(connection)
        if tries > 1 and unacknowledged >= MUCH:
            if not self._hurried:
                hurry(connection, is_urgent=True)
            self._hurried = CALM
        elif self._hurried:
            self._hurried -= 1
            if not self._hurried:
                hurry(connection, is_urgent=False)
        if unacknowledged or self._hurried:
            self._watch = asyncio.get_running_loop().call_later(LOOK, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._receiver is not None:
            self._receiver.wire_lost(f"the connection broke: {exc}" if exc else "the connection was closed")


class TcpTransport:
    """Dials and listens on TCP."""

    name = "tcp"

    def __init__(self, upgrade: Upgrade, *, proxy: Proxy | None = None, congestion: str = BBR) -> None:
        """Begin.

        Args:
            upgrade: makes connections of what is opened here.
            proxy: who makes the connections that we dial, and resolves their names; None: nobody in between.
            congestion: how the kernel finds the rate of a link, if it can do that; empty: as the system is set up.
        """
        self._upgrade = upgrade
        self._congestion = congestion
        self._proxy = proxy
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(RECEIVE))
        self._tasks = Tasks()
        self._listeners: list[_TcpListener] = []
        self._is_closed = False
        self._connections: set[SecuredConnection] = set()

    def can_dial(self, address: Multiaddr) -> bool:
        return self.can_listen(address) if self._proxy is None else destination_of(address) is not None

    def can_listen(self, address: Multiaddr) -> bool:
        return address.names in (("ip4", "tcp"), ("ip6", "tcp"))

    async def dial(self, address: Multiaddr, peer: PeerId | None, *, from_listening: bool = True) -> MuxedConnection:
        """As the interface says. `from_listening`: leave from the port that is listened on, if that leads outside."""
        proxy, destination = self._proxy, destination_of(address)
        if destination is None:
            raise TransportError(f"{address} is no address of TCP")
        if proxy is None and from_listening and is_outside(destination[0]):
            source = self._source(destination[0])
            if source is not None:
                return await self._dial_from(source, destination, peer)
        host, port = destination if proxy is None else (proxy.host, proxy.port)
        try:
            _, wire = await self._loop.create_connection(self._make_wire, host, port)
        except OSError as error:
            raise TransportError(f"{'connect' if proxy is None else 'proxy'}: {error.strerror or error}") from error
        if proxy is not None:
            await ask_for(wire, proxy, *destination)
            wire.remote_address = address
        connection = await self._upgrade.dial(wire, peer)
        self._keep(connection)
        return connection

    def _source(self, host: str) -> Address | None:
        return source_for(host, [name for listener in self._listeners for name in listener.names])

    async def _dial_from(self, source: Address, destination: Address, peer: PeerId | None) -> MuxedConnection:
        """Dial from a port that is listened on; from one of its own where that is in use, or meets the other's dial."""
        try:
            wire = await self._connect(source, destination)
            try:
                return self._keep(await self._upgrade.dial(wire, peer))
            except RemoteProtocolError:  # both dialled at once and opened one connection, of which both are the client
                wire = await self._connect(None, destination)
        except PortTaken:
            wire = await self._connect(None, destination)
        return self._keep(await self._upgrade.dial(wire, peer))

    def _make_wire(self) -> TcpWire:
        return TcpWire(self._buffer, congestion=self._congestion)

    async def _connect(self, source: Address | None, destination: Address) -> TcpWire:
        """Connect.

        Raises:
            PortTaken: there is a connection between these ends.
            TransportError: nobody is there.
        """
        try:
            if source is None:
                _, wire = await self._loop.create_connection(self._make_wire, *destination)
            else:
                made = await connect_from(source, destination)
                _, wire = await self._loop.create_connection(self._make_wire, sock=made)
        except PortTaken:
            raise
        except OSError as error:
            raise TransportError(f"connect: {error.strerror or error}") from error
        return wire

    def can_punch(self, address: Multiaddr) -> bool:
        return self._proxy is None and self.can_listen(address) and self._source(endpoint_of(address)[0]) is not None

    async def punch(self, address: Multiaddr, peer: PeerId, *, is_client: bool) -> MuxedConnection:
        """As the interface says. What a NAT refuses is tried again: the other side's way may not be open yet."""
        destination = endpoint_of(address)
        while True:
            source = self._source(destination[0])
            if source is None:
                raise TransportError("nothing is listened on any more")
            try:
                wire = await self._connect(source, destination)
            except PortTaken as error:
                raise TransportError(f"connect: {error.strerror or error}") from error
            except TransportError:
                await asyncio.sleep(PUNCH_AGAIN)
                continue
            if is_client:
                return self._keep(await self._upgrade.dial(wire, peer))
            return self._keep(await self._upgrade.accept(wire, peer))

    async def listen(self, address: Multiaddr, on_connection: Callable[[MuxedConnection], None]) -> Listener:
        host, port = endpoint_of(address)

        def accept(wire: TcpWire) -> None:
            if self._is_closed:
                wire.abort()
            else:
                self._tasks.spawn(self._accept(wire, on_connection), f"accept {wire.remote_address}")

        try:
            server = await self._loop.create_server(
                lambda: TcpWire(self._buffer, accept, congestion=self._congestion),
                host,
                port,
                backlog=BACKLOG,
                reuse_address=True,
            )
        except OSError as error:
            raise TransportError(f"cannot listen on {address}: {error.strerror or error}") from error
        listener = _TcpListener(server)
        self._listeners.append(listener)
        return listener

    async def close(self) -> None:
        self._is_closed = True
        for listener in self._listeners:
            await listener.close()
        await self._tasks.close()
        await asyncio.gather(*(connection.close() for connection in list(self._connections)))

    async def _accept(self, wire: TcpWire, on_connection: Callable[[MuxedConnection], None]) -> None:
        try:
            connection = await self._upgrade.accept(wire)
        except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
            _LOG.info("connection from %s came to nothing: %s", wire.remote_address, error)
            return
        self._keep(connection)
        on_connection(connection)

    def _keep(self, connection: SecuredConnection) -> SecuredConnection:
        self._connections.add(connection)
        connection.on_lost(lambda: self._connections.discard(connection))
        return connection


class _TcpListener:
    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.names: list[Address] = [each.getsockname()[:2] for each in server.sockets]
        share(server.sockets)

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        found: list[Multiaddr] = []
        for host, port in self.names:
            if not ipaddress.ip_address(host).is_unspecified:
                found.append(address_of((host, port)))
                continue
            found += [
                address_of((each.address, port))
                for each in list_addresses()
                if each.is_ipv6 == (":" in host) and not each.is_link_local  # which needs a zone
            ]
        return tuple(found)

    async def close(self) -> None:
        self._server.close()


def address_of(name: tuple[str, int] | tuple[str, int, int, int]) -> Multiaddr:
    """Return what a socket calls an end of itself as a multiaddr. IPv4 inside IPv6 is IPv4, and zones are left out."""
    ip = ipaddress.ip_address(name[0].partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return Multiaddr.from_text(f"/ip{ip.version}/{ip}/tcp/{name[1]}")


def endpoint_of(address: Multiaddr) -> Address:
    """Return the IP address and port of `/ip4/.../tcp/...` or `/ip6/.../tcp/...`."""
    return address.components[0].text, int(address.components[1].text)
