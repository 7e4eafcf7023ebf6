"""A server for delegated routing on the loopback, for tests: ours behind aiohttp, or any handler."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from zwerm.ipfs.routing.delegated.server import RoutingApi


@contextlib.asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Give the URL of a server on a free port."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def handler_of(api: RoutingApi) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        wish = request.headers.get("Content-Type" if request.method == "PUT" else "Accept", "*/*")
        path, _, query = request.raw_path.partition("?")
        answer = await api.respond(request.method, path, query, wish, await request.read())
        if isinstance(answer.body, bytes):
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        async for chunk in answer.body:
            await response.write(chunk)
        return response

    return handle
