"""What holds in the long run: hundreds of connections one after the other, and more bytes than any buffer has."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
from pathlib import Path

import pytest

from tests.webrtc.w3c.both import HERE, announced, closed, connected, signal
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

    def __init__(self, channel: RTCDataChannel, size: int) -> None:
        self.left = size
        self.hash = hashlib.sha256()
        self.done = asyncio.Event()
        channel.on("message", self.take)

    def take(self, data: bytes) -> None:
        self.hash.update(data)
        self.left -= len(data)
        if self.left <= 0:
            self.done.set()


async def stream(size: int) -> None:
    """Send so much in messages of 64 KiB, never more than a MiB ahead of the network."""
    left, right = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
    other = announced(right)
    channel = left.createDataChannel("x")
    await signal(left, right)
    await connected(channel)
    digest = Digest(await other, size)
    low = asyncio.Event()
    channel.bufferedAmountLowThreshold = MIB // 4
    channel.on("bufferedamountlow", low.set)
    expected, most = hashlib.sha256(), 0
    memory = resident()
    async with asyncio.timeout(LIMIT):
        for number in range(size // 65_536):
            message = number.to_bytes(8, "big") * 8_192
            expected.update(message)
            while channel.bufferedAmount > MIB:
                low.clear()
                await low.wait()
            channel.send(message)
            most = max(most, channel.bufferedAmount)
        await digest.done.wait()
    assert digest.hash.digest() == expected.digest()
    assert most <= MIB + 65_536
    assert resident() - memory < 100 * MIB  # windows and socket buffers, whatever the size
    channel.close()
    await closed(channel)
    await left.close()
    await right.close()


async def test_sixty_four_mebibytes_stream_with_back_pressure() -> None:
    await stream(64 * MIB)


@pytest.mark.full
async def test_a_gibibyte_streams_with_back_pressure() -> None:
    await stream(1_024 * MIB)
