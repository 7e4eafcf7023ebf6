"""Data channels with Chromium, over loopback UDP, in both roles of offer and answer; descriptions pass as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.web.browser import CHROMIUM
from tests.webrtc.w3c.both import HERE, Inbox, connected
from zwerm.webrtc import RTCDataChannel, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("webrtc-chromium"),
]

LIMIT = 60.0  # seconds, of a busy machine; a connection takes a tenth of one
ARGUMENTS = ["--no-sandbox", "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"]
INTERLEAVING = "--force-fieldtrials=WebRTC-DataChannelMessageInterleaving/Enabled/"

PAGE = """
window.pc = new RTCPeerConnection();
window.inbox = [];
window.trickled = [];
window.kept = new Promise((resolve) => {
  window.keep = (channel) => {
    window.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({data}) => {
      window.inbox.push(data);
      channel.send(data);
    };
    window.ended = new Promise((done) => { channel.onclose = () => done(true); });
    if (channel.readyState === 'open') resolve(true);
    channel.onopen = () => resolve(true);
  };
});
pc.ondatachannel = ({channel}) => keep(channel);
pc.onicecandidate = ({candidate}) => window.trickled.push(candidate && candidate.toJSON());
window.gathered = () => new Promise((resolve) => {
  const look = () => { if (pc.iceGatheringState === 'complete') resolve(pc.localDescription.toJSON()); };
  pc.addEventListener('icegatheringstatechange', look);
  look();
});
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context()
    page = await context.new_page()
    await page.evaluate(f"() => {{ {PAGE} }}")
    yield page
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def ours() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(HERE)
    yield connection
    await connection.close()


async def we_offer(ours: RTCPeerConnection, page: Page, **options: Any) -> RTCDataChannel:
    channel = ours.createDataChannel("chat", **options)
    await ours.setLocalDescription(await ours.createOffer())
    assert ours.localDescription is not None
    answer = await page.evaluate(
        "async (sdp) => { await pc.setRemoteDescription({type: 'offer', sdp}); await pc.setLocalDescription();"
        " return await gathered(); }",
        ours.localDescription.sdp,
    )
    await ours.setRemoteDescription(RTCSessionDescription(**answer))
    return channel


async def chromium_offers(ours: RTCPeerConnection, page: Page) -> RTCDataChannel:
    announced: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
    ours.on("datachannel", announced.set_result)
    offer = await page.evaluate(
        "async () => { keep(pc.createDataChannel('chat')); await pc.setLocalDescription(); return await gathered(); }"
    )
    await ours.setRemoteDescription(RTCSessionDescription(**offer))
    await ours.setLocalDescription(await ours.createAnswer())
    assert ours.localDescription is not None
    await page.evaluate("(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", ours.localDescription.sdp)
    async with asyncio.timeout(LIMIT):
        return await announced


async def open_channel(ours: RTCPeerConnection, page: Page, who: str) -> RTCDataChannel:
    channel = await (we_offer(ours, page) if who == "we offer" else chromium_offers(ours, page))
    async with asyncio.timeout(LIMIT):
        await connected(channel)
        assert await page.evaluate("kept") is True
    return channel


both_roles = pytest.mark.parametrize("who", ["we offer", "chromium offers"])


@both_roles
async def test_messages_of_every_kind_come_back_as_they_were_sent(
    ours: RTCPeerConnection, page: Page, who: str
) -> None:
    channel = await open_channel(ours, page, who)
    inbox = Inbox(channel)
    sent = ["hello", "schön 🐝", b"\x00\x01\xff", "", b"", "x" * 65_536, bytes(range(256)) * 1_024]
    for message in sent:
        channel.send(message)
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(len(sent)) == sent
    assert (channel.label, ours.connectionState) == ("chat", "connected")
    assert await page.evaluate("pc.connectionState") == "connected"
    sizes = await page.evaluate("inbox.map((data) => data.length ?? data.byteLength)")
    assert sizes == [5, 8, 3, 0, 0, 65_536, 262_144]


