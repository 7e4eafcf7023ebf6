"""RTCConfiguration at work: a pool of candidates, servers that come later (WebRTC 1.0 sections 4.2.1 and 4.4.1.6)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from tests.webrtc.w3c.both import connected, happened, signal
from zwerm.webrtc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection
from zwerm.webrtc.stun.message import is_stun

LIMIT = 30.0  # seconds, of a busy machine


@contextlib.asynccontextmanager
async def one(**options: object) -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(includeLoopback=True, iceTcp=False, **options))  # type: ignore[arg-type]
    try:
        yield connection
    finally:
        await connection.close()


async def test_with_a_pool_gathering_begins_with_the_offer_and_candidates_are_told_once_it_is_set() -> None:
    async with asyncio.timeout(LIMIT), one(iceCandidatePoolSize=1, trickle=True) as connection:
        told: list[RTCIceCandidate | None] = []
        connection.on("icecandidate", told.append)
        connection.createDataChannel("chat")
        assert connection.iceGatheringState == "new"
        offer = await connection.createOffer()
        await happened(connection, "icegatheringstatechange", lambda: connection.iceGatheringState == "complete")
        assert told == []
        await connection.setLocalDescription(offer)
        await happened(connection, "icecandidate", lambda: None in told)
        assert len(told) > 1


async def test_without_a_pool_an_offer_gathers_nothing() -> None:
    async with one() as connection:
        connection.createDataChannel("chat")
        await connection.createOffer()
        assert connection.iceGatheringState == "new"


async def test_servers_of_a_later_configuration_are_asked_by_the_restart_after_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0)
        url = f"stun:127.0.0.1:{server.getsockname()[1]}"
        async with asyncio.timeout(LIMIT), one() as left, one() as right:
            channel = left.createDataChannel("chat")
            await signal(left, right)
            await connected(channel)
            changed = left.getConfiguration()
            changed.iceServers = [{"urls": url}]
            left.setConfiguration(changed)
            assert left.getConfiguration().iceServers == [{"urls": url}]
            left.restartIce()
            restarting = asyncio.ensure_future(left.setLocalDescription())
            request, _ = await asyncio.get_running_loop().sock_recvfrom(server, 1_500)
            assert is_stun(request)
            restarting.cancel()
            await asyncio.gather(restarting, return_exceptions=True)
