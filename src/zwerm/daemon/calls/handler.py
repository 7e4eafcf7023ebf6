"""`/api/calls/v1/`: where clients of the calls service connect (docs/calls.md, "Ways in").

There is no cookie and no session of a browser: a device signs a nonce to say who it is. A page of another site can
therefore do nothing in somebody's name; it is refused all the same, unless its origin is configured.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable
from typing import Final

from zwerm.calls.limits import Refused
from zwerm.calls.message import MAX_MESSAGE
from zwerm.calls.schema import document
from zwerm.calls.service.aio import CallsService
from zwerm.daemon.calls import code, load
from zwerm.daemon.calls.carriers import SocketCarrier, StreamCarrier
from zwerm.daemon.calls.peerjs import PeerServer, is_peer_path
from zwerm.daemon.http import security
from zwerm.daemon.http.exchange import Exchange

PREFIX: Final = "/api/calls/v1/"
CONNECTION: Final = "X-Zwerm-Connection"  # by which a post says whose it is
MAX_POST: Final = 2 * MAX_MESSAGE
POSTED_WITHIN: Final = 20.0  # seconds that the body of a post may take
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class CallsHandler:
    """Answers requests below `PREFIX`."""

    def __init__(
        self,
        service: CallsService,
        origins: Iterable[str] = (),
        *,
        peers: PeerServer | None = None,
        allow_load: bool = False,
    ) -> None:
        """Answer for a service.

        Args:
            service: what is behind it.
            origins: of other pages that may use it.
            peers: what serves clients of PeerJS beside it; None: nothing does.
            allow_load: whether `zwerm load calls` may make accounts.
        """
        self.service = service
        self._peers = peers
        self._allow_load = allow_load
        self._origins = frozenset(origins)
        self._streams: dict[str, StreamCarrier] = {}

    async def close(self) -> None:
        """End the service, and forget the peers of PeerJS."""
        if self._peers is not None:
            self._peers.close()
        await self.service.close()

    def is_for(self, path: str) -> bool:
        """Whether a path is answered here."""
        return path.startswith(PREFIX) or (self._peers is not None and is_peer_path(path))

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        if self._peers is not None and is_peer_path(exchange.raw_path):  # pages of all origins may come there
            await self._peers(exchange)
            return
        origin = exchange.headers.get("Origin")
        if origin not in self._origins and not security.is_same_origin(exchange.headers, exchange.scheme):
            await self._refuse(exchange, 403, "origin", "Another page may not use this service")
            return
        match exchange.method, exchange.raw_path.removeprefix(PREFIX):
            case "GET", "socket":
                await self._socket(exchange)
            case "GET", "events":
                await self._events(exchange)
            case "POST", "send":
                await self._post(exchange)
            case "POST", "code":
                await self._code(exchange)
            case "POST", "load" if self._allow_load:
                await load.answer(self.service, exchange)
            case "GET" | "HEAD", "schema.json":
                body = json.dumps(document()).encode()
                await exchange.send(200, {**_HEADERS, "Content-Type": "application/schema+json"}, body)
            case _:
                await self._refuse(exchange, 404, "not-found", f"There is no {exchange.raw_path[:80]}")

    async def _socket(self, exchange: Exchange) -> None:
        socket = await exchange.web_socket(limit=MAX_MESSAGE)
        carrier = SocketCarrier(exchange, socket)
        try:
            client = self.service.connect(carrier, host=exchange.host, peer=exchange.peer)
        except Refused as error:
            carrier.cut(error.code, str(error))
            await socket.receive()
            await carrier.finish()
            return
        carrier.client = client
        try:
            await carrier.receive(client)
        finally:
            client.ended()
            await carrier.finish()

    async def _events(self, exchange: Exchange) -> None:
        headers = {**_HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        writer = await exchange.start(200, headers)
        carrier = StreamCarrier(exchange, writer)
        secret = secrets.token_urlsafe(24)
        try:
            client = self.service.connect(carrier, host=exchange.host, peer=exchange.peer)
        except Refused as error:
            carrier.cut(error.code, str(error))
            await carrier.over.wait()
            await writer.finish()
            return
        await carrier.open(secret)
        carrier.client = client
        carrier.wake()
        self._streams[secret] = carrier
        try:
            await carrier.over.wait()  # whoever goes away cancels it
            await writer.finish()
        finally:
            del self._streams[secret]
            client.ended()
            await carrier.finish()

    async def _post(self, exchange: Exchange) -> None:
        """Take messages of a client that listens on a stream: one on each line."""
        carrier = self._streams.get(exchange.headers.get(CONNECTION, ""))
        if carrier is None or carrier.client is None:
            await self._refuse(exchange, 404, "gone", "This connection is over")
            return
        try:
            async with asyncio.timeout(POSTED_WITHIN):
                body = await exchange.body(MAX_POST)
        except TimeoutError:
            await self._refuse(exchange, 408, "too-slow", f"A post has {POSTED_WITHIN:.0f} seconds")
            return
        async with carrier.turn:
            for line in body.splitlines():
                if line:
                    await carrier.client.receive(line)
        await exchange.send(204, _HEADERS)

    async def _code(self, exchange: Exchange) -> None:
        """Draw the link of a room or of another device."""
        try:
            async with asyncio.timeout(POSTED_WITHIN):
                svg = await code.draw(await exchange.body(code.MAX_LINK))
        except TimeoutError:
            await self._refuse(exchange, 408, "too-slow", f"A post has {POSTED_WITHIN:.0f} seconds")
            return
        if svg is None:
            await self._refuse(exchange, 400, "bad-link", "Codes are drawn of links of rooms and devices only")
            return
        await exchange.send(200, {**_HEADERS, "Content-Type": "image/svg+xml"}, svg)

    @staticmethod
    async def _refuse(exchange: Exchange, status: int, code: str, what: str) -> None:
        body = json.dumps({"error": {"code": code, "what": what}}).encode()
        await exchange.send(status, {**_HEADERS, "Content-Type": "application/json"}, body)
