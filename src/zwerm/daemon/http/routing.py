"""`/routing/v1/` on the gateway's listener: delegated routing for pages and light clients (docs/kademlia.md)."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from zwerm.ipfs.gateway.message import FileRange
from zwerm.ipfs.routing.delegated.server import MAX_BODY, RoutingApi

if TYPE_CHECKING:
    from zwerm.daemon.http.exchange import Exchange


async def serve_routing(exchange: Exchange, api: RoutingApi) -> None:
    """Answer one request below `/routing/v1/`."""
    is_put = exchange.method == "PUT"
    body = await exchange.body(MAX_BODY) if is_put else b""
    wish = exchange.headers.get("Content-Type" if is_put else "Accept", "" if is_put else "*/*")
    response = await api.respond(exchange.method, exchange.raw_path, exchange.query_text, wish, body)
    chunks: Any = response.body
    if isinstance(chunks, bytes | FileRange):
        await exchange.send(response.status, response.headers, chunks if isinstance(chunks, bytes) else b"")
        return
    async with aclosing(chunks):
        if exchange.method == "HEAD":
            await exchange.send_head(response.status, response.headers, None)
            return
        writer = await exchange.start(response.status, response.headers)
        async for chunk in chunks:
            await writer.write(chunk)
        await writer.finish()
