"""Negotiation with Chromium and Firefox: media both ways, offers that cross, rollback, restarts of ICE, trickle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.tabs import SEEN, Tab, chromium_tab, described, firefox_tab
from tests.webrtc.w3c.both import HERE, Inbox, announced, connected, happened
from zwerm.webrtc import (
    MediaStream,
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCPeerConnection,
    RTCSessionDescription,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("webrtc-negotiation"),
]

LIMIT = 60.0  # seconds, of a busy machine; an exchange takes a hundredth of it
OFFER = "peer.setLocalDescription().then(() => gathered())"
DIRECTIONS = "peer.getTransceivers().map((one) => [one.mid, one.currentDirection])"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["chromium", "firefox"])
async def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    if request.param == "chromium":
        async with chromium_tab(SEEN) as tab:
            yield tab
    else:
        async with firefox_tab(tmp_path_factory.mktemp("profile")) as tab:
            yield tab


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: Tab) -> AsyncIterator[Tab]:
    await browser.begin()
    yield browser
    await browser.end()


@pytest_asyncio.fixture(loop_scope="module")
async def ours() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(HERE)
    yield connection
    await connection.close()


async def set_remote(tab: Tab, ours: RTCPeerConnection) -> None:
    await tab.run(f"peer.setRemoteDescription({described(ours)}).then(() => true)")


async def we_offer(ours: RTCPeerConnection, tab: Tab) -> None:
    await ours.setLocalDescription()
    await set_remote(tab, ours)
    await ours.setRemoteDescription(RTCSessionDescription(**await tab.run(OFFER)))


async def they_offer(ours: RTCPeerConnection, tab: Tab) -> None:
    await ours.setRemoteDescription(RTCSessionDescription(**await tab.run(OFFER)))
    await ours.setLocalDescription()
    await set_remote(tab, ours)


TRICKLED = """(async () => {
  const ufrag = /a=ice-ufrag:(\\S+)/.exec(peer.localDescription.sdp)[1];
  const isOurs = (one) => one !== null && one.usernameFragment === ufrag;
  while (!trickled.some(isOurs) || trickled.indexOf(null, trickled.findIndex(isOurs)) < 0) {
    await new Promise((resume) => setTimeout(resume, 10));
  }
  return trickled.splice(0).filter(isOurs);
})()"""


async def trickle(tab: Tab, ours: RTCPeerConnection) -> None:
    """Carry the candidates of the browser's present generation: Firefox says complete before it has any."""
    for told in await tab.run(TRICKLED):
        await ours.addIceCandidate(told)


async def echoes(channel: RTCDataChannel, text: str) -> None:
    """What the browser is sent comes back."""
    inbox = Inbox(channel)
    channel.send(text)
    assert await inbox.take(1) == [text]


def ufrags(sdp: Any) -> set[str]:
    return {line for line in sdp.splitlines() if line.startswith("a=ice-ufrag")}


async def test_media_that_a_browser_offers_is_taken_as_inactive_beside_data(tab: Tab, ours: RTCPeerConnection) -> None:
    tracks: list[MediaStreamTrack] = []
    ours.on("track", tracks.append)
    future = announced(ours)
    await tab.run(
        "(() => { const canvas = document.createElement('canvas'); canvas.getContext('2d');"
        " const stream = canvas.captureStream(); peer.addTrack(stream.getTracks()[0], stream);"
        " peer.addTransceiver('audio', {direction: 'recvonly'}); peer.addTransceiver('video', {direction: 'inactive'});"
        " keep(peer.createDataChannel('chat')); return true; })()"
    )
    async with asyncio.timeout(LIMIT):
        await they_offer(ours, tab)
        channel = await connected(await future)
        await echoes(channel, "beside media")
        assert [(one.mid, one.direction, one.currentDirection) for one in ours.getTransceivers()] == [
            (mid, "inactive", "inactive") for mid in ("0", "1", "2")
        ]
        assert await tab.run(DIRECTIONS) == [["0", "inactive"], ["1", "inactive"], ["2", "inactive"]]
        assert [(track.kind, track.muted) for track in tracks] == [("video", True)]
        for one, direction in zip(ours.getTransceivers(), ("recvonly", "sendrecv", "inactive"), strict=True):
            one.direction = direction
        await we_offer(ours, tab)
        assert await tab.run(DIRECTIONS) == [["0", "sendonly"], ["1", "recvonly"], ["2", "inactive"]]
        await tab.run("(() => { peer.getTransceivers()[1].stop(); return true; })()")
        await they_offer(ours, tab)
        assert [one.mid for one in ours.getTransceivers()] == ["0", "2"]
        await echoes(channel, "with a section less")
        ours.addTransceiver("audio", direction="recvonly")
        await we_offer(ours, tab)
        assert ours.getTransceivers()[-1].mid is not None
        assert ours.localDescription is not None
        assert ours.localDescription.sdp.count("m=") == 4  # the place of what was stopped is used again
        await echoes(channel, "still here")


