"""Two connections in one process, and what tests wait for."""

from __future__ import annotations

import asyncio
from typing import Any

from zwerm.webrtc import RTCConfiguration, RTCDataChannel, RTCPeerConnection

HERE = RTCConfiguration(includeLoopback=True)


class Inbox:
    """The messages of a channel, in the order they came."""

    def __init__(self, channel: RTCDataChannel) -> None:
        self._messages: asyncio.Queue[str | bytes] = asyncio.Queue()
        channel.on("message", self._messages.put_nowait)

    async def take(self, count: int) -> list[str | bytes]:
        return [await self._messages.get() for _ in range(count)]


async def connected(channel: RTCDataChannel) -> RTCDataChannel:
    """Wait until a channel is open."""
    await happened(channel, "open", lambda: channel.readyState == "open")
    return channel


async def closed(channel: RTCDataChannel) -> RTCDataChannel:
    """Wait until a channel is closed."""
    await happened(channel, "close", lambda: channel.readyState == "closed")
    return channel


async def happened(source: Any, event: str, is_true: Any) -> None:
    """Wait until something is true, looking at each event of that name."""
    told = asyncio.Event()
    listener = source.on(event, lambda *_: told.set())
    while not is_true():
        told.clear()
        await told.wait()
    source.remove_listener(event, listener)


def announced(connection: RTCPeerConnection) -> asyncio.Future[RTCDataChannel]:
    """The first channel that the other side opens."""
    future: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
    connection.once("datachannel", future.set_result)
    return future


async def signal(offerer: RTCPeerConnection, answerer: RTCPeerConnection) -> None:
    """Carry an offer and its answer."""
    await offerer.setLocalDescription(await offerer.createOffer())
    assert offerer.localDescription is not None
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    assert answerer.localDescription is not None
    await offerer.setRemoteDescription(answerer.localDescription)
