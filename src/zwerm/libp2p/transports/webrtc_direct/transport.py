"""webrtc-direct as a transport: a listener for browsers and others, and a dialer (libp2p specs, webrtc-direct.md)."""

from __future__ import annotations

import asyncio
import functools
import socket
import time
from collections.abc import Callable, Sequence
from random import Random

from zwerm.core.errors import RemoteProtocolError, TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.core.random import SYSTEM
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.noise.handshake import NoiseHandshake, NoiseIdentity
from zwerm.libp2p.secure import SecureHandshake
from zwerm.libp2p.stream import Direction, MuxedConnection
from zwerm.libp2p.transports.webrtc_direct.address import (
    PROTOCOL,
    listening_address,
    matches,
    parse_target,
    socket_address,
)
from zwerm.libp2p.transports.webrtc_direct.admission import Admission, Caller
from zwerm.libp2p.transports.webrtc_direct.assembly import accepted_session, dialing_session
from zwerm.libp2p.transports.webrtc_direct.certificate import CertificateKeeper
from zwerm.libp2p.transports.webrtc_direct.config import Config
from zwerm.libp2p.transports.webrtc_direct.connection import WebRtcDirectConnection
from zwerm.libp2p.transports.webrtc_direct.port import Port
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.interfaces import list_addresses
from zwerm.net.shared_udp import UdpPorts
from zwerm.webrtc.capture.file import CaptureFile
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.connection import State

OnConnection = Callable[[MuxedConnection], None]


class WebRtcDirectTransport:
    """Dials and listens on `/ip4/.../udp/.../webrtc-direct`; in an address to dial a certhash follows."""

    name = PROTOCOL

    def __init__(
        self,
        key: PrivateKey,
        *,
        certificates: CertificateKeeper | None = None,
        ports: UdpPorts | None = None,
        config: Config | None = None,
        random: Random = SYSTEM,
    ) -> None:
        """Make one.

        Args:
            key: the node's.
            certificates: gives what its listeners show, by default one that nothing keeps.
            ports: the sockets that it shares with other transports.
            config: its limits.
            random: the system's, unless given.
        """
        self.config = config or Config()
        self.ports = ports or UdpPorts()
        self._identity = NoiseIdentity(key, random)
        self._certificates = certificates or CertificateKeeper()
        self._random = random
        self._listeners: set[WebRtcDirectListener] = set()
        self._connections: set[WebRtcDirectConnection] = set()
        self._capture: CaptureFile | None = None

    @property
    def connections(self) -> Sequence[WebRtcDirectConnection]:
        """All of them, those that have not proved who they are too."""
        return tuple(self._connections)

    def capture(self, file: CaptureFile | None) -> None:
        """Write what passes to `file` from now on, of connections to come too; None: nowhere."""
        self._capture = file
        for connection in self._connections:
            transport = connection.session.transport
            transport.tap = None if file is None else file.tap()
            if transport.tap is not None and transport.dtls is not None and transport.dtls.state is State.CONNECTED:
                transport.tap.keys(transport.dtls.key_log())

    def can_dial(self, address: Multiaddr) -> bool:
        return matches(address, with_hash=True)

    def can_listen(self, address: Multiaddr) -> bool:
        return matches(address, with_hash=False)

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> WebRtcDirectConnection:
        target = parse_target(address)
        port = Port(self.ports, (_source_of_route(target.address), 0))
        ready: asyncio.Future[WebRtcDirectConnection] = asyncio.get_running_loop().create_future()

        def on_ready(connection: WebRtcDirectConnection) -> None:
            if not ready.done():
                ready.set_result(connection)

        certificate = self._certificates.current()
        connection = WebRtcDirectConnection(
            Direction.OUTBOUND, listening_address(port.address, ()), _bare(address), on_ready
        )
        session = dialing_session(
            target,
            port.address,
            certificate,
            functools.partial(self._make_proof, peer),
            random=self._random,
            now=time.monotonic(),
            config=self.config,
        )
        connection.drive(port.attach(session, target.address, connection.handle))
        port.close_when_idle()
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

    async def listen(self, address: Multiaddr, on_connection: OnConnection) -> WebRtcDirectListener:
        listener = WebRtcDirectListener(self, socket_address(address), on_connection)
        self._listeners.add(listener)
        return listener

    async def close(self) -> None:
        for listener in list(self._listeners):
            await listener.close()
        for connection in list(self._connections):
            await connection.close()

    # For listeners.

    @property
    def certificate(self) -> Certificate:
        """The one to show now."""
        return self._certificates.current()

    def forget_listener(self, listener: WebRtcDirectListener) -> None:
        self._listeners.discard(listener)

    def accept(self, caller: Caller, source: Address, local: Address, port: Port, on_connection: OnConnection) -> None:
        """Begin the connection of a caller; it is handed over when it has proved who it is."""

        def on_ready(connection: WebRtcDirectConnection) -> None:
            if connection.is_ready:
                on_connection(connection)

        connection = WebRtcDirectConnection(
            Direction.INBOUND, listening_address(local, ()), listening_address(source, ()), on_ready
        )
        session = accepted_session(
            caller,
            source,
            local,
            self.certificate,
            functools.partial(self._make_proof, None),
            random=self._random,
            now=time.monotonic(),
            config=self.config,
        )
        connection.drive(port.attach(session, source, connection.handle))
        self._keep(connection)

    def _keep(self, connection: WebRtcDirectConnection) -> None:
        self._connections.add(connection)
        if self._capture is not None:
            connection.session.transport.tap = self._capture.tap()
        connection.on_end(lambda: self._connections.discard(connection))

    def _make_proof(self, expected: PeerId | None, is_initiator: bool, prologue: bytes) -> SecureHandshake:
        return NoiseHandshake(
            self._identity, is_initiator=is_initiator, random=self._random, expected=expected, prologue=prologue
        )