async def test_media_that_we_offer_is_accepted_and_data_passes(tab: Tab, ours: RTCPeerConnection) -> None:
    stream = MediaStream()
    ours.addTrack(MediaStreamTrack("audio"), stream)
    ours.addTransceiver("video", sendEncodings=[{"rid": "h"}, {"rid": "l"}])
    await tab.run(
        "(() => { window.tracks = []; peer.ontrack = ({track, streams}) =>"
        " tracks.push([track.kind, streams.map((one) => one.id)]); return true; })()"
    )
    channel = ours.createDataChannel("chat")
    async with asyncio.timeout(LIMIT):
        await we_offer(ours, tab)
        await connected(channel)
        await echoes(channel, "beside media")
        assert await tab.run("tracks") == [["audio", [stream.id]], ["video", []]]
        assert await tab.run(DIRECTIONS) == [["0", "recvonly"], ["1", "recvonly"]]
        assert [one.currentDirection for one in ours.getTransceivers()] == ["sendonly", "sendonly"]
        assert [codec.mimeType for codec in ours.getSenders()[0].getParameters().codecs][:1] == ["audio/opus"]
        ours.removeTrack(ours.getSenders()[0])
        await we_offer(ours, tab)
        assert await tab.run(DIRECTIONS) == [["0", "inactive"], ["1", "recvonly"]]


async def test_media_alone_connects_and_data_may_follow(tab: Tab, ours: RTCPeerConnection) -> None:
    ours.addTransceiver("audio")
    async with asyncio.timeout(LIMIT):
        await we_offer(ours, tab)
        await happened(ours, "connectionstatechange", lambda: ours.connectionState == "connected")
        channel = ours.createDataChannel("chat")
        await we_offer(ours, tab)
        await connected(channel)
        await echoes(channel, "later")


@pytest.mark.parametrize("polite", ["we", "they"])
async def test_offers_that_cross_are_settled_by_the_polite_side(tab: Tab, ours: RTCPeerConnection, polite: str) -> None:
    wishes = 0

    @ours.on("negotiationneeded")
    def _() -> None:
        nonlocal wishes
        wishes += 1

    states: list[str] = []
    ours.on("signalingstatechange", lambda: states.append(ours.signalingState))
    future = announced(ours)
    mine = ours.createDataChannel("mine")
    ours.addTransceiver("audio")
    await tab.run("(() => { keep(peer.createDataChannel('chat')); peer.addTransceiver('audio'); return true; })()")
    async with asyncio.timeout(LIMIT):
        for _ in range(2):  # before there is a connection, and on one that stands
            states.clear()
            await ours.setLocalDescription()
            offer = RTCSessionDescription(**await tab.run(OFFER))
            if polite == "we":
                await ours.setRemoteDescription(offer)
                assert states == ["have-local-offer", "stable", "have-remote-offer"]
                await ours.setLocalDescription()
                await set_remote(tab, ours)
            else:
                await set_remote(tab, ours)
                await ours.setRemoteDescription(RTCSessionDescription(**await tab.run(OFFER)))
            channel = await connected(await future)
            await connected(mine)
            ours.addTransceiver("video")
        await we_offer(ours, tab)
        await they_offer(ours, tab)
        await echoes(channel, "after all")
        assert ours.signalingState == await tab.run("peer.signalingState") == "stable"
        assert len(ours.getTransceivers()) == await tab.run("peer.getTransceivers().length")
        assert wishes >= 1


