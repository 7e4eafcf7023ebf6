"""js-libp2p over WebSocket, each side dialling, with either secure channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.libp2p.transports.test_websocket import ws_host
from tests.net.sockets import until
from tests.peers.lines import LinePeer
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import Stream
from zwerm.multiformats.multiaddr import Multiaddr

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ECHO = "/echo/1.0.0"
SIZE = 1_000_000
CHANNELS = {"noise": "/noise", "tls": "/tls/1.0.0"}


class JsNode:
    """The process, asked in a thread."""

    def __init__(self, peer: LinePeer, channel: str) -> None:
        self._peer = peer
        ready = peer.answer()
        self.channel = CHANNELS[channel]
        self.address = Multiaddr.from_text(ready["address"].partition("/p2p/")[0])
        self.peer = PeerId.from_text(ready["peer"])

    async def ask(self, name: str, argument: Any) -> Any:
        async with asyncio.timeout(60):
            return (await asyncio.to_thread(self._peer.ask, {name: argument}))["result"]


@pytest_asyncio.fixture(params=CHANNELS)
async def js(request: pytest.FixtureRequest) -> AsyncIterator[JsNode]:
    with LinePeer.node("libp2p_ws.mjs", request.param) as peer:
        yield await asyncio.to_thread(JsNode, peer, request.param)


async def read_all(stream: Stream) -> bytes:
    parts = []
    while part := await stream.read():
        parts.append(part)
    return b"".join(parts)


async def echo(stream: Stream) -> None:
    await stream.write(await read_all(stream))


async def test_we_dial(js: JsNode) -> None:
    async with asyncio.timeout(60), ws_host(0) as ours:
        connection = await ours.connect(js.peer, [js.address])
        assert (connection.security, connection.muxer) == (js.channel, "/yamux/1.0.0")
        async with await ours.open_stream(js.peer, [ECHO]) as stream:
            data = bytes(range(256)) * (SIZE // 256)
            await stream.write(data)
            await stream.close_write()
            assert await read_all(stream) == data


async def test_it_dials(js: JsNode) -> None:
    async with asyncio.timeout(60), ws_host(0) as ours:
        ours.handle(ECHO, echo)
        await ours.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0/ws")])
        address = f"{ours.addresses[0]}/p2p/{ours.peer_id}"
        told = await js.ask("connect", address)
        assert told == {"peer": str(ours.peer_id), "security": js.channel, "muxer": "/yamux/1.0.0"}
        assert await js.ask("echo", [address, SIZE]) == SIZE
        await until(lambda: ours.connections_to(js.peer))
