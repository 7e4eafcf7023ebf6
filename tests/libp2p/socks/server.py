"""A small SOCKS 5 proxy on loopback, which resolves the names it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Mapping


class SocksServer:
    """What it was asked for, and by whom."""

    def __init__(self, names: Mapping[str, tuple[str, int]], users: Mapping[str, str]) -> None:
        self.port = 0
        self.asked: list[tuple[str, int]] = []
        self.logged_in: list[str] = []
        self._names = names
        self._users = users

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        offered = await reader.readexactly(count)
        method = 2 if self._users else 0
        if method not in offered:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes((5, method)))
        if method == 2:
            user = (await reader.readexactly((await reader.readexactly(2))[1])).decode()
            password = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            is_right = self._users.get(user) == password
            writer.write(bytes((1, not is_right)))
            if not is_right:
                return
            self.logged_in.append(user)
        kind = (await reader.readexactly(4))[3]
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append((host, port))
        if kind == 3 and host not in self._names:
            writer.write(b"\x05\x04\x00\x01" + bytes(6))
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._names.get(host, (host, port)))
        except OSError:
            writer.write(b"\x05\x05\x00\x01" + bytes(6))
            return
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def socks_server(
    names: Mapping[str, tuple[str, int]] | None = None, users: Mapping[str, str] | None = None
) -> AsyncIterator[SocksServer]:
    proxy = SocksServer(names or {}, users or {})
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(proxy.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
