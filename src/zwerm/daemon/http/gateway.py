"""The gateway's listener: requests go to `zwerm.ipfs.gateway`, what it answers goes to the connection.

Small bodies leave in one write with their head; files leave from the packs by sendfile. An answer that was immutable
and small is kept for a second, for exactly the same request, so that a burst for one thing costs one look-up.
"""

from __future__ import annotations

import logging
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.sendfile import SMALL, send_file
from zwerm.ipfs.gateway.message import FileRange, GatewayRequest, GatewayResponse

if TYPE_CHECKING:
    from zwerm.ipfs.gateway.gateway import Gateway
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.gateway")

KEPT_FOR: Final = 1.0  # seconds; `Date` must stay true, and what is denied or removed must stop soon
KEPT_SIZE: Final = 16_384  # bytes of an answer that is kept
KEPT_MOST: Final = 1024  # answers


class GatewayHandler:
    """Answers requests for content."""

    def __init__(self, node: Node, gateway: Gateway) -> None:
        self._node = node
        self._gateway = gateway
        self._kept: dict[Any, tuple[float, int, bytes]] = {}
        self.sent = 0  # bytes of bodies, for the statistics

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request of the gateway listener."""
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
        response = await self._gateway.respond(request)
        body = response.body
        if isinstance(body, FileRange):
            if exchange.method == "HEAD":
                await exchange.send_head(response.status, response.headers, body.end - body.start)
                return
            if body.end - body.start > SMALL:
                await self._send_file(exchange, response, body)
                return
            body = await body.file.read(body.start, body.end - body.start)
        if isinstance(body, bytes):
            if exchange.method == "HEAD":
                await exchange.send_head(response.status, response.headers, response.length)
                return
            self.sent += len(body)
            answer = await exchange.send(response.status, response.headers, body)
            if response.status == 200 and len(answer) <= KEPT_SIZE and _is_immutable(response):
                self._keep(key, response.status, answer)
            return
        await self._send_stream(exchange, response)

    def _keep(self, key: Any, status: int, answer: bytes) -> None:
        if len(self._kept) >= KEPT_MOST:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + KEPT_FOR, status, answer)

    async def _send_file(self, exchange: Exchange, response: GatewayResponse, body: FileRange) -> None:
        writer = await exchange.start(response.status, response.headers, length=body.end - body.start)
        try:
            if self._node.config.boolean("storage.verify"):
                async with aclosing(body.file.stream(body.start, body.end)) as chunks:
                    async for chunk in chunks:
                        await writer.write(chunk)
            else:
                await send_file(exchange, writer, self._node.store, self._node.source, body.file, body.start, body.end)
            await writer.finish()
        except ZwermError as error:
            log.warning("%s broke off after %d bytes: %s", exchange.raw_path, writer.sent, error)
        finally:
            self.sent += writer.sent

    async def _send_stream(self, exchange: Exchange, response: GatewayResponse) -> None:
        chunks: Any = response.body
        async with aclosing(chunks):
            if exchange.method == "HEAD":
                await exchange.send_head(response.status, response.headers, response.length)
                return
            writer = await exchange.start(response.status, response.headers, length=response.length)
            try:
                async for chunk in chunks:
                    await writer.write(chunk)
                await writer.finish()
            except ZwermError as error:
                log.warning("%s broke off after %d bytes: %s", exchange.raw_path, writer.sent, error)
            finally:
                self.sent += writer.sent


def _is_immutable(response: GatewayResponse) -> bool:
    return "immutable" in response.headers.get("Cache-Control", "")
