"""What holds in the long run: hundreds of connections one after the other, and more bytes than any buffer has."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.webrtc.w3c.both import HERE, announced, closed, connected, happened, signal
from zwerm.net.udp import UdpSocket
from zwerm.webrtc import RTCDataChannel, RTCPeerConnection
from zwerm.webrtc.connection.transport import Transport

pytestmark = pytest.mark.slow

MIB = 1_048_576
LIMIT = 250.0  # seconds, of a busy machine


async def connect_and_close() -> None:
    left, right = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
    other = announced(right)
    channel = left.createDataChannel("x")
    await signal(left, right)
    await connected(channel)
    await connected(await other)
    channel.send(b"hello")
    await left.close()
    await right.close()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def alive(kind: type) -> int:
    gc.collect()
    return sum(type(one) is kind for one in gc.get_objects())


async def settled() -> None:
    """Let the loop finish what closing began."""
    for _ in range(10):
        await asyncio.sleep(0)
    gc.collect()


async def test_two_hundred_connections_leave_nothing_behind() -> None:
    for _ in range(20):
        await connect_and_close()
    await settled()
    before = (descriptors(), len(asyncio.all_tasks()), alive(Transport), alive(RTCPeerConnection), alive(UdpSocket))
    memory = resident()
    for _ in range(200):
        await connect_and_close()
    await settled()
    after = (descriptors(), len(asyncio.all_tasks()), alive(Transport), alive(RTCPeerConnection), alive(UdpSocket))
    assert after == before
    assert resident() - memory < 200 * 100_000  # what is kept of a connection costs more than twice that


class Digest:
    """Takes messages and keeps their hash, not them."""

    def __init__(self, channel: RTCDataChannel) -> None:
        self.size = 0
        self.hash = hashlib.sha256()
        self._channel = channel
        channel.on("message", self.take)

    def take(self, data: bytes) -> None:
        self.hash.update(data)
        self.size += len(data)

    async def reach(self, size: int) -> bytes:
        """The hash, once so much has come."""
        await happened(self._channel, "message", lambda: self.size >= size)
        return self.hash.digest()


@contextlib.asynccontextmanager
async def linked() -> AsyncIterator[tuple[RTCPeerConnection, RTCPeerConnection, RTCDataChannel, RTCDataChannel]]:
    """Two connections and the two ends of a channel; afterwards the channel closes at both."""
    left, right = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
    other = announced(right)
    channel = left.createDataChannel("x")
    await signal(left, right)
    await connected(channel)
    yield left, right, channel, await other
    channel.close()
    await closed(channel)
    await left.close()
    await right.close()


class Sent(NamedTuple):
    size: int  # bytes
    digest: bytes
    most: int  # bytes ahead of the network


async def send_stream(channel: RTCDataChannel, is_enough: Callable[[int], bool]) -> Sent:
    """Send messages of 64 KiB until there are enough of them, never more than a MiB ahead of the network."""
    low = asyncio.Event()
    channel.bufferedAmountLowThreshold = MIB // 4
    channel.on("bufferedamountlow", low.set)
    hashed, most, number = hashlib.sha256(), 0, 0
    while not is_enough(number):
        message = number.to_bytes(8, "big") * 8_192
        hashed.update(message)
        number += 1
        while channel.bufferedAmount > MIB:
            low.clear()
            await low.wait()
        channel.send(message)
        most = max(most, channel.bufferedAmount)
    return Sent(number * 65_536, hashed.digest(), most)


async def stream(size: int) -> None:
    async with linked() as (_, _, channel, other), asyncio.timeout(LIMIT):
        digest = Digest(other)
        memory = resident()
        sent = await send_stream(channel, lambda number: number == size // 65_536)
        assert await digest.reach(size) == sent.digest
        assert sent.most <= MIB + 65_536
        assert resident() - memory < 100 * MIB  # windows and socket buffers, whatever the size


async def test_sixty_four_mebibytes_stream_with_back_pressure() -> None:
    await stream(64 * MIB)


@pytest.mark.full
async def test_a_gibibyte_streams_with_back_pressure() -> None:
    await stream(1_024 * MIB)


@pytest.mark.parametrize("who", ["the sender", "the receiver"])
async def test_ice_restarts_while_a_stream_flows(who: str) -> None:
    """By either side, three times; nothing is lost, doubled or out of order."""
    async with linked() as (left, right, channel, other), asyncio.timeout(LIMIT):
        offerer, answerer = (left, right) if who == "the sender" else (right, left)
        digest, fragments = Digest(other), [ufrag(offerer)]
        sending = asyncio.create_task(send_stream(channel, lambda _: len(fragments) == 4))
        for turn in (1, 2, 3):
            await digest.reach(turn * 8 * MIB)
            offerer.restartIce()
            await signal(offerer, answerer)
            await digest.reach(digest.size + 8 * MIB)
            fragments.append(ufrag(offerer))
        sent = await sending
        assert await digest.reach(sent.size) == sent.digest
        assert digest.size == sent.size
        assert len(set(fragments)) == 4
        assert {left.connectionState, right.connectionState} == {"connected"}


def ufrag(connection: RTCPeerConnection) -> str:
    assert connection.localDescription is not None
    return next(line for line in connection.localDescription.sdp.splitlines() if line.startswith("a=ice-ufrag"))
