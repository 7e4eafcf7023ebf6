"""Data channels with aiortc, over loopback UDP, in both roles of offer and answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aioice
import aiortc
import pytest

from tests.webrtc.w3c.both import HERE, Inbox, announced, closed, connected, happened
from zwerm.webrtc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LIMIT = 60.0  # seconds, of a busy machine

both_roles = pytest.mark.parametrize("who", ["we offer", "aiortc offers"])


@pytest.fixture
async def ours() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(HERE)
    yield connection
    await connection.close()


@pytest.fixture
async def theirs(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiortc.RTCPeerConnection]:
    """A connection of aiortc's that gathers on loopback, which it leaves out by default."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    connection = aiortc.RTCPeerConnection()
    yield connection
    await connection.close()


async def open_channels(
    ours: RTCPeerConnection, theirs: aiortc.RTCPeerConnection, who: str
) -> tuple[RTCDataChannel, aiortc.RTCDataChannel]:
    """Exchange descriptions and open a channel; ours, and aiortc's, which sends everything back."""
    mine: RTCDataChannel | asyncio.Future[RTCDataChannel]
    if who == "we offer":
        mine, other = ours.createDataChannel("chat"), asyncio.get_running_loop().create_future()
        theirs.on("datachannel", other.set_result)
        await ours.setLocalDescription(await ours.createOffer())
        assert ours.localDescription is not None
        offer = aiortc.RTCSessionDescription(ours.localDescription.sdp, ours.localDescription.type)
        await theirs.setRemoteDescription(offer)
        await theirs.setLocalDescription(await theirs.createAnswer())
        answer = RTCSessionDescription(theirs.localDescription.sdp, theirs.localDescription.type)
        await ours.setRemoteDescription(answer)
        async with asyncio.timeout(LIMIT):
            channel = await other
    else:
        future, channel = announced(ours), theirs.createDataChannel("chat")
        await theirs.setLocalDescription(await theirs.createOffer())
        await ours.setRemoteDescription(
            RTCSessionDescription(theirs.localDescription.sdp, theirs.localDescription.type)
        )
        await ours.setLocalDescription(await ours.createAnswer())
        assert ours.localDescription is not None
        answered = aiortc.RTCSessionDescription(ours.localDescription.sdp, ours.localDescription.type)
        await theirs.setRemoteDescription(answered)
        async with asyncio.timeout(LIMIT):
            mine = await future
    channel.on("message", channel.send)
    async with asyncio.timeout(LIMIT):
        await connected(mine)
        await happened(channel, "open", lambda: channel.readyState == "open")
    return mine, channel


@both_roles
async def test_messages_of_every_kind_come_back_as_they_were_sent(
    ours: RTCPeerConnection, theirs: aiortc.RTCPeerConnection, who: str
) -> None:
    mine, other = await open_channels(ours, theirs, who)
    inbox = Inbox(mine)
    sent = ["hello", "schön 🐝", b"\x00\xff", "", b"", "x" * 65_536, bytes(65_536)]
    for message in sent:
        mine.send(message)
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(len(sent)) == sent
    assert mine.id == other.id


@both_roles
async def test_a_channel_that_aiortc_closes_is_closed_here(
    ours: RTCPeerConnection, theirs: aiortc.RTCPeerConnection, who: str
) -> None:
    mine, other = await open_channels(ours, theirs, who)
    other.close()
    async with asyncio.timeout(LIMIT):
        await closed(mine)
        await happened(other, "close", lambda: other.readyState == "closed")


@both_roles
async def test_a_connection_that_we_close_closes_aiortcs_channel(
    ours: RTCPeerConnection, theirs: aiortc.RTCPeerConnection, who: str
) -> None:
    _, other = await open_channels(ours, theirs, who)
    await ours.close()
    async with asyncio.timeout(LIMIT):
        await happened(other, "close", lambda: other.readyState == "closed")
