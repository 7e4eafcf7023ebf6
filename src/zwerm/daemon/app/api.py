"""`/api/app/*`: who may ask, which function answers, and how its answer or error is sent."""

from __future__ import annotations

import asyncio
import hmac
import importlib
import logging
import secrets
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.app.entries import Listings
from zwerm.daemon.app.failure import AppError, explain
from zwerm.daemon.app.jobs import Jobs
from zwerm.daemon.app.live import Live
from zwerm.daemon.app.places import place_bytes
from zwerm.daemon.app.request import ROUTES, Reply, Request, Route, Stream
from zwerm.daemon.http import security
from zwerm.daemon.http.exchange import Exchange
from zwerm.node.events import origin

if TYPE_CHECKING:
    from zwerm.daemon.listeners import Listeners
    from zwerm.daemon.metrics import Metrics
    from zwerm.ipfs.blockstore.store import Removed
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.app")

PREFIX: Final = "/api/app/"
TOKEN: Final = "X-Zwerm-Token"  # noqa: S105 -- a header's name
CLIENT: Final = "X-Zwerm-Client"

_PARTS: Final = (
    "summary",
    "files",
    "uploads",
    "share",
    "history",
    "explore",
    "storage",
    "peers",
    "names",
    "settings",
    "turn",
    "internals",
    "https",
)
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class AppApi:
    """The API of one daemon."""

    def __init__(self, node: Node, listeners: Listeners, metrics: Metrics) -> None:
        self.node = node
        self.listeners = listeners
        self.metrics = metrics
        self.jobs = Jobs(node)
        self.listings = Listings(node.source)
        self.live = Live(node, listeners, metrics)
        self.measured: tuple[float, list[dict[str, Any]]] | None = None  # when, and how much each kind takes
        self.restart_needed = False  # whether a setting was changed that counts from the next start on
        self._token = secrets.token_urlsafe(32)

    def start(self) -> None:
        """Begin what runs by itself."""
        self.node.collector.listeners.append(self._collected)
        self.live.start()

    async def close(self) -> None:
        """Stop jobs, and end the streams of events."""
        await self.jobs.close()
        await self.live.close()

    def _collected(self, _removed: Removed) -> None:
        self.measured = None  # what was measured is no longer so

    async def let_in(self, exchange: Exchange) -> bool:
        """Whether the request carries a session's token; if not, it has been answered."""
        try:
            self._check_session(exchange)
        except AppError as error:
            await self._send(exchange, Reply(error.document(), error.status))
            return False
        return True

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request below `PREFIX`."""
        origin.set("web")
        try:
            answer = await self._answer(exchange)
            if isinstance(answer, Stream):
                await self._send_stream(exchange, answer)
            else:
                await self._send(exchange, answer if isinstance(answer, Reply) else Reply(answer))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            if exchange.is_answered:
                raise
            failure = explain(error)
            if failure.code == "internal":
                log.error(
                    "%s %s failed",
                    exchange.method,
                    exchange.raw_path,
                    exc_info=error,
                    extra={"reference": failure.details},
                )
            elif failure.status >= 500:
                log.warning("%s %s: %s", exchange.method, exchange.raw_path, error)
            await self._send(exchange, Reply(failure.document(), failure.status))

    async def _answer(self, exchange: Exchange) -> dict[str, Any] | Reply | Stream:
        path = exchange.raw_path[len(PREFIX) :]
        if path == "session":
            return self._session(exchange)
        self._check_session(exchange)
        function, rest = _find(path, exchange.method)
        return await function(Request(self, exchange, rest))

    def _session(self, exchange: Exchange) -> dict[str, Any]:
        """Give the token to the node's own page."""
        if exchange.method != "POST":
            raise AppError("method", "A session is asked for with POST")
        headers = exchange.headers
        if not headers.get(CLIENT) or not security.is_same_origin(headers, exchange.scheme):
            raise AppError("origin", "Another page may not use this node")
        if exchange.is_proxied or not security.is_this_machine(headers, exchange.peer):
            token = self.node.config.text("api.token")
            if not security.has_bearer(headers, self.listeners.owner_key) and not (
                token and security.has_bearer(headers, token)
            ):
                raise AppError("key", "The owner's key is needed from another machine")
        return {"token": self._token}

    def _check_session(self, exchange: Exchange) -> None:
        if not security.is_same_origin(exchange.headers, exchange.scheme):
            raise AppError("origin", "Another page may not use this node")
        given = exchange.headers.get(TOKEN, "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token.encode()):
            raise AppError("session", "This page has no session with the node any more")

    async def _send(self, exchange: Exchange, reply: Reply) -> None:
        body = reply.body
        if isinstance(body, dict):
            body = place_bytes(body)
        headers = {**_HEADERS, **reply.headers, "Content-Type": reply.content_type}
        await exchange.send(reply.status, headers, body)

    async def _send_stream(self, exchange: Exchange, stream: Stream) -> None:
        writer = await exchange.start(200, {**_HEADERS, "Content-Type": stream.content_type})
        chunks: Any = stream.chunks
        async with aclosing(chunks):
            async for chunk in chunks:
                await writer.write(chunk)
        await writer.finish()


def _find(path: str, method: str) -> tuple[Route, str]:
    for part in _PARTS:  # whoever imported one of them registered its routes alone
        importlib.import_module(f"zwerm.daemon.app.{part}")
    rest = ""
    methods = ROUTES.get(path)
    if methods is None:
        head, _, rest = path.partition("/")
        methods = ROUTES.get(f"{head}/")
    if methods is None or (not rest and path.endswith("/")):
        raise AppError("not-found", f"There is no {PREFIX}{path[:80]}")
    function = methods.get(method) or methods.get("GET" if method == "HEAD" else "")
    if function is None:
        raise AppError("method", f"{method[:16]} is not among {', '.join(methods)}")
    return function, rest
