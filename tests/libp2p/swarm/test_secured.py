"""Streams on a secured connection: how they wait, how they end, and what a peer that breaks the rules gets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from zwerm.core.errors import LocalProtocolError
from zwerm.libp2p.stream import ConnectionClosed, MuxedStream, StreamReset
from zwerm.libp2p.swarm.secured import WRITE_BUFFER, SecuredConnection, SecuredStream


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[SecuredConnection, SecuredConnection, asyncio.Queue[MuxedStream]]]:
    """Give both ends of a connection, and the streams that come to the second."""
    async with tcp_host(0, security="/noise") as alice, tcp_host(1, security="/noise") as bob:
        await bob.listen([LOOPBACK])
        streams: asyncio.Queue[MuxedStream] = asyncio.Queue()
        bob._serve_stream = lambda connection, stream: streams.put_nowait(stream)  # type: ignore[method-assign]
        connection = await alice.connect(bob.peer_id, bob.addresses)
        accepted = asyncio.Event()
        bob.on_connection(lambda _: accepted.set())
        if not bob.connections:
            await accepted.wait()
        near, far = connection.muxed, bob.connections[0].muxed
        assert isinstance(near, SecuredConnection)
        assert isinstance(far, SecuredConnection)
        yield near, far, streams


async def read_all(stream: MuxedStream) -> bytes:
    parts = []
    while part := await stream.read():
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview], ids=["bytes", "bytearray", "memoryview"])
async def test_what_is_written_may_be_changed_when_the_write_is_done(kind: type) -> None:
    async with connected() as (near, _, streams):
        stream = await near.open_stream()

        async def send() -> None:
            for size in (10, WRITE_BUFFER, WRITE_BUFFER + 1):
                data = bytearray(b"a" * size)
                await stream.write(bytes(data) if kind is bytes else kind(data))
                data[:] = b"b" * size
            await stream.close_write()

        sending = asyncio.create_task(send())
        assert await read_all(await streams.get()) == b"a" * (10 + WRITE_BUFFER + WRITE_BUFFER + 1)
        await sending


async def test_pieces_come_as_they_came_until_the_end() -> None:
    async with connected() as (near, _, streams):
        stream = await near.open_stream()
        await stream.write(b"a" * 100_000)
        await stream.close_write()
        other = await streams.get()
        assert isinstance(other, SecuredStream)
        came = []
        while pieces := await other.read_pieces(30_000):
            assert sum(map(len, pieces)) <= 30_000
            came += pieces
        assert b"".join(came) == b"a" * 100_000


async def test_pieces_go_as_if_they_were_one_and_may_be_changed_when_all_are_taken() -> None:
    async with connected() as (left, _, accepted):
        stream = await left.open_stream()
        buffer = bytearray(b"b" * 300_000)
        reading = asyncio.create_task(read_all(await accepted.get()))
        await stream.write_pieces([b"a" * 10, buffer, b"", memoryview(b"c" * 70_000)])
        buffer.clear()
        await stream.close_write()
        assert await reading == b"a" * 10 + b"b" * 300_000 + b"c" * 70_000


async def test_a_writer_waits_while_nobody_reads() -> None:
    async with connected() as (near, _, streams):
        stream = await near.open_stream()
        writing = asyncio.create_task(stream.write(bytes(2_000_000)))
        far_stream = await streams.get()
        assert not writing.done()
        size = 0
        while size < 2_000_000:
            size += len(await far_stream.read())
        await writing
        assert near._session.pending(stream._id) == 0


async def test_both_directions_end_by_themselves_and_the_stream_is_forgotten() -> None:
    async with connected() as (near, far, streams):
        stream = await near.open_stream()
        await stream.write(b"question")
        await stream.close_write()
        await stream.close_write()
        with pytest.raises(StreamReset, match="our direction is closed"):
            await stream.write(b"more")
        far_stream = await streams.get()
        assert await read_all(far_stream) == b"question"
        await far_stream.write(b"answer")
        await far_stream.close()
        assert await read_all(stream) == b"answer"
        assert (near._streams, far._streams) == ({}, {})


async def test_a_reset_reaches_the_other_side() -> None:
    async with connected() as (near, _, streams):
        stream = await near.open_stream()
        await stream.write(b"x")
        far_stream = await streams.get()
        assert await far_stream.read() == b"x"
        reading = asyncio.create_task(stream.read())
        far_stream.reset()
        far_stream.reset()
        with pytest.raises(StreamReset, match="the peer reset the stream"):
            await reading
        with pytest.raises(StreamReset):
            await stream.write(b"y")
        with pytest.raises(StreamReset, match="reset here"):
            await far_stream.read()
        await stream.close()


async def test_a_cancelled_reader_loses_nothing() -> None:
    async with connected() as (near, _, streams):
        stream = await near.open_stream()
        await stream.write(b"1")
        far_stream = await streams.get()
        assert await far_stream.read() == b"1"
        reading = asyncio.create_task(far_stream.read())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await stream.write(b"2")
        assert await far_stream.read() == b"2"


async def test_what_was_sent_before_the_end_of_the_connection_can_be_read() -> None:
    async with connected() as (near, far, streams):
        stream = await near.open_stream()
        await stream.write(b"last words")
        await stream.close_write()
        far_stream = await streams.get()
        await asyncio.sleep(0)
        near._wire._transport.get_extra_info("socket").shutdown(socket.SHUT_WR)  # type: ignore[attr-defined]
        assert await far.wait_closed() == "the peer closed the connection"
        assert await read_all(far_stream) == b"last words"


async def test_a_closed_connection_opens_nothing() -> None:
    async with connected() as (near, far, streams):
        with pytest.raises(LocalProtocolError, match="started before"):
            near.start(streams.put_nowait)
        await near.close()
        with pytest.raises(ConnectionClosed, match="closed here"):
            await near.open_stream()
        assert await far.wait_closed()


async def test_a_peer_whose_records_are_forged_is_cut_off() -> None:
    async with connected() as (near, far, _):
        near._wire.write(b"\x00\x20" + b"forged record, of thirty-two byt")
        assert "forged" in await far.wait_closed()


async def test_a_peer_that_breaks_the_muxer_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    async with connected() as (near, far, _):
        near._wire.write(bytes(near._records.encrypt([b"\x07" * 12])))
        reason = await far.wait_closed()
        assert "yamux" in reason
        await asyncio.sleep(0)
        line = next(record.getMessage() for record in caplog.records if reason in record.getMessage())
        assert str(far.remote_peer) in line
