"""Data channels with libwebrtc (`wrtc`), libdatachannel, werift and aiortc, over loopback UDP, in both roles.

Each peer is a process of its own that answers lines (`tests/peers/data_channel.*`) and sends back what comes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.peers.lines import LinePeer
from tests.webrtc.w3c.both import Inbox, announced, closed, connected
from zwerm.webrtc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCPeerConnection,
    RTCSessionDescription,
)

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LIMIT = 60.0  # seconds, of a busy machine
MIB = 1_048_576
ENGINES = ("wrtc", "libdatachannel", "werift", "aiortc")
TRICKLING = ("wrtc", "libdatachannel", "werift")
TRICKLE = True  # answer before the candidates are there
SENDS_NOTHING_EMPTY = ("werift",)  # an empty message stays in its queue, and all that follows
FORGETS_UNORDERED = ("werift",)  # its OPEN says ordered where the channel is limited too

both_roles = pytest.mark.parametrize("who", ["we offer", "they offer"])


def start(engine: str) -> LinePeer:
    if engine in ("wrtc", "aiortc"):
        return LinePeer.python("data_channel.py", engine)
    return LinePeer.node("data_channel.mjs", engine)


@pytest.fixture(scope="module")
def peers() -> Iterator[dict[str, LinePeer]]:
    """Processes, started when first asked for, and kept: each test begins a new connection in them."""
    running: dict[str, LinePeer] = {}
    yield running
    for peer in running.values():
        with peer:
            pass


class Them:
    """The other side."""

    def __init__(self, engine: str, peer: LinePeer) -> None:
        self.engine = engine
        self._peer = peer

    async def ask(self, *question: Any) -> Any:
        try:
            async with asyncio.timeout(LIMIT):
                return await asyncio.to_thread(self._peer.ask, question)
        except TimeoutError:
            self._peer.kill()
            raise


@pytest.fixture(params=ENGINES)
async def them(request: pytest.FixtureRequest, peers: dict[str, LinePeer]) -> AsyncIterator[Them]:
    engine: str = request.param
    if engine not in peers:
        peers[engine] = start(engine)
    them = Them(engine, peers[engine])
    await them.ask("new")
    yield them
    await them.ask("close")


@pytest.fixture
async def ours() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(includeLoopback=True))
    yield connection
    await connection.close()


async def open_channel(ours: RTCPeerConnection, them: Them, who: str, **options: Any) -> RTCDataChannel:
    """Exchange descriptions, open a channel, and wait until both sides have it."""
    waiting = announced(ours)
    if who == "we offer":
        waiting.cancel()
        channel = ours.createDataChannel("chat", **options)
        await ours.setLocalDescription(await ours.createOffer())
        assert ours.localDescription is not None
        answer = await them.ask("answer", ours.localDescription.sdp)
        await ours.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    else:
        await them.ask("channel", "chat", options)
        offer = await them.ask("offer")
        await ours.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await ours.setLocalDescription(await ours.createAnswer())
        assert ours.localDescription is not None
        await them.ask("accept", ours.localDescription.sdp)
        async with asyncio.timeout(LIMIT):
            channel = await waiting
    async with asyncio.timeout(LIMIT):
        await connected(channel)
    await them.ask("opened")
    return channel


def announced_size(connection: RTCPeerConnection) -> int:
    """The largest message that the other side says it takes."""
    assert connection.remoteDescription is not None
    found = re.search(r"a=max-message-size:(\d+)", connection.remoteDescription.sdp)
    return int(found[1]) if found else 65_536


@both_roles
async def test_messages_of_every_kind_come_back_as_they_were_sent(
    ours: RTCPeerConnection, them: Them, who: str
) -> None:
    channel = await open_channel(ours, them, who)
    inbox = Inbox(channel)
    sent: list[str | bytes] = ["hello", "schön 🐝", b"\x00\x01\xff", "x" * 16_384, bytes(range(256)) * 256, "", b""]
    for message in sent:
        channel.send(message)
    back = sent[:-2] if them.engine in SENDS_NOTHING_EMPTY else sent
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(len(back)) == back
    assert (await them.ask("messages"))[-2:] == [["text", 0], ["bytes", 0]]
    assert (channel.label, ours.connectionState) == ("chat", "connected")


@both_roles
async def test_a_message_as_large_as_they_announce_goes_there_and_back(
    ours: RTCPeerConnection, them: Them, who: str
) -> None:
    channel = await open_channel(ours, them, who)
    size = min(announced_size(ours), MIB) or MIB
    assert size >= 65_536
    inbox = Inbox(channel)
    message = bytes(range(256)) * (size // 256)
    channel.send(message)
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(1) == [message]


@both_roles
async def test_an_unordered_channel_of_few_retransmits_keeps_what_was_asked_for_and_carries(
    ours: RTCPeerConnection, them: Them, who: str
) -> None:
    channel = await open_channel(ours, them, who, ordered=False, maxRetransmits=3, protocol="game")
    inbox = Inbox(channel)
    channel.send(b"state")
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(1) == [b"state"]
    told = await them.ask("opened")
    is_ordered = who == "they offer" and them.engine in FORGETS_UNORDERED
    assert (channel.ordered, channel.maxRetransmits, channel.protocol) == (is_ordered, 3, "game")
    expected = {"ordered": False, "maxRetransmits": 3, "protocol": "game"}
    assert {name: told[name] for name in expected if name in told} == {
        name: value for name, value in expected.items() if name in told
    }


@both_roles
async def test_a_channel_of_limited_life_time_carries(ours: RTCPeerConnection, them: Them, who: str) -> None:
    channel = await open_channel(ours, them, who, maxPacketLifeTime=5_000)
    inbox = Inbox(channel)
    channel.send("still fresh")
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(1) == ["still fresh"]
    assert channel.maxPacketLifeTime == 5_000


@both_roles
async def test_a_negotiated_channel_is_there_without_being_announced(
    ours: RTCPeerConnection, them: Them, who: str
) -> None:
    channel = ours.createDataChannel("agreed", negotiated=True, id=7)
    await them.ask("channel", "agreed", {"negotiated": True, "id": 7})
    if who == "we offer":
        await ours.setLocalDescription(await ours.createOffer())
        assert ours.localDescription is not None
        answer = await them.ask("answer", ours.localDescription.sdp)
        await ours.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    else:
        await ours.setRemoteDescription(RTCSessionDescription(await them.ask("offer"), "offer"))
        await ours.setLocalDescription(await ours.createAnswer())
        assert ours.localDescription is not None
        await them.ask("accept", ours.localDescription.sdp)
    async with asyncio.timeout(LIMIT):
        await connected(channel)
    await them.ask("opened")
    inbox = Inbox(channel)
    channel.send("hello")
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(1) == ["hello"]
    assert channel.id == 7


@both_roles
async def test_a_channel_that_they_close_is_closed_here(ours: RTCPeerConnection, them: Them, who: str) -> None:
    channel = await open_channel(ours, them, who)
    await them.ask("close_channel")
    async with asyncio.timeout(LIMIT):
        await closed(channel)


@both_roles
async def test_a_channel_that_we_close_is_closed_there(ours: RTCPeerConnection, them: Them, who: str) -> None:
    channel = await open_channel(ours, them, who)
    channel.close()
    await them.ask("closed")
    async with asyncio.timeout(LIMIT):
        await closed(channel)


@both_roles
async def test_a_connection_that_we_close_closes_their_channel(ours: RTCPeerConnection, them: Them, who: str) -> None:
    await open_channel(ours, them, who)
    await ours.close()
    await them.ask("closed")


@both_roles
async def test_a_connection_that_they_close_closes_our_channel(ours: RTCPeerConnection, them: Them, who: str) -> None:
    channel = await open_channel(ours, them, who)
    await them.ask("close")
    async with asyncio.timeout(LIMIT):
        await closed(channel)


@pytest.mark.parametrize("them", TRICKLING, indirect=True)
@both_roles
async def test_candidates_pass_one_by_one_after_the_descriptions(them: Them, who: str) -> None:
    """No description needs a candidate; all of them follow by themselves."""
    ours = RTCPeerConnection(RTCConfiguration(includeLoopback=True, trickle=True))
    mine: list[RTCIceCandidate | None] = []
    ours.on("icecandidate", mine.append)
    waiting = announced(ours)
    if who == "we offer":
        waiting.cancel()
        channel = ours.createDataChannel("chat")
        offer = await ours.createOffer()
        assert "a=candidate" not in offer.sdp
        await ours.setLocalDescription(offer)
        answer = await them.ask("answer", offer.sdp, TRICKLE)
        await ours.setRemoteDescription(RTCSessionDescription(without_candidates(answer), "answer"))
    else:
        await them.ask("channel", "chat", {})
        offer_of_theirs = without_candidates(await them.ask("offer", TRICKLE))
        await ours.setRemoteDescription(RTCSessionDescription(offer_of_theirs, "offer"))
        answer_of_ours = await ours.createAnswer()
        await ours.setLocalDescription(answer_of_ours)
        await them.ask("accept", answer_of_ours.sdp)
    for told in await them.ask("candidates"):
        await ours.addIceCandidate(RTCIceCandidate(told["candidate"], told["sdpMid"]))
    await ours.addIceCandidate(None)
    for candidate in mine:
        if candidate is not None:
            await them.ask("candidate", {"candidate": candidate.candidate, "sdpMid": candidate.sdpMid})
    async with asyncio.timeout(LIMIT):
        await connected(channel if who == "we offer" else await waiting)
    await them.ask("opened")
    await ours.close()


def without_candidates(sdp: str) -> str:
    lines = [line for line in sdp.splitlines() if not line.startswith(("a=candidate", "a=end-of-candidates"))]
    return "\r\n".join(lines) + "\r\n"


@both_roles
async def test_messages_interleave_with_libwebrtc_when_it_offers_that(ours: RTCPeerConnection, who: str) -> None:
    """RFC 8260, which libwebrtc has behind a field trial."""
    with LinePeer.python("data_channel.py", "wrtc", "WebRTC-DataChannelMessageInterleaving") as peer:
        them = Them("wrtc", peer)
        channel = await open_channel(ours, them, who)
        assert channel._channels.association.features.interleaving
        sent: list[str | bytes] = ["short", bytes(range(256)) * 1_024, "", b"last"]
        inbox = Inbox(channel)
        for message in sent:
            channel.send(message)
        async with asyncio.timeout(LIMIT):
            assert await inbox.take(len(sent)) == sent
