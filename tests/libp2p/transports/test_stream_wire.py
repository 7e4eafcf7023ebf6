"""A stream as a wire: bytes both ways, pausing, being full, and each way to end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.libp2p.hosts import hosts
from tests.net.sockets import until
from zwerm.libp2p.stream import Stream
from zwerm.libp2p.transports.stream_wire import FULL, StreamWire
from zwerm.multiformats.multiaddr import Multiaddr

HERE, THERE = Multiaddr.from_text("/memory/1"), Multiaddr.from_text("/memory/2")


class Told:
    """What a wire says."""

    def __init__(self) -> None:
        self.data = b""
        self.said: list[str] = []

    def wire_received(self, data: memoryview) -> None:
        self.data += data
        data[:] = bytes(len(data))  # as a cipher does that decrypts in place

    def wire_ended(self) -> None:
        self.said.append("ended")

    def wire_writable(self) -> None:
        self.said.append("writable")

    def wire_lost(self, reason: str) -> None:
        self.said.append(f"lost: {reason}")


@contextlib.asynccontextmanager
async def wire_and_stream() -> AsyncIterator[tuple[StreamWire, Told, Stream]]:
    async with hosts(2) as (near, far):
        came: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
        over = asyncio.Event()

        async def take(stream: Stream) -> None:
            came.set_result(stream)
            await over.wait()

        far.handle("/wire", take)
        wire = StreamWire(await near.open_stream(far.peer_id, ["/wire"]), HERE, THERE)
        told = Told()
        wire.start(told)
        try:
            yield wire, told, await came
        finally:
            over.set()
            wire.abort()
            await wire.wait_gone()


async def test_bytes_go_both_ways() -> None:
    async with wire_and_stream() as (wire, told, stream):
        wire.write(b"one ")
        wire.write(memoryview(b"two"))
        assert await stream.read() == b"one two"
        await stream.write(b"back")
        await until(lambda: told.data == b"back")


async def test_nothing_is_received_while_paused() -> None:
    async with wire_and_stream() as (wire, told, stream):
        wire.pause()
        await stream.write(b"later")
        await stream.close_write()
        wire.write(b"there")
        assert await stream.read() == b"there"  # by now it would have come
        assert told.data == b""
        wire.resume()
        await until(lambda: told.said == ["ended"])
        assert told.data == b"later"


async def test_a_wire_that_is_full_says_when_it_is_not() -> None:
    async with wire_and_stream() as (wire, told, stream):
        wire.write(bytes(FULL))
        assert wire.is_full
        wire.write(bytes(FULL))
        got = 0
        while got < 2 * FULL:
            got += len(await stream.read())
        await until(lambda: "writable" in told.said)
        assert not wire.is_full


async def test_closing_sends_what_waits_first() -> None:
    async with wire_and_stream() as (wire, told, stream):
        wire.write(b"last words")
        wire.close()
        wire.close()
        wire.write(b"too late")
        assert await stream.read() == b"last words"
        assert await stream.read() == b""
        await wire.wait_gone()
        assert told.said == ["lost: the connection was closed"]


async def test_aborting_tells_once() -> None:
    async with wire_and_stream() as (wire, told, _):
        wire.abort()
        wire.abort()
        await wire.wait_gone()
        assert told.said == ["lost: the connection was closed"]


async def test_a_reset_of_the_other_side_is_told() -> None:
    async with wire_and_stream() as (wire, told, stream):
        stream.reset()
        await wire.wait_gone()
        assert len(told.said) == 1
        assert told.said[0].startswith("lost: ")
