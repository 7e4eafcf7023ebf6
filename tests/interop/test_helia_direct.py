"""Helia in Node by webrtc-direct, each side dialling: who the other is, ping, identify, and files both ways."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.direct_node import DirectNode, direct_node
from tests.net.sockets import until
from tests.peers.lines import LinePeer
from zwerm.ipfs.bitswap.message import BITSWAP_1_2
from zwerm.libp2p.ping.aio import ping

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.xdist_group("helia-direct")]

SIZE = 16 * 1_048_576


class Helia:
    """The process, asked in a thread."""

    def __init__(self, peer: LinePeer) -> None:
        self._peer = peer
        ready = peer.answer()
        self.address: str = ready["address"]
        self.peer: str = ready["peer"]

    async def ask(self, name: str, argument: Any = None) -> Any:
        async with asyncio.timeout(60):
            return await asyncio.to_thread(self._peer.ask, {name: argument})


@pytest_asyncio.fixture
async def helia() -> AsyncIterator[Helia]:
    with LinePeer.node("helia_direct.mjs") as peer:
        yield await asyncio.to_thread(Helia, peer)


@pytest_asyncio.fixture
async def node() -> AsyncIterator[DirectNode]:
    async with direct_node() as running:
        yield running


@pytest_asyncio.fixture(params=["Helia dials", "we dial"])
async def connected(request: pytest.FixtureRequest, node: DirectNode, helia: Helia) -> tuple[DirectNode, Helia]:
    if request.param == "we dial":
        assert str(await node.connect(helia.address)) == helia.peer
    else:
        assert (await helia.ask("connect", node.address))["muxer"] == "/webrtc"
        await until(lambda: node.swarm.connections)
    return node, helia


async def test_pings_and_names_of_protocols_pass_both_ways(connected: tuple[DirectNode, Helia]) -> None:
    node, helia = connected
    connection = node.swarm.connections[0]
    assert (str(connection.remote_peer), connection.security, connection.muxer) == (helia.peer, "/noise", "/webrtc")
    assert await ping(node.swarm, connection.remote_peer) < 60
    assert (await helia.ask("ping", f"/p2p/{node.swarm.peer_id}"))["milliseconds"] < 60_000
    await until(lambda: BITSWAP_1_2 in node.swarm.peers.protocols(connection.remote_peer))
    while BITSWAP_1_2 not in await helia.ask("protocols", str(node.swarm.peer_id)):
        pass  # it has not asked us yet
    assert [one["peer"] for one in await helia.ask("peers")] == [str(node.swarm.peer_id)]


async def test_files_pass_both_ways(connected: tuple[DirectNode, Helia]) -> None:
    node, helia = connected
    data = hashlib.shake_128(b"direct").digest(SIZE)
    got = await helia.ask("get", node.keep(data))
    assert (got["size"], got["sha256"]) == (SIZE, hashlib.sha256(data).hexdigest())
    added = await helia.ask("add", SIZE)
    assert hashlib.sha256(await node.fetch(added["cid"])).hexdigest() == added["sha256"]
