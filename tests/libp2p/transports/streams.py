"""A connection and a stream over memory, without a swarm."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import MuxedStream
from zwerm.libp2p.transports.memory import MemoryConnection, MemoryNetwork, MemoryStream, MemoryTransport
from zwerm.multiformats.multiaddr import Multiaddr

ADDRESS = Multiaddr.from_text("/memory/1")


def peer(number: int) -> PeerId:
    return PeerId.of(seeded_key(number).public)


@contextlib.asynccontextmanager
async def connection_pair(**options: int) -> AsyncIterator[tuple[MemoryConnection, MemoryConnection]]:
    """Give the two ends of a connection, dialler first; neither is started."""
    network = MemoryNetwork()
    near, far = (MemoryTransport(network, peer(number), **options) for number in range(2))
    accepted: list[MemoryConnection] = []
    await far.listen(ADDRESS, accepted.append)
    try:
        yield await near.dial(ADDRESS, far.peer), accepted[0]
    finally:
        await near.close()
        await far.close()


@contextlib.asynccontextmanager
async def stream_pair(**options: int) -> AsyncIterator[tuple[MemoryStream, MuxedStream]]:
    """Give the two ends of a stream, opener first."""
    async with connection_pair(**options) as (near, far):
        opened: asyncio.Future[MuxedStream] = asyncio.get_running_loop().create_future()
        far.start(opened.set_result)
        yield await near.open_stream(), await opened
