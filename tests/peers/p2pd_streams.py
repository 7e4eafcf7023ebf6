"""Streams through go-libp2p's daemon: opened by it, and answered behind it on a Unix socket of ours.

    async with p2pd() as daemon, streams_of(daemon) as streams:
        reader, writer = await streams.open(peer, "/echo/1.0.0")

A request that opens a stream becomes that stream (hivemind/proto/p2pd.proto).
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from tests.peers.p2pd import P2pd, fields_of
from zwerm.core.protobuf import serialize_field, serialize_varint
from zwerm.identity.peer_id import PeerId

Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Answer: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_STREAM_OPEN, _STREAM_HANDLER, _LIST_PEERS, _DISCONNECT = 2, 3, 5, 7
_ERROR: Final = 1


class Refused(Exception):
    """The daemon says no."""


class DaemonStreams:
    """The streams of one daemon."""

    def __init__(self, daemon: P2pd, folder: Path) -> None:
        self._daemon = daemon
        self._folder = folder
        self.servers: list[asyncio.Server] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def open(self, peer: PeerId, *protocols: str) -> Ends:
        body = serialize_field(1, bytes(peer))
        body += b"".join(serialize_field(2, protocol.encode()) for protocol in protocols)
        reader, writer = await asyncio.open_unix_connection(self._daemon._socket)
        self.writers.append(writer)
        await self._exchange(reader, writer, _STREAM_OPEN, serialize_field(3, body))
        return reader, writer

    async def handle(self, protocol: str, answer: Answer) -> None:
        """Let `answer` have each stream of `protocol`; it closes what it is given."""
        path = self._folder / f"{len(self.servers)}"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.writers.append(writer)
            await self._daemon._message(reader)  # which peer, which protocol
            await answer(reader, writer)

        self.servers.append(await asyncio.start_unix_server(serve, path))
        # A multiaddr of ours is held to its protocols' rules, and the daemon's is whatever path it is given.
        address = b"\x90\x03" + serialize_varint(len(str(path))) + str(path).encode()
        body = serialize_field(1, address) + serialize_field(2, protocol.encode()) + serialize_field(3, 0)
        await self._request(_STREAM_HANDLER, serialize_field(4, body))

    async def peers(self) -> set[PeerId]:
        """With whom the daemon is connected."""
        infos = (await self._request(_LIST_PEERS)).get(6, [])
        return {PeerId.parse(bytes(fields_of(bytes(info))[1][0])) for info in infos}

    async def disconnect(self, peer: PeerId) -> None:
        await self._request(_DISCONNECT, serialize_field(7, serialize_field(1, bytes(peer))))

    async def _request(self, kind: int, body: bytes = b"") -> dict[int, list[int | bytes]]:
        reader, writer = await asyncio.open_unix_connection(self._daemon._socket)
        self.writers.append(writer)
        return await self._exchange(reader, writer, kind, body)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: int, body: bytes
    ) -> dict[int, list[int | bytes]]:
        message = serialize_field(1, kind) + body
        writer.write(serialize_varint(len(message)) + message)
        answer = fields_of(await self._daemon._message(reader))
        if answer[1][0] == _ERROR:
            raise Refused(bytes(fields_of(bytes(answer[2][0]))[1][0]).decode())
        return answer


@contextlib.asynccontextmanager
async def streams_of(daemon: P2pd) -> AsyncIterator[DaemonStreams]:
    """Give the streams of a daemon that runs; what is open of them is closed at the end."""
    with tempfile.TemporaryDirectory(prefix="p2pd-") as folder:
        streams = DaemonStreams(daemon, Path(folder))
        try:
            yield streams
        finally:
            for server in streams.servers:
                server.close()
            for writer in streams.writers:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
