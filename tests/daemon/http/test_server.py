"""The end of a listener, on the loop of the daemon: requests in progress are answered, others let go at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvloop

from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.server import HttpServer

PATIENCE = 10.0  # seconds
REQUEST = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Slow:
    """A server whose requests are in progress until they are released."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.server = HttpServer("test", self._answer, idle=PATIENCE)
        self.address: tuple[str, int] = ("", 0)

    async def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        await self.server.start([listener])

    async def _answer(self, exchange: Exchange) -> None:
        self.begun.set()
        await self.release.wait()
        await exchange.send(200, {}, b"done")


@contextlib.asynccontextmanager
async def connected(end: socket.socket) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(sock=end)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Slow]:
    slow = Slow()
    await slow.start()
    try:
        async with asyncio.timeout(PATIENCE):
            yield slow
    finally:
        slow.release.set()
        await slow.server.stop(0.1)


@pytest.mark.parametrize("turns", range(8))
def test_whoever_connects_while_it_stops_is_let_go_before_the_last_request_ends(turns: int) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(connect_while_it_stops(turns))


async def connect_while_it_stops(turns: int) -> None:
    async with serving() as slow, connected(socket.create_connection(slow.address)) as (reader, writer):
        writer.write(REQUEST)
        await slow.begun.wait()
        end = socket.create_connection(slow.address)  # the kernel takes it; the server learns of it some turns later
        for _ in range(turns):
            await asyncio.sleep(0)
        stopping = asyncio.create_task(slow.server.stop(PATIENCE))
        async with connected(end) as (late, _):
            with contextlib.suppress(ConnectionResetError):  # nobody had taken it from the kernel
                assert await late.read() == b""
        assert not stopping.done()
        slow.release.set()
        assert (await reader.read()).endswith(b"done")
        await stopping


async def test_requests_in_progress_get_their_grace_and_no_more() -> None:
    async with serving() as slow, connected(socket.create_connection(slow.address)) as (reader, writer):
        writer.write(REQUEST)
        await slow.begun.wait()
        await slow.server.stop(0.05)
        assert await reader.read() == b""