async def test_a_rollback_by_name_forgets_the_offer_of_either_side(tab: Tab, ours: RTCPeerConnection) -> None:
    future = announced(ours)
    await tab.run("(() => { keep(peer.createDataChannel('chat')); return true; })()")
    rollback = RTCSessionDescription("", "rollback")
    async with asyncio.timeout(LIMIT):
        ours.createDataChannel("mine")
        await ours.setLocalDescription()
        await ours.setLocalDescription(rollback)
        assert (ours.signalingState, ours.localDescription) == ("stable", None)
        offer = RTCSessionDescription(**await tab.run(OFFER))
        await ours.setRemoteDescription(offer)
        await ours.setLocalDescription(rollback)
        assert (ours.signalingState, ours.remoteDescription) == ("stable", None)
        await ours.setRemoteDescription(offer)
        await ours.setLocalDescription()
        await set_remote(tab, ours)
        await echoes(await connected(await future), "after rollbacks")


@pytest.mark.parametrize("who", ["we restart", "they restart"])
async def test_a_restart_of_ice_changes_the_credentials_and_keeps_the_channel(
    tab: Tab, ours: RTCPeerConnection, who: str
) -> None:
    async with asyncio.timeout(LIMIT):
        channel = await connected(await tab.open_channel(ours, we_offer=who == "we restart"))
        await trickle(tab, ours)
        for number in range(2):
            assert ours.localDescription is not None
            assert ours.remoteDescription is not None
            before = ufrags(ours.localDescription.sdp), ufrags(ours.remoteDescription.sdp)
            if who == "we restart":
                ours.restartIce()
                await we_offer(ours, tab)
            else:
                await tab.run("(() => { peer.restartIce(); return true; })()")
                await they_offer(ours, tab)
            await trickle(tab, ours)
            after = ufrags(ours.localDescription.sdp), ufrags(ours.remoteDescription.sdp)
            assert all(len(one) == 1 for one in (*before, *after))
            assert not before[0] & after[0]
            assert not before[1] & after[1]
            await echoes(channel, f"restart {number}")
            assert ours.iceConnectionState in ("connected", "completed")


def bare(description: RTCSessionDescription) -> RTCSessionDescription:
    """A description as it is before anything was gathered."""
    lines = description.sdp.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    return RTCSessionDescription("".join(kept), description.type)


@pytest.mark.parametrize("who", ["we offer", "they offer"])
async def test_candidates_pass_one_by_one_both_ways(tab: Tab, who: str) -> None:
    ours = RTCPeerConnection(RTCConfiguration(includeLoopback=True, trickle=True))
    found: list[RTCIceCandidate | None] = []
    ours.on("icecandidate", found.append)

    async def take() -> None:
        told = await tab.run("peer.setLocalDescription().then(() => peer.localDescription.toJSON())")
        await ours.setRemoteDescription(bare(RTCSessionDescription(**told)))

    async def give() -> None:
        await ours.setLocalDescription()
        assert ours.localDescription is not None
        described = json.dumps(bare(ours.localDescription).toJSON())
        await tab.run(f"peer.setRemoteDescription({described}).then(() => true)")

    try:
        async with asyncio.timeout(LIMIT):
            if who == "we offer":
                channel = ours.createDataChannel("chat")
                await give()
                await take()
            else:
                future = announced(ours)
                await tab.run("(() => { keep(peer.createDataChannel('chat')); return true; })()")
                await take()
                await give()
            assert ours.iceConnectionState in ("new", "checking")
            await happened(ours, "icecandidate", lambda: None in found)
            for candidate in found:
                given = "" if candidate is None else json.dumps(candidate.toJSON())
                await tab.run(f"peer.addIceCandidate({given}).then(() => true)")
            await trickle(tab, ours)
            await ours.addIceCandidate(None)
            if who == "they offer":
                channel = await future
            await echoes(await connected(channel), "one by one")
            assert [one.sdpMid for one in found if one is not None]
    finally:
        await ours.close()
