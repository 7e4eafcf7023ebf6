"""The gateway's listener: requests go to `zwerm.ipfs.gateway`, what it answers goes to the connection.

Small bodies leave in one write with their head; files leave from the packs by sendfile. An answer that was immutable
and small is kept for a second, for exactly the same request, so that a burst for one thing costs one look-up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from zwerm.core.errors import ZwermError
from zwerm.daemon.http.exchange import Exchange, Writer
from zwerm.daemon.http.sendfile import SMALL, send_runs
from zwerm.daemon.http.waiting import Looks, is_navigation
from zwerm.ipfs.exchange.switch import begin_request
from zwerm.ipfs.gateway.gateway import Refused
from zwerm.ipfs.gateway.message import FileRange, GatewayRequest, GatewayResponse
from zwerm.ipfs.unixfs.placed import placed

if TYPE_CHECKING:
    from zwerm.ipfs.gateway.gateway import Gateway
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.gateway")

_Piece = TypeVar("_Piece")

KEPT_FOR: Final = 1.0  # seconds; `Date` must stay true, and what is denied or removed must stop soon
KEPT_SIZE: Final = 16_384  # bytes of an answer that is kept
KEPT_MOST: Final = 1024  # answers
_NAMED: Final = 5  # of those who were tried, in a message


class GatewayHandler:
    """Answers requests for content."""

    def __init__(self, node: Node, gateway: Gateway) -> None:
        self._node = node
        self._gateway = gateway
        self._looks = Looks(self._look, lambda: node.network)
        self._kept: dict[Any, tuple[float, int, bytes]] = {}
        self.sent = 0  # bytes of bodies, for the statistics

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request of the gateway listener."""
        if exchange.raw_path.startswith("/routing/v1/") and self._node.network is not None:
            from zwerm.daemon.http.routing import serve_routing

            await serve_routing(exchange, self._node.network.ways.api)
            return
        key = exchange.identity()
        kept = self._kept.get(key)
        if kept is not None:
            if kept[0] > time.monotonic():
                self.sent += len(kept[2])
                await exchange.send_prepared(kept[1], kept[2])
                return
            del self._kept[key]
        request = GatewayRequest(
            exchange.method,
            exchange.raw_path,
            exchange.query_text,
            exchange.host,
            {name.lower(): value for name, value in exchange.headers.items()},
        )
        begin_request(offline=False)
        response = await self._respond(request)
        try:
            answer = await self._send(exchange, response)
        except ZwermError as error:  # of the body's first piece, while a status can still tell it
            if exchange.is_answered:
                raise
            answer = await self._send(exchange, self._gateway.failure(request, error))
        if answer and exchange.status == 200 and len(answer) <= KEPT_SIZE and _is_immutable(response):
            self._keep(key, exchange.status, answer)

    async def _respond(self, request: GatewayRequest) -> GatewayResponse:
        """Answer, within the time that content is looked for; to a person with a page that says how it stands."""
        if self._node.network is None:
            return await self._gateway.respond(request)
        if is_navigation(request):
            return await self._looks.respond(request)
        return await self._look(request, self._looks.next_tag())

    async def _look(self, request: GatewayRequest, tag: str) -> GatewayResponse:
        begin_request(offline=False, tag=tag)
        limit = self._node.config.duration("gateway.timeout")
        try:
            async with asyncio.timeout(limit):
                return await self._gateway.respond(request)
        except TimeoutError:
            message = f"{request.path} was looked for {limit:g} seconds and not found"
            details = self._looks.tried(tag)
            message = "; ".join([message, *details[:_NAMED]])
            return self._gateway.failure(request, Refused(HTTPStatus.GATEWAY_TIMEOUT, message, details=details))

    async def close(self) -> None:
        """Look for nothing any more. Idempotent."""
        await self._looks.close()

    async def _send(self, exchange: Exchange, response: GatewayResponse) -> bytes:
        """Send a response; return the bytes for `send_prepared` when they were made in one piece.

        Raises:
            ZwermError: the body's beginning is damaged or cannot be had; nothing was sent.
        """
        body = response.body
        if exchange.method == "HEAD":
            length = body.end - body.start if isinstance(body, FileRange) else response.length
            await exchange.send_head(response.status, response.headers, length)
            return b""
        if isinstance(body, FileRange):
            if body.end - body.start > SMALL:
                await self._send_file(exchange, response, body)
                return b""
            body = await body.file.read(body.start, body.end - body.start)
        if isinstance(body, bytes):
            self.sent += len(body)
            return await exchange.send(response.status, response.headers, body)
        await self._send_stream(exchange, response)
        return b""

    def _keep(self, key: Any, status: int, answer: bytes) -> None:
        if len(self._kept) >= KEPT_MOST:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + KEPT_FOR, status, answer)

    async def _send_file(self, exchange: Exchange, response: GatewayResponse, body: FileRange) -> None:
        node = self._node
        runs = placed(
            node.store, node.source, body.file, body.start, body.end, verify=node.config.boolean("storage.verify")
        )
        async with aclosing(runs):
            first = await anext(runs, None)
            writer = await exchange.start(response.status, response.headers, length=body.end - body.start)
            await self._finish(exchange, writer, send_runs(exchange, writer, node.source, _resumed(first, runs)))

    async def _send_stream(self, exchange: Exchange, response: GatewayResponse) -> None:
        chunks: Any = response.body
        async with aclosing(chunks):
            first = await anext(chunks, None)
            writer = await exchange.start(response.status, response.headers, length=response.length)

            async def send() -> None:
                async for chunk in _resumed(first, chunks):
                    await writer.write(chunk)

            await self._finish(exchange, writer, send())

    async def _finish(self, exchange: Exchange, writer: Writer, sending: Awaitable[None]) -> None:
        """Send a body. Where it cannot be read on, the connection is cut: nobody may take the part for the whole."""
        try:
            await sending
            await writer.finish()
        except ZwermError as error:
            log.warning("%s broke off after %d bytes: %s", exchange.raw_path, writer.sent, error)
        finally:
            self.sent += writer.sent


async def _resumed(first: _Piece | None, rest: AsyncIterator[_Piece]) -> AsyncGenerator[_Piece, None]:
    if first is not None:
        yield first
    async for piece in rest:
        yield piece


def _is_immutable(response: GatewayResponse) -> bool:
    return "immutable" in response.headers.get("Cache-Control", "")
