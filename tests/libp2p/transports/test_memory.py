"""The transport inside a process: streams that wait for their reader, and ends that tell the other."""

from __future__ import annotations

import asyncio

import pytest

from tests.libp2p.transports.streams import ADDRESS, connection_pair, peer, stream_pair
from zwerm.core.errors import LocalProtocolError, RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.libp2p.stream import ConnectionClosed, MuxedStream, StreamReset
from zwerm.libp2p.transports.memory import MemoryConnection, MemoryNetwork, MemoryTransport
from zwerm.multiformats.multiaddr import Multiaddr


async def read_all(stream: MuxedStream) -> bytes:
    data = b""
    while part := await stream.read():
        data += part
    return data


async def test_bytes_arrive_in_order_and_the_end_after_them() -> None:
    async with stream_pair() as (near, far):
        await near.write(b"one ")
        await near.write(memoryview(bytearray(b"two")))
        await near.close_write()
        assert await far.read(3) == b"one"
        assert await read_all(far) == b" two"
        await far.write(b"back")
        await far.close()
        assert await read_all(near) == b"back"


async def test_a_writer_waits_for_the_reader_and_not_longer() -> None:
    async with stream_pair(window=10) as (near, far):
        writing = asyncio.create_task(near.write(b"x" * 25))
        got = [await far.read(), await far.read(4)]
        assert not writing.done()
        got.append(await far.read())
        while sum(map(len, got)) < 25:
            got.append(await far.read())
        await writing
        assert b"".join(got) == b"x" * 25
        assert max(map(len, got)) <= 10


async def test_a_cancelled_read_loses_nothing() -> None:
    async with stream_pair() as (near, far):
        reading = asyncio.create_task(far.read())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await near.write(b"kept")
        assert await far.read() == b"kept"


async def test_a_reset_is_seen_by_both_sides_whoever_waits() -> None:
    async with stream_pair(window=1) as (near, far):
        reading = asyncio.create_task(near.read())
        writing = asyncio.create_task(near.write(b"long"))
        await asyncio.sleep(0)
        far.reset()
        for waiting in (reading, writing):
            with pytest.raises(StreamReset):
                await waiting
        with pytest.raises(StreamReset):
            await far.read()


async def test_a_closed_stream_takes_no_more_and_throws_away_what_comes() -> None:
    async with stream_pair(window=4) as (near, far):
        await far.close()
        await near.write(b"more than the window")
        assert await near.read() == b""
        with pytest.raises(StreamReset, match="our direction is closed"):
            await far.write(b"late")


async def test_streams_are_counted_until_both_directions_end() -> None:
    async with connection_pair(max_streams=1) as (near, far):
        opened: asyncio.Queue[MuxedStream] = asyncio.Queue()
        far.start(opened.put_nowait)
        first = await near.open_stream()
        with pytest.raises(ResourceLimitError, match="2 streams, the limit is 1"):
            await near.open_stream()
        other = await opened.get()
        await other.close()
        assert await first.read() == b""
        await first.close_write()
        assert (len(near.streams), len(far.streams)) == (0, 0)
        await near.open_stream()


async def test_closing_a_connection_resets_its_streams_and_says_so_to_both() -> None:
    async with connection_pair() as (near, far):
        far.start(lambda stream: None)
        stream = await near.open_stream()
        ended = asyncio.create_task(far.wait_closed())
        await near.close()
        assert await near.wait_closed() == "closed here"
        assert await ended == "the peer closed the connection"
        with pytest.raises(StreamReset, match="closed here"):
            await stream.read()
        with pytest.raises(ConnectionClosed):
            await near.open_stream()


async def test_streams_that_come_before_somebody_takes_them_are_kept() -> None:
    async with connection_pair() as (near, far):
        await near.open_stream()
        await asyncio.sleep(0)
        taken: list[MuxedStream] = []
        far.start(taken.append)
        assert len(taken) == 1
        with pytest.raises(LocalProtocolError):
            far.start(taken.append)


async def test_nobody_or_somebody_else_may_be_there() -> None:
    network = MemoryNetwork()
    near, far = MemoryTransport(network, peer(0)), MemoryTransport(network, peer(1))
    with pytest.raises(TransportError, match="nobody listens"):
        await near.dial(ADDRESS, None)
    accepted: list[MemoryConnection] = []
    listener = await far.listen(ADDRESS, accepted.append)
    with pytest.raises(RemoteProtocolError, match="expected"):
        await near.dial(ADDRESS, peer(2))
    with pytest.raises(TransportError, match="taken"):
        await near.listen(ADDRESS, accepted.append)
    await listener.close()
    with pytest.raises(TransportError, match="nobody listens"):
        await near.dial(ADDRESS, peer(1))
    free = await far.listen(Multiaddr.from_text("/memory/0"), accepted.append)
    connection = await near.dial(free.addresses[0], None)
    assert connection.remote_peer == peer(1)
    await far.close()
    assert await connection.wait_closed() == "the peer closed the connection"
