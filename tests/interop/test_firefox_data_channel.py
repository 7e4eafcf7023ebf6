"""Data channels with Firefox, over loopback UDP, in both roles of offer and answer; descriptions pass as text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.web.firefox import Firefox, running_firefox
from tests.webrtc.w3c.both import HERE, Inbox, announced, closed, connected
from zwerm.webrtc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("webrtc-firefox"),
]

LIMIT = 60.0  # seconds, of a busy machine

PAGE = """
window.peer = new RTCPeerConnection();
window.inbox = [];
window.keep = (channel) => {
  window.channel = channel;
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({data}) => { window.inbox.push(data); channel.send(data); };
  window.ended = new Promise((done) => { channel.onclose = () => done(true); });
};
peer.ondatachannel = ({channel}) => keep(channel);
window.gathered = () => new Promise((resolve) => {
  const look = () => { if (peer.iceGatheringState === 'complete') resolve(peer.localDescription.toJSON()); };
  peer.addEventListener('icegatheringstatechange', look);
  look();
});
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    profile: Path = tmp_path_factory.mktemp("firefox")
    ice = "media.peerconnection.ice"
    preferences = {f"{ice}.loopback": True, f"{ice}.obfuscate_host_addresses": False}
    async with running_firefox(profile, preferences) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(firefox: Firefox) -> AsyncIterator[Firefox]:
    await firefox.run(f"(() => {{ {PAGE} return true; }})()")
    yield firefox
    await firefox.run("(() => { peer.close(); return true; })()")


@pytest_asyncio.fixture(loop_scope="module")
async def ours() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(HERE)
    yield connection
    await connection.close()


async def open_channel(ours: RTCPeerConnection, page: Firefox, who: str) -> RTCDataChannel:
    if who == "we offer":
        channel = ours.createDataChannel("chat")
        await ours.setLocalDescription()
        assert ours.localDescription is not None
        offer = json.dumps({"type": "offer", "sdp": ours.localDescription.sdp})
        answer = await page.run(
            f"peer.setRemoteDescription({offer}).then(() => peer.setLocalDescription()).then(() => gathered())"
        )
        await ours.setRemoteDescription(RTCSessionDescription(**answer))
        return await connected(channel)
    future = announced(ours)
    offered = await page.run(
        "(() => { keep(peer.createDataChannel('chat')); return peer.setLocalDescription().then(() => gathered()); })()"
    )
    await ours.setRemoteDescription(RTCSessionDescription(**offered))
    await ours.setLocalDescription()
    assert ours.localDescription is not None
    answered = json.dumps({"type": "answer", "sdp": ours.localDescription.sdp})
    await page.run(f"peer.setRemoteDescription({answered}).then(() => true)")
    return await future


@pytest.mark.parametrize("who", ["we offer", "firefox offers"])
async def test_messages_of_every_kind_come_back_and_the_channel_closes(
    ours: RTCPeerConnection, page: Firefox, who: str
) -> None:
    async with asyncio.timeout(LIMIT):
        channel = await open_channel(ours, page, who)
        inbox = Inbox(channel)
        sent = ["hello", "schön 🐝", b"\x00\x01\xff", "", b"", "x" * 65_536, bytes(range(256)) * 1_024]
        for message in sent:
            channel.send(message)
        assert await inbox.take(len(sent)) == sent
        await page.run("(() => { channel.close(); return true; })()")
        await closed(channel)
        assert await page.run("ended") is True
