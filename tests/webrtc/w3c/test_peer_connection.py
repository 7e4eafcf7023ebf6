"""Two RTCPeerConnections in one process, over real sockets on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.webrtc.w3c.both import HERE, Inbox, announced, closed, connected, happened, signal
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc import (
    InvalidModificationError,
    InvalidStateError,
    OperationError,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
    RTCSyntaxError,
    RTCTypeError,
)

LIMIT = 60.0  # seconds, of a busy machine; a connection takes a hundredth of one


@pytest.fixture
async def left() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(HERE)
    yield connection
    await connection.close()


@pytest.fixture
async def right() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(HERE)
    yield connection
    await connection.close()


async def pair_of_channels(
    left: RTCPeerConnection, right: RTCPeerConnection, *, ordered: bool = True
) -> tuple[RTCDataChannel, RTCDataChannel]:
    ours, theirs = left.createDataChannel("chat", ordered=ordered), announced(right)
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        return await connected(ours), await connected(await theirs)


async def test_the_states_go_from_new_to_connected_to_closed(left: RTCPeerConnection, right: RTCPeerConnection) -> None:
    told: list[tuple[str, str]] = []
    for name in ("connectionState", "signalingState", "iceGatheringState"):
        left.on(f"{name.lower()}change", lambda name=name: told.append((name, getattr(left, name))))
    assert (left.connectionState, left.signalingState, left.iceConnectionState) == ("new", "stable", "new")
    await pair_of_channels(left, right)
    async with asyncio.timeout(LIMIT):
        await happened(right, "connectionstatechange", lambda: right.connectionState == "connected")
    assert left.iceConnectionState in ("connected", "completed")
    await left.close()
    assert [state for name, state in told if name == "connectionState"] == ["connecting", "connected", "closed"]
    states = ["have-local-offer", "stable", "closed"]
    assert [state for name, state in told if name == "signalingState"] == states
    assert ("iceGatheringState", "complete") in told


@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "unordered"])
async def test_messages_of_every_kind_and_size_arrive_both_ways(
    left: RTCPeerConnection, right: RTCPeerConnection, ordered: bool
) -> None:
    channels = await pair_of_channels(left, right, ordered=ordered)
    messages = ["hello", "schön 🐝", b"\x00\xff", "", b"", bytes(65_536), "x" * 1_048_576, bytearray(b"last")]
    for sender, receiver in (channels, channels[::-1]):
        inbox = Inbox(receiver)
        for message in messages:
            sender.send(message)
        assert sender.bufferedAmount > 1_048_576
        async with asyncio.timeout(LIMIT):
            came = await inbox.take(len(messages))
        assert sorted(map(repr, came)) == sorted(repr(bytes(m) if isinstance(m, bytearray) else m) for m in messages)
        assert came == [*messages[:-1], b"last"] or not ordered
        assert sender.bufferedAmount == 0


async def test_what_was_asked_of_a_channel_is_told_to_the_other_side(
    left: RTCPeerConnection, right: RTCPeerConnection
) -> None:
    ours = left.createDataChannel("game", ordered=False, maxRetransmits=2, protocol="v1")
    timed = left.createDataChannel("voice", maxPacketLifeTime=50)
    came: list[RTCDataChannel] = []
    right.on("datachannel", came.append)
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await happened(right, "datachannel", lambda: len(came) == 2)
    for one, other in zip((ours, timed), sorted(came, key=lambda channel: channel.label), strict=True):
        for name in ("label", "protocol", "ordered", "maxRetransmits", "maxPacketLifeTime", "id", "negotiated"):
            assert getattr(one, name) == getattr(other, name)
    assert (ours.maxRetransmits, ours.ordered, timed.maxPacketLifeTime, timed.negotiated) == (2, False, 50, False)


async def test_a_negotiated_channel_is_there_on_both_sides(left: RTCPeerConnection, right: RTCPeerConnection) -> None:
    ours, theirs = (side.createDataChannel("both", negotiated=True, id=7) for side in (left, right))
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await connected(ours)
        await connected(theirs)
        inbox = Inbox(theirs)
        ours.send("by number")
        assert await inbox.take(1) == ["by number"]


@pytest.mark.parametrize("closer", [0, 1], ids=["the opener closes", "the other closes"])
async def test_a_closed_channel_delivers_what_was_sent_before_and_closes_on_both_sides(
    left: RTCPeerConnection, right: RTCPeerConnection, closer: int
) -> None:
    channels = await pair_of_channels(left, right)
    closing, other = channels[closer], channels[1 - closer]
    inbox = Inbox(other)
    closing.send("last words")
    closing.close()
    closing.close()
    assert closing.readyState == "closing"
    with pytest.raises(InvalidStateError):
        closing.send("too late")
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(1) == ["last words"]
        await closed(closing)
        await closed(other)
    assert left.connectionState == "connected"
    again = left.createDataChannel("again")
    async with asyncio.timeout(LIMIT):
        await connected(again)


@pytest.mark.parametrize("closer", [0, 1], ids=["the offerer closes", "the answerer closes"])
async def test_closing_a_connection_closes_the_channels_of_both(
    left: RTCPeerConnection, right: RTCPeerConnection, closer: int
) -> None:
    channels = await pair_of_channels(left, right)
    connection = (left, right)[closer]
    await connection.close()
    await connection.close()
    assert channels[closer].readyState == "closed"
    assert (connection.connectionState, connection.iceConnectionState) == ("closed", "closed")
    async with asyncio.timeout(LIMIT):
        await closed(channels[1 - closer])


async def test_a_connection_may_be_closed_by_its_own_handler(left: RTCPeerConnection, right: RTCPeerConnection) -> None:
    ours = left.createDataChannel("chat")

    @right.on("datachannel")
    async def _(channel: RTCDataChannel) -> None:
        await right.close()

    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await closed(ours)


async def test_bufferedamountlow_comes_when_the_buffer_has_emptied(
    left: RTCPeerConnection, right: RTCPeerConnection
) -> None:
    ours, theirs = await pair_of_channels(left, right)
    inbox = Inbox(theirs)
    low = asyncio.Event()
    ours.on("bufferedamountlow", low.set)
    ours.bufferedAmountLowThreshold = 100_000
    for _ in range(16):
        ours.send(bytes(65_536))
    async with asyncio.timeout(LIMIT):
        await low.wait()
        assert ours.bufferedAmount <= 100_000
        assert len(await inbox.take(16)) == 16
    with pytest.raises(RTCTypeError):
        ours.bufferedAmountLowThreshold = -1


async def test_candidates_pass_one_by_one_with_trickle() -> None:
    trickling = RTCConfiguration(includeLoopback=True, trickle=True)
    left, right = RTCPeerConnection(trickling), RTCPeerConnection(trickling)
    found: dict[RTCPeerConnection, list[RTCIceCandidate | None]] = {left: [], right: []}
    for side, candidates in found.items():
        side.on("icecandidate", candidates.append)
    ours = left.createDataChannel("chat")
    offer = await left.createOffer()
    await left.setLocalDescription(offer)
    await right.setRemoteDescription(offer)
    answer = await right.createAnswer()
    await right.setLocalDescription(answer)
    await left.setRemoteDescription(answer)
    assert left.canTrickleIceCandidates
    for side, other in ((left, right), (right, left)):
        await happened(side, "icecandidate", lambda side=side: None in found[side])
        for candidate in found[side]:
            await other.addIceCandidate(candidate)
    async with asyncio.timeout(LIMIT):
        await connected(ours)
    first = found[left][0]
    assert first is not None
    assert (first.sdpMid, first.sdpMLineIndex, first.component, first.type) == ("0", 0, "rtp", "host")
    assert (first.protocol, first.tcpType, first.relatedAddress, first.relatedPort) == ("udp", None, None, None)
    assert first.port == int(first.candidate.split()[5])
    await left.close()
    await right.close()


async def test_the_description_holds_the_candidates_once_it_is_set(left: RTCPeerConnection) -> None:
    left.createDataChannel("chat")
    await left.setLocalDescription()
    description = left.localDescription
    assert description is not None
    assert description.type == "offer"
    assert "a=candidate:" in description.sdp
    assert description.sdp.endswith("a=end-of-candidates\r\n")
    assert left.pendingLocalDescription == description
    assert (left.currentLocalDescription, left.remoteDescription, left.iceGatheringState) == (None, None, "complete")


async def test_an_offer_without_a_channel_is_answered_and_connects_nothing(
    left: RTCPeerConnection, right: RTCPeerConnection
) -> None:
    await signal(left, right)
    assert (left.signalingState, left.connectionState, left.iceGatheringState) == ("stable", "new", "new")
    ours = left.createDataChannel("later")
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await connected(ours)


async def test_a_second_exchange_leaves_the_connection_as_it_is(
    left: RTCPeerConnection, right: RTCPeerConnection
) -> None:
    ours, theirs = await pair_of_channels(left, right)
    await signal(right, left)
    await signal(left, right)
    inbox = Inbox(theirs)
    ours.send("still here")
    async with asyncio.timeout(LIMIT):
        assert await inbox.take(1) == ["still here"]


async def test_a_wrong_certificate_fails_the_connection(left: RTCPeerConnection, right: RTCPeerConnection) -> None:
    stranger = RTCPeerConnection(HERE)
    stranger.createDataChannel("chat")
    other = await stranger.createOffer()
    await stranger.close()
    wrong = next(line for line in other.sdp.splitlines() if line.startswith("a=fingerprint"))
    left.createDataChannel("chat")
    await left.setLocalDescription()
    assert left.localDescription is not None
    lines = [wrong if line.startswith("a=fingerprint") else line for line in left.localDescription.sdp.splitlines()]
    await right.setRemoteDescription(RTCSessionDescription("\r\n".join(lines) + "\r\n", "offer"))
    await right.setLocalDescription()
    assert right.localDescription is not None
    await left.setRemoteDescription(right.localDescription)
    async with asyncio.timeout(LIMIT):
        await happened(right, "connectionstatechange", lambda: right.connectionState == "failed")
        await happened(left, "connectionstatechange", lambda: left.connectionState == "failed")


async def test_misuse_of_a_connection_raises_what_the_w3c_says(
    left: RTCPeerConnection, right: RTCPeerConnection
) -> None:
    with pytest.raises(InvalidStateError):
        await left.createAnswer()
    with pytest.raises(InvalidStateError):
        await left.setRemoteDescription(RTCSessionDescription("v=0\r\n", "answer"))
    with pytest.raises(InvalidStateError):
        await left.addIceCandidate(RTCIceCandidate(sdpMid="0"))
    with pytest.raises(InvalidStateError):
        await left.setLocalDescription(RTCSessionDescription("", "rollback"))
    left.createDataChannel("chat")
    offer = await left.createOffer()
    with pytest.raises(InvalidModificationError):
        await left.setLocalDescription(RTCSessionDescription(offer.sdp + "a=x\r\n", "offer"))
    for text in (
        "hello",
        "v=1\r\n",
        offer.sdp.replace("a=ice-pwd", "a=was-ice-pwd"),
        offer.sdp.replace("5000", "0"),
    ):
        with pytest.raises(OperationError):
            await right.setRemoteDescription(RTCSessionDescription(text, "offer"))
    assert right.signalingState == "stable"
    await right.setRemoteDescription(offer)
    for candidate in (RTCIceCandidate("candidate:nonsense", "0"), RTCIceCandidate(sdpMid="9")):
        with pytest.raises(OperationError):
            await right.addIceCandidate(candidate)
    await right.close()
    for call in (right.createOffer, right.createAnswer, right.setLocalDescription, right.addIceCandidate):
        with pytest.raises(InvalidStateError):
            await call()
    with pytest.raises(InvalidStateError):
        right.createDataChannel("late")


async def test_misuse_of_channels_raises_what_the_w3c_says(left: RTCPeerConnection, right: RTCPeerConnection) -> None:
    with pytest.raises(RTCTypeError):
        left.createDataChannel("both", maxRetransmits=1, maxPacketLifeTime=1)
    with pytest.raises(RTCTypeError):
        left.createDataChannel("no number", negotiated=True)
    with pytest.raises(RTCTypeError):
        left.createDataChannel("x" * 65_536)
    left.createDataChannel("seven", negotiated=True, id=7)
    with pytest.raises(OperationError):
        left.createDataChannel("seven again", negotiated=True, id=7)
    early = left.createDataChannel("early")
    with pytest.raises(InvalidStateError):
        early.send("too early")
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await connected(early)
    with pytest.raises(RTCTypeError):
        early.send(5)  # type: ignore[arg-type]
    with pytest.raises(RTCTypeError):
        early.send(bytes(64 * 1_048_576 + 1))
    early.send(bytes(40 * 1_048_576))
    with pytest.raises(OperationError):
        early.send(bytes(40 * 1_048_576))


def test_misuse_is_a_local_protocol_error_and_malformed_servers_are_refused() -> None:
    assert issubclass(InvalidStateError, LocalProtocolError)
    assert issubclass(RTCTypeError, TypeError)
    with pytest.raises(RTCTypeError):
        RTCSessionDescription("", "question")
    with pytest.raises(RTCTypeError):
        RTCIceCandidate("candidate:1 1 udp 1 192.0.2.1 1 typ host")
    for server in (RTCIceServer("http://x"), RTCIceServer()):
        with pytest.raises(RTCSyntaxError):
            RTCConfiguration([server]).check()


async def test_servers_become_addresses_and_those_without_one_are_left_out() -> None:
    urls = ["stun:127.0.0.1", "stun:[::1]:99", "stun:name.invalid"]
    servers = [RTCIceServer(urls), RTCIceServer(url="turn:127.0.0.1?transport=udp", username="u", credential="p")]
    config = await RTCConfiguration(servers, iceTransportPolicy="relay").to_ice()
    assert [server.address for server in config.stun_servers] == [("127.0.0.1", 3478), ("::1", 99)]
    (turn,) = config.turn_servers
    assert (turn.address, turn.username, turn.password, config.policy.value) == (("127.0.0.1", 3478), "u", "p", "relay")
