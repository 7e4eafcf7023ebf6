"""A way from a browser to a daemon that can be cut, closed and opened again, as networks do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Way:
    """Carries TCP connections to a port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.is_open = True
        self.blocks_sockets = False  # as some proxies do
        self.sockets_to = port  # where web sockets lead
        self._to = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """End what goes on, without a word."""
        for writer in list(self._writers):
            writer.transport.abort()

    def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        task = asyncio.get_running_loop().create_task(self._carry_whole(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_whole(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError):  # one side is gone, which ends the other
                await self._carry(reader, writer)
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            return
        beginning = await reader.read(65_536)
        if self.blocks_sockets and b"/socket HTTP" in beginning.partition(b"\r\n")[0]:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            return
        port = self.sockets_to if b"/socket HTTP" in beginning.partition(b"\r\n")[0] else self._to
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        self._writers.add(far_writer)
        try:
            far_writer.write(beginning)
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        finally:
            far_writer.transport.abort()
            self._writers.discard(far_writer)

    async def end(self) -> None:
        """Carry nothing any more."""
        self.is_open = False
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()


@contextlib.asynccontextmanager
async def way_to(port: int) -> AsyncIterator[Way]:
    """Open a way, and end it."""
    way = Way(port)
    server = await asyncio.start_server(way.carry, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        await way.end()
        await server.wait_closed()