class WebRtcDirectListener:
    """One UDP socket, and the connections that came to it."""

    def __init__(self, transport: WebRtcDirectTransport, address: Address, on_connection: OnConnection) -> None:
        self._transport = transport
        self._on_connection = on_connection
        self._admission = Admission(transport.config)
        self._port = Port(transport.ports, address, self._receive_stranger)

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        host, port = self._port.address
        hosts = _hosts_of(host) if host in ("0.0.0.0", "::") else [host]  # noqa: S104 - compared, not bound
        fingerprint = self._transport.certificate.fingerprint()
        return tuple(listening_address((one, port), [fingerprint]) for one in hosts)

    @property
    def handshakes(self) -> int:
        """How many of those who came have not proved who they are."""
        return sum(driver.session.peer is None for driver in self._port.drivers)

    @property
    def callers(self) -> int:
        """Of how many strangers a name is kept."""
        return self._admission.callers

    async def close(self) -> None:
        self._transport.forget_listener(self)
        self._port.close_when_idle()
        for driver in self._port.drivers:
            if driver.session.peer is None:
                driver.session.close(driver.now, "the listener was closed")
                driver.pump()

    def _receive_stranger(self, datagrams: Sequence[bytes], source: Address, local: Address) -> None:
        now = time.monotonic()
        for index, data in enumerate(datagrams):
            verdict = self._admission.receive(data, source, now, is_open=self._has_room())
            if verdict.answer is not None:
                self._port.send(Transmit(verdict.answer, source, None, local))
            if verdict.caller is not None:
                self._transport.accept(verdict.caller, source, local, self._port, self._on_connection)
                self._port.deliver(datagrams[index:], source, local)
                return

    def _has_room(self) -> bool:
        config = self._transport.config
        return len(self._port) < config.max_connections and self.handshakes < config.max_handshakes


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


def _bare(address: Multiaddr) -> Multiaddr:
    return address.decapsulate("p2p") or address