@both_roles
async def test_a_channel_that_chromium_closes_is_closed_here(ours: RTCPeerConnection, page: Page, who: str) -> None:
    channel = await open_channel(ours, page, who)
    closed = asyncio.Event()
    channel.on("close", closed.set)
    await page.evaluate("channel.close()")
    async with asyncio.timeout(LIMIT):
        await closed.wait()
        assert await page.evaluate("ended") is True
    assert channel.readyState == "closed"


@both_roles
async def test_a_connection_that_we_close_closes_chromiums_channel(
    ours: RTCPeerConnection, page: Page, who: str
) -> None:
    await open_channel(ours, page, who)
    await ours.close()
    async with asyncio.timeout(LIMIT):
        assert await page.evaluate("ended") is True


async def test_an_unordered_channel_keeps_what_was_asked_for(ours: RTCPeerConnection, page: Page) -> None:
    channel = await we_offer(ours, page, ordered=False, maxRetransmits=3, protocol="game")
    async with asyncio.timeout(LIMIT):
        await connected(channel)
        assert await page.evaluate("kept") is True
    told = await page.evaluate("[channel.ordered, channel.maxRetransmits, channel.protocol, channel.id]")
    assert told == [False, 3, "game", channel.id]


@both_roles
async def test_messages_interleave_where_chromium_offers_it(ours: RTCPeerConnection, who: str) -> None:
    """RFC 8260, which it has behind a field trial."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, INTERLEAVING])
        try:
            page = await browser.new_page()
            await page.evaluate(f"() => {{ {PAGE} }}")
            channel = await open_channel(ours, page, who)
            assert channel._channels.association.features.interleaving
            inbox = Inbox(channel)
            sent: list[str | bytes] = ["short", bytes(range(256)) * 1_024, "", b"last"]
            for message in sent:
                channel.send(message)
            async with asyncio.timeout(LIMIT):
                assert await inbox.take(len(sent)) == sent
        finally:
            await browser.close()


async def test_candidates_pass_one_by_one_after_the_descriptions(page: Page, ours: RTCPeerConnection) -> None:
    """Both descriptions go without a candidate; all of them follow by themselves, and their ends."""
    candidates: list[RTCIceCandidate | None] = []
    ours.on("icecandidate", candidates.append)
    channel = ours.createDataChannel("chat")
    offer = await ours.createOffer()
    assert "a=candidate" not in offer.sdp
    await ours.setLocalDescription(offer)
    answer = await page.evaluate(
        "async (sdp) => { await pc.setRemoteDescription({type: 'offer', sdp}); const answer = await pc.createAnswer();"
        " await pc.setLocalDescription(answer); return {type: answer.type, sdp: answer.sdp}; }",
        offer.sdp,
    )
    assert "a=candidate" not in answer["sdp"]
    await ours.setRemoteDescription(RTCSessionDescription(**answer))
    assert candidates[-1] is None
    for candidate in candidates:
        told = candidate and {"candidate": candidate.candidate, "sdpMid": candidate.sdpMid}
        await page.evaluate("(candidate) => pc.addIceCandidate(candidate)", told)
    await page.evaluate("gathered()")
    for told in await page.evaluate("trickled"):
        await ours.addIceCandidate(told and RTCIceCandidate(**told))
    async with asyncio.timeout(LIMIT):
        await connected(channel)
        assert await page.evaluate("kept") is True


async def test_a_restart_of_ice_by_chromium_keeps_the_channel(page: Page, ours: RTCPeerConnection) -> None:
    channel = await open_channel(ours, page, "chromium offers")
    assert ours.localDescription is not None
    before = ours.localDescription.sdp
    offer = await page.evaluate(
        "async () => { pc.restartIce(); await pc.setLocalDescription(); return await gathered(); }"
    )
    await ours.setRemoteDescription(RTCSessionDescription(**offer))
    await ours.setLocalDescription()
    assert ours.localDescription is not None
    assert ufrag(ours.localDescription.sdp) != ufrag(before)
    await page.evaluate("(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", ours.localDescription.sdp)
    inbox = Inbox(channel)
    channel.send("after the restart")
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(1) == ["after the restart"]


def ufrag(sdp: str) -> str:
    return next(line for line in sdp.splitlines() if line.startswith("a=ice-ufrag"))
