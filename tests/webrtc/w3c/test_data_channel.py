"""RTCDataChannel by itself: states, errors, and what it refuses. Messages are in `test_peer_connection.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.webrtc.w3c.both import HERE, announced, closed, connected, happened, signal
from zwerm.webrtc import (
    InvalidStateError,
    NotSupportedError,
    OperationError,
    RTCDataChannel,
    RTCError,
    RTCPeerConnection,
    RTCTypeError,
)

LIMIT = 30.0


class Two:
    """Both ends of a channel, and the connections below."""

    def __init__(self) -> None:
        self.left, self.right = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
        self.ours: RTCDataChannel = self.left.createDataChannel("chat", protocol="p")
        self.theirs: RTCDataChannel

    async def connect(self) -> None:
        there = announced(self.right)
        await signal(self.left, self.right)
        async with asyncio.timeout(LIMIT):
            await connected(self.ours)
            self.theirs = await there


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    both = Two()
    await both.connect()
    yield both
    await both.left.close()
    await both.right.close()


def told(channel: RTCDataChannel) -> list[object]:
    """What a channel tells from now on, in order."""
    events: list[object] = []
    for name in ("open", "closing", "close", "bufferedamountlow"):
        channel.on(name, lambda name=name: events.append(name))
    channel.on("error", events.append)
    return events


async def test_closing_tells_both_sides_in_order_and_is_no_error(two: Two) -> None:
    ours, theirs = told(two.ours), told(two.theirs)
    two.ours.close()
    assert two.ours.readyState == "closing"
    async with asyncio.timeout(LIMIT):
        await closed(two.ours)
        await closed(two.theirs)
    assert ours == ["close"]
    assert theirs == ["closing", "close"]


async def test_a_connection_that_the_other_side_closed_is_an_error_with_its_cause(two: Two) -> None:
    ours, theirs = told(two.ours), told(two.theirs)
    await two.right.close()
    async with asyncio.timeout(LIMIT):
        await closed(two.ours)
    error, end = ours
    assert end == "close"
    assert isinstance(error, RTCError)
    assert (error.errorDetail, error.sctpCauseCode) == ("sctp-failure", 12)  # user initiated abort
    assert theirs == ["close"]  # who closes knows


async def test_bytes_are_the_only_binary_type(two: Two) -> None:
    two.ours.binaryType = "arraybuffer"
    with pytest.raises(NotSupportedError, match="blobs"):
        two.ours.binaryType = "blob"
    with pytest.raises(RTCTypeError, match="expected 'arraybuffer'"):
        two.ours.binaryType = "bytes"
    assert two.ours.binaryType == "arraybuffer"


async def test_what_a_channel_is_can_be_read_on_both_sides(two: Two) -> None:
    for channel in (two.ours, two.theirs):
        assert (channel.label, channel.protocol, channel.ordered, channel.negotiated) == ("chat", "p", True, False)
        assert (channel.maxPacketLifeTime, channel.maxRetransmits, channel.bufferedAmount) == (None, None, 0)
    assert two.ours.id == two.theirs.id


async def test_the_low_threshold_is_told_once_each_time_it_is_crossed(two: Two) -> None:
    events = told(two.ours)
    two.ours.bufferedAmountLowThreshold = 100_000
    assert two.ours.bufferedAmountLowThreshold == 100_000
    for _ in range(10):
        two.ours.send(bytes(200_000))
    assert two.ours.bufferedAmount > 1_000_000
    async with asyncio.timeout(LIMIT):
        await happened(two.ours, "bufferedamountlow", lambda: "bufferedamountlow" in events)
    assert two.ours.bufferedAmount <= 100_000
    assert events == ["bufferedamountlow"]


@pytest.mark.parametrize("value", [-1, 1 << 32])
async def test_a_threshold_that_is_no_unsigned_long_is_refused(two: Two, value: int) -> None:
    with pytest.raises(RTCTypeError, match="expected 0 to 4294967295"):
        two.ours.bufferedAmountLowThreshold = value


async def test_sending_what_cannot_be_sent_says_why(two: Two) -> None:
    with pytest.raises(RTCTypeError, match="cannot send a int"):
        two.ours.send(5)  # type: ignore[arg-type]
    limit = int(two.left.sctp.maxMessageSize) if two.left.sctp else 0
    with pytest.raises(RTCTypeError, match="the peer takes"):
        two.ours.send(bytes(limit + 1))
    two.ours.send(bytes(limit))
    with pytest.raises(OperationError, match="the limit is"):
        two.ours.send(bytes(limit // 2))
    two.ours.close()
    with pytest.raises(InvalidStateError, match="a data channel that is closing"):
        two.ours.send("late")


async def test_before_it_is_open_nothing_can_be_sent() -> None:
    both = Two()
    with pytest.raises(InvalidStateError, match="a data channel that is connecting"):
        both.ours.send("early")
    assert both.ours.id is None
    events = told(both.ours)
    both.ours.close()
    both.ours.close()
    async with asyncio.timeout(LIMIT):
        await closed(both.ours)
    assert events == ["close"]
    await both.left.close()
    await both.right.close()


async def echoed(two: Two) -> None:
    """Send one message and wait for it: afterwards the loop has had a turn with one message."""
    came = asyncio.get_running_loop().create_future()
    two.theirs.once("message", came.set_result)
    two.ours.send("alone")
    async with asyncio.timeout(LIMIT):
        await came


def packets(connection: RTCPeerConnection) -> int:
    return connection._bundle.transport.statistics().traffic.packets_sent


async def test_a_message_alone_goes_out_at_once_and_counts_as_buffered_in_this_turn(two: Two) -> None:
    await echoed(two)
    before = packets(two.left)
    two.ours.send("one")
    assert packets(two.left) == before + 1
    two.ours.send("two")
    assert packets(two.left) == before + 1
    assert two.ours.bufferedAmount == 6
    await happened(two.ours, "bufferedamountlow", lambda: two.ours.bufferedAmount == 0)


async def test_after_a_turn_with_several_messages_they_wait_for_each_other(two: Two) -> None:
    await echoed(two)
    for _ in range(2):
        two.ours.send("of several")
    await happened(two.ours, "bufferedamountlow", lambda: two.ours.bufferedAmount == 0)
    before = packets(two.left)
    two.ours.send("one")
    two.ours.send("two")
    assert packets(two.left) == before
    assert two.ours.bufferedAmount == 6
    await happened(two.ours, "bufferedamountlow", lambda: two.ours.bufferedAmount == 0)
