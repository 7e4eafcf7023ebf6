"""The HTTP listeners of a daemon: RPC, gateway and web app, and what they answer alike (`/health`, `/metrics`).

The web app is served by HTTPS too, and beside it the way there by plain HTTP, where that was asked for
(`zwerm.daemon.tls`). All sockets are bound before the first service starts. From the moment the daemon stops, `/health`
is false and every other new request gets 503.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zwerm.daemon.app.api import AppApi
from zwerm.daemon.calls.node import NodeCalls
from zwerm.daemon.http import security
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.gateway import GatewayHandler
from zwerm.daemon.http.rpc import RpcHandler, TextForm
from zwerm.daemon.http.server import Handler, HttpServer
from zwerm.daemon.http.sockets import bind_all, bound_address
from zwerm.daemon.http.web import WebHandler
from zwerm.daemon.metrics import CONTENT_TYPE, Metrics
from zwerm.daemon.tls.node import NodeHttps
from zwerm.node.maintenance import collect_when_full

if TYPE_CHECKING:
    from zwerm.daemon.calls.handler import CallsHandler
    from zwerm.daemon.turn.relay import TurnRelay
    from zwerm.node.address import Address
    from zwerm.node.config import Config
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.daemon")

NAMES: Final = ("api", "gateway", "web")
PROXIED: Final = ("gateway", "web", "https")  # listeners that may stand behind a proxy
RELAY: Final = "turn"
_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


class Listeners:
    """Bind, start, stop: in this order, once each."""

    def __init__(self, config: Config, repository: Path, text: TextForm | None = None) -> None:
        """Read where to listen; `text` writes the RPC's answers as text for those who ask for it.

        Raises:
            LocalProtocolError: HTTPS was asked for in a way that cannot be.
        """
        self._config = config
        self._text = text
        names = (*NAMES, RELAY) if config.boolean("turn.enabled") else NAMES
        self._asked = {name: found for name in names if (found := config.address(f"addresses.{name}")) is not None}
        self.https = NodeHttps(config, repository)
        self._asked |= self.https.asked()
        self.relay: TurnRelay | None = None
        self.calls: NodeCalls | None = None
        self._sockets: dict[str, list[socket.socket]] = {}
        self._addresses: dict[str, Address] = {}
        self._servers: list[HttpServer] = []
        self._stopping: asyncio.Event | None = None
        self._node: Node | None = None
        self._metrics: Metrics | None = None
        self._gateway: GatewayHandler | None = None
        self._api: AppApi | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.owner_key = secrets.token_urlsafe(24)  # what a page from another machine has to bring

    def bind(self) -> None:
        """Take all ports.

        Raises:
            PortsTaken: at least one is in use; none is kept.
        """
        self._sockets = bind_all(self._asked, both=(RELAY,))
        for name, sockets in self._sockets.items():
            self._addresses[name] = bound_address(sockets, self._asked[name])
        self.https.bound(self._addresses)

    def address(self, name: str) -> Address | None:
        """Where the listener `name` is; None when it is not wanted."""
        return self._addresses.get(name)

    def web_url(self, address: Address) -> str:
        """The address to open in a browser on this machine; for other machines it carries the owner's key."""
        if address.is_loopback:
            return f"http://localhost:{address.port}/" if address.host == "127.0.0.1" else f"{address.url}/"
        host = socket.gethostname() if address.is_wildcard else address.host
        return f"http://{host}:{address.port}/#key={self.owner_key}"

    @property
    def owner_url(self) -> str | None:
        """The address to open on another machine, with the owner's key; None: there is no HTTPS."""
        return None if self.https.origin is None else f"{self.https.origin}/#key={self.owner_key}"

    async def start(self, node: Node, stopping: asyncio.Event) -> None:
        """Begin to answer. `stopping` is set when the daemon begins to stop."""
        from zwerm.node.gateway import make_gateway

        self._node = node
        self._stopping = stopping
        self._metrics = metrics = Metrics(node)
        handlers: dict[str, Handler] = {}
        self._gateway = gateway = GatewayHandler(node, make_gateway(node))
        self._api = api = AppApi(node, self, metrics)
        if (rpc := self.address("api")) is not None:
            handlers["api"] = self._with_status(RpcHandler(node, rpc.port, stopping, self._text))
        handlers["gateway"] = self._unless_stopping(gateway)
        web = WebHandler(node, api, lambda: self.address("gateway"), self._calls_handler, lambda: self.https.hosts)
        handlers["web"] = handlers["https"] = self._with_status(web)
        handlers["plain"] = self.https.plain_handler()
        idle = self._config.duration("http.idle")
        for taken in self._sockets.pop(RELAY, ()):
            taken.close()  # they held the port; the relay opens its own
        if (turn := self.address(RELAY)) is not None:
            from zwerm.daemon.turn.node import start_relay

            self.relay = await start_relay(self._config, turn)
        await self.https.start()
        self.calls = NodeCalls(self._config, node.repository, self.address("web"), self.relay, self.https)
        await self.calls.begin()
        for name, sockets in self._sockets.items():
            server = HttpServer(
                name,
                handlers[name],
                idle=idle,
                observe=metrics.observe,
                tls=self.https.tls.context if name == "https" else None,
                proxies=self.https.proxies if name in PROXIED else None,
            )
            self._servers.append(server)
            await server.start(sockets)
        self._sockets = {}  # they belong to the servers now
        api.start()
        self._keeper = asyncio.create_task(collect_when_full(node))

    async def stop(self) -> None:
        """End all requests within `http.grace` and a little, and free the ports."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._api is not None:
            await self._api.close()
        if self.calls is not None:
            await self.calls.close()
        if self.relay is not None:
            await self.relay.close()
        await self.https.close()
        if self._gateway is not None:
            await self._gateway.close()
        grace = min(self._config.duration("http.grace"), 3.0)
        await asyncio.gather(*(server.stop(grace) for server in self._servers))

    def close_sockets(self) -> None:
        """Give back what was bound and never started."""
        for sockets in self._sockets.values():
            for each in sockets:
                each.close()

    @property
    def is_stopping(self) -> bool:
        return self._stopping is not None and self._stopping.is_set()

    @property
    def gateway_sent(self) -> int:
        """Bytes of content that the gateway sent."""
        return self._gateway.sent if self._gateway else 0

    async def _calls_handler(self) -> CallsHandler | None:
        return await self.calls.handler() if self.calls is not None and not self.is_stopping else None

    def _unless_stopping(self, handler: Handler) -> Handler:
        async def answer(exchange: Exchange) -> None:
            if self.is_stopping:
                await exchange.send(503, {**_TEXT, "Connection": "close"}, b"the node is stopping\n")
            else:
                await handler(exchange)

        return answer

    def _with_status(self, handler: Handler) -> Handler:
        """Answer `/health` and `/metrics` before the listener's own paths."""
        others = self._unless_stopping(handler)

        async def answer(exchange: Exchange) -> None:
            path = exchange.raw_path
            if path == "/health" and exchange.method in ("GET", "HEAD"):
                await self._health(exchange)
            elif path in ("/webui", "/webui/") and (web := self.address("web")) is not None:
                await exchange.send(302, {**_TEXT, "Location": f"http://localhost:{web.port}/"})
            elif path in ("/metrics", "/debug/metrics/prometheus") and exchange.method in ("GET", "HEAD"):
                await self._show_metrics(exchange)
            else:
                await others(exchange)

        return answer

    async def _health(self, exchange: Exchange) -> None:
        """Say whether the node does its work: it is not stopping, and its store takes blocks."""
        reason = "stopping" if self.is_stopping else None
        if reason is None and self._node is not None:
            reason = await asyncio.to_thread(self._node.health)
        body = f"{reason or 'ok'}\n".encode()
        await exchange.send(503 if reason else 200, _TEXT, body)

    async def _show_metrics(self, exchange: Exchange) -> None:
        assert self._node is not None  # noqa: S101 -- set by start
        assert self._metrics is not None  # noqa: S101
        token = self._config.text("api.token")
        is_near = security.is_loopback_peer(exchange.peer) and not exchange.is_proxied
        allowed = security.has_bearer(exchange.headers, token) if token else is_near
        if not allowed or not security.is_same_origin(exchange.headers, exchange.scheme):
            await exchange.send(403, _TEXT, b"403 - Forbidden\n")
            return
        numbers = await self._node.numbers()
        numbers |= {
            "http_connections": sum(server.connections for server in self._servers),
            "http_active_requests": sum(server.active for server in self._servers),
            "gateway_sent_bytes": self.gateway_sent,
        }
        if self.relay is not None:
            numbers |= await self.relay.statistics()
        if self.calls is not None and (calls := self.calls.running) is not None:
            numbers |= {f"calls_{name}": value for name, value in calls.service.statistics().items()}
        await exchange.send(200, {**_TEXT, "Content-Type": CONTENT_TYPE}, self._metrics.render(numbers))
