"""WebSocket (libp2p specs, "websockets/README.md"): `/ip4/192.0.2.1/tcp/4002/ws`, `/dns/example.org/tcp/443/tls/ws`.

The messages are binary and their edges mean nothing: together they are one stream of bytes, which is secured and
multiplexed above as that of TCP is, also inside of TLS. Whose certificate a listener shows says nothing about the peer;
a dialler checks it against the name all the same, as browsers do.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, cast

import aiohttp
from aiohttp import web

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import MuxedConnection, StreamReset
from zwerm.libp2p.swarm.secured import SecuredConnection
from zwerm.libp2p.swarm.tasks import Tasks
from zwerm.libp2p.swarm.upgrade import Upgrade
from zwerm.libp2p.transports.stream_wire import StreamWire
from zwerm.libp2p.transports.transport import Listener
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.bad_links import BBR, suit
from zwerm.net.interfaces import list_addresses

MAX_MESSAGE: Final = 4_194_304  # bytes of one message; go-libp2p and js-libp2p send what one write gave them
MAX_CONNECTIONS: Final = 512  # of others that are no peer yet, or are one
UPGRADE_TIME: Final = 10.0  # seconds that they have to ask for a WebSocket
MAX_KNOCKING: Final = 512  # of others that came in the last `UPGRADE_TIME` and have none
SHUTDOWN_TIME: Final = 1.0  # seconds for handlers to end, which have nothing to wait for by then

_LOG: Final = logging.getLogger("zwerm.libp2p")
_HOSTS: Final = ("ip4", "ip6", "dns", "dns4", "dns6")
_FORMS: Final = {("ws",): False, ("wss",): True, ("tls", "ws"): True, ("tls", "sni", "ws"): True}


class Endpoint(NamedTuple):
    """Where a WebSocket is."""

    host: str
    port: int
    is_secure: bool
    server_name: str | None  # for the certificate, when it is not the host

    @classmethod
    def find(cls, address: Multiaddr) -> Endpoint | None:
        """Read an address; None when it is none of a WebSocket."""
        names = address.names
        if len(names) < 3 or names[0] not in _HOSTS or names[1] != "tcp" or names[2:] not in _FORMS:
            return None
        host, port = address.components[0].text, int(address.components[1].text)
        return cls(host, port, _FORMS[names[2:]], address.value("sni"))


class WebSocketTransport:
    """Dials and listens on WebSockets."""

    name = "websocket"

    def __init__(
        self,
        upgrade: Upgrade,
        *,
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
        congestion: str = BBR,
    ) -> None:
        """Begin.

        Args:
            upgrade: makes connections of what is opened here.
            server_tls: certificate and key to listen with on `/tls/ws`; None: such addresses cannot be listened on.
            client_tls: whom to trust when dialling `/tls/ws`; None: the system's authorities.
            congestion: as `TcpTransport`.
        """
        self._upgrade = upgrade
        self._server_tls = server_tls
        self._client_tls = client_tls
        self._congestion = congestion
        self._loop = asyncio.get_running_loop()
        self._session: aiohttp.ClientSession | None = None
        self._tasks = Tasks()
        self._listeners: list[_WebSocketListener] = []
        self._wires: set[StreamWire] = set()
        self._connections: set[SecuredConnection] = set()
        self._knocking: set[web.RequestHandler] = set()  # connected, and no WebSocket yet
        self._is_closed = False

    def can_dial(self, address: Multiaddr) -> bool:
        return Endpoint.find(address) is not None

    def can_listen(self, address: Multiaddr) -> bool:
        endpoint = Endpoint.find(address)
        if endpoint is None or not address.names[0].startswith("ip"):
            return False
        return not endpoint.is_secure or self._server_tls is not None

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> MuxedConnection:
        endpoint = Endpoint.find(address)
        if endpoint is None:
            raise TransportError(f"{address} is no address of a WebSocket")
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, ws_response_class=_ClientSocket)
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        try:
            socket = await self._session.ws_connect(
                f"{'wss' if endpoint.is_secure else 'ws'}://{host}:{endpoint.port}/",
                max_msg_size=MAX_MESSAGE,
                ssl=self._client_tls or True,
                server_hostname=endpoint.server_name if endpoint.is_secure else None,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportError(f"connect: {str(error) or type(error).__name__}") from error
        local = socket.get_extra_info("sockname")
        suit(socket.get_extra_info("socket"), self._congestion)
        stream = _SocketStream(socket, cast("_ClientSocket", socket).abort)
        wire = self._wire(stream, _address_of(local, ("ws",)) if local else address, address)
        return self._keep(await self._upgrade.dial(wire, peer))

    async def listen(self, address: Multiaddr, on_connection: Callable[[MuxedConnection], None]) -> Listener:
        endpoint = Endpoint.find(address)
        if endpoint is None or not self.can_listen(address):
            raise TransportError(f"cannot listen on {address}: no certificate, or no IP address")
        form = address.names[2:]

        async def accept(request: web.BaseRequest) -> web.StreamResponse:
            return await self._accept(request, form, on_connection)

        web_server = web.Server(accept, access_log=None)
        runner = web.ServerRunner(web_server, shutdown_timeout=SHUTDOWN_TIME)
        await runner.setup()
        try:
            server = await self._loop.create_server(
                lambda: self._knock(web_server),
                endpoint.host,
                endpoint.port,
                ssl=self._server_tls if endpoint.is_secure else None,
                ssl_handshake_timeout=UPGRADE_TIME if endpoint.is_secure else None,
                reuse_address=True,
            )
        except OSError as error:
            await runner.cleanup()
            raise TransportError(f"cannot listen on {address}: {error.strerror or error}") from error
        listener = _WebSocketListener(server, runner, form)
        self._listeners.append(listener)
        return listener

    async def close(self) -> None:
        self._is_closed = True
        for listener in self._listeners:
            await listener.close()
        await self._tasks.close()
        await asyncio.gather(*(connection.close() for connection in list(self._connections)))
        for wire in list(self._wires):
            wire.abort()
            await wire.wait_gone()
        for listener in self._listeners:
            await listener.runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def _knock(self, server: web.Server) -> asyncio.Protocol:
        """Take a connection that has some time to become a WebSocket."""
        if len(self._knocking) >= MAX_KNOCKING:
            _LOG.info("refused a websocket: %d are about to ask for one, the limit is that", MAX_KNOCKING)
            return _Refusal()
        handler = server()
        self._knocking.add(handler)
        self._loop.call_later(UPGRADE_TIME, self._send_away, handler)
        return handler

    def _send_away(self, handler: web.RequestHandler) -> None:
        if handler in self._knocking:
            self._knocking.discard(handler)
            if (transport := handler.transport) is not None:
                name = transport.get_extra_info("peername")
                _LOG.info("connection from %s came to nothing: no websocket in %g s", name, UPGRADE_TIME)
                transport.abort()

    async def _accept(
        self, request: web.BaseRequest, form: tuple[str, ...], on_connection: Callable[[MuxedConnection], None]
    ) -> web.StreamResponse:
        """Serve one WebSocket until it is gone."""
        transport = request.transport
        if self._is_closed or transport is None or len(self._wires) >= MAX_CONNECTIONS:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False)
        if not socket.can_prepare(request).ok:
            raise web.HTTPUpgradeRequired(text="this is a libp2p node: speak WebSocket\n")
        await socket.prepare(request)
        self._knocking.discard(request.protocol)
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if not local or not remote:
            return socket
        suit(transport.get_extra_info("socket"), self._congestion)
        stream = _SocketStream(socket, transport.abort)
        wire = self._wire(stream, _address_of(local, form), _address_of(remote, form))
        try:
            connection = await self._upgrade.accept(wire)
        except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
            _LOG.info("connection from %s came to nothing: %s", wire.remote_address, error)
            wire.abort()
        else:
            self._keep(connection)
            on_connection(connection)
        await wire.wait_gone()
        return socket

    def _wire(self, stream: _SocketStream, local: Multiaddr, remote: Multiaddr) -> StreamWire:
        wire = StreamWire(stream, local, remote)
        self._wires.add(wire)
        if not self._is_closed:
            self._tasks.spawn(self._forget(wire), "websocket, until it is gone")
        return wire

    async def _forget(self, wire: StreamWire) -> None:
        await wire.wait_gone()
        self._wires.discard(wire)

    def _keep(self, connection: SecuredConnection) -> SecuredConnection:
        self._connections.add(connection)
        connection.on_lost(lambda: self._connections.discard(connection))
        return connection


class _ClientSocket(aiohttp.ClientWebSocketResponse):
    """What we dialled."""

    def abort(self) -> None:
        """Close the connection at once, for which aiohttp has no verb."""
        self._response.close()


class _SocketStream:
    """A WebSocket as a stream of bytes."""

    def __init__(self, socket: Any, abort: Callable[[], None]) -> None:
        self._socket = socket
        self._abort = abort
        self._rest = b""

    async def read(self, limit: int = 65_536) -> bytes:
        while not self._rest:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                self._rest = message.data
            elif message.type is aiohttp.WSMsgType.TEXT:
                raise StreamReset("the peer sent text on a WebSocket, expected binary messages")
            elif message.type is aiohttp.WSMsgType.ERROR:
                raise StreamReset(f"WebSocket: {message.data}")
            else:
                return b""
        data, self._rest = self._rest[:limit], self._rest[limit:]
        return data

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            await self._socket.send_bytes(bytes(data))
        except (ConnectionError, RuntimeError, aiohttp.ClientError) as error:
            raise StreamReset(f"WebSocket: {error}") from error

    async def close_write(self) -> None:
        """WebSockets have no half close: what is above says farewell."""

    async def close(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError, aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(SHUTDOWN_TIME):
                await self._socket.close()

    def reset(self) -> None:
        self._abort()


class _Refusal(asyncio.Protocol):
    """Hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()


class _WebSocketListener:
    def __init__(self, server: asyncio.Server, runner: web.ServerRunner, form: tuple[str, ...]) -> None:
        self.runner = runner
        self._server = server
        self._form = form
        self._names = [each.getsockname() for each in server.sockets]

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        found: list[Multiaddr] = []
        for name in self._names:
            if not ipaddress.ip_address(name[0]).is_unspecified:
                found.append(_address_of(name, self._form))
                continue
            found += [
                _address_of((each.address, name[1]), self._form)
                for each in list_addresses()
                if each.is_ipv6 == (":" in name[0]) and not each.is_link_local
            ]
        return tuple(found)

    async def close(self) -> None:
        self._server.close()


def _address_of(name: tuple[Any, ...], form: tuple[str, ...]) -> Multiaddr:
    from zwerm.libp2p.transports.tcp import address_of

    suffix = "/".join(part for part in form if part != "sni")
    return address_of((name[0], name[1])).encapsulate(Multiaddr.from_text(f"/{suffix}"))
