"""Our SCTP beside aiortc's, without DTLS: handshake both ways, transfers, resets, partial reliability, shutdown."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters

from tests.interop.aiortc_sctp import Meeting
from zwerm.webrtc.datachannel.channel import ChannelAnnounced, ChannelState, TextReceived
from zwerm.webrtc.sctp.codes import ChunkType
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.sctp.events import ConnectionFailed, IncomingStreamsReset, MessageReceived, OutgoingStreamsReset
from zwerm.webrtc.sctp.packet import chunks

pytestmark = pytest.mark.interop

BINARY = 53


@contextlib.asynccontextmanager
async def meeting(*, we_begin: bool = True, theirs_is_server: bool = True, **options: object) -> AsyncIterator[Meeting]:
    both = Meeting(theirs_is_server=theirs_is_server, **options)
    try:
        await both.start(we_begin=we_begin)
        await both.wait_until(lambda: both.ours.state is State.ESTABLISHED and both.theirs.state == "connected")
        yield both
    finally:
        await both.stop()


def opened(both: Meeting, **options: object) -> tuple[RTCDataChannel, list[object]]:
    """A channel negotiated outside, on stream 1, and what comes out of it at their side."""
    channel = RTCDataChannel(both.theirs, RTCDataChannelParameters(label="x", negotiated=True, id=1, **options))
    got: list[object] = []
    channel.on("message", got.append)
    return channel, got


@pytest.mark.parametrize("we_begin", [True, False], ids=["both begin", "they begin"])
async def test_the_handshake(*, we_begin: bool) -> None:
    """aiortc always sends INIT; so either both do, or only they."""
    async with meeting(we_begin=we_begin) as both:
        assert both.ours.state is State.ESTABLISHED


async def test_messages_of_every_size_go_both_ways() -> None:
    async with meeting() as both:
        channel, got = opened(both)
        sizes = [1, 1_132, 1_133, 65_536, 500_000]
        for size in sizes:
            both.ours.send(1, bytes(size), ppid=BINARY, now=both.loop.time())
        both.pump()
        await both.wait_until(lambda: len(got) == len(sizes))
        assert [len(data) for data in got] == sizes  # type: ignore[arg-type]
        for size in sizes:
            channel.send(b"\1" * size)
        messages = lambda: [event for event in both.events if isinstance(event, MessageReceived)]  # noqa: E731
        await both.wait_until(lambda: len(messages()) == len(sizes))
        assert [message.data for message in messages()] == [b"\1" * size for size in sizes]


async def test_losses_are_made_good() -> None:
    async with meeting() as both:
        _, got = opened(both)
        count = [0]

        def is_lost(packet: bytes) -> bool:
            count[0] += 1
            return count[0] % 11 == 5

        both.is_lost = is_lost
        for number in range(20):
            both.ours.send(1, bytes([number]) * 20_000, ppid=BINARY, now=both.loop.time())
        both.pump()
        await both.wait_until(lambda: len(got) == 20)
        assert got == [bytes([number]) * 20_000 for number in range(20)]
        assert both.dropped > 10


async def test_a_message_given_up_is_skipped_by_them() -> None:
    async with meeting() as both:
        _, got = opened(both)
        both.is_lost = lambda packet: any(chunk.type == ChunkType.DATA for chunk in chunks(packet))
        both.ours.send(1, b"gone", ppid=BINARY, now=both.loop.time(), max_retransmits=0)
        both.pump()
        both.is_lost = lambda packet: False
        both.ours.send(1, b"after", ppid=BINARY, now=both.loop.time())
        both.pump()
        await both.wait_until(lambda: bool(got))
        assert got == [b"after"]
        assert both.dropped == 1


async def test_they_reset_a_stream_and_we_answer_with_ours() -> None:
    async with meeting() as both:
        channel, _ = opened(both)
        channel.close()
        await both.wait_until(lambda: IncomingStreamsReset((1,)) in both.events)
        both.ours.reset_streams([1], both.loop.time())
        both.pump()
        await both.wait_until(lambda: OutgoingStreamsReset((1,), is_performed=True) in both.events)
        await both.wait_until(lambda: channel.readyState == "closed")


async def test_we_reset_a_stream_and_they_close_the_channel() -> None:
    async with meeting() as both:
        channel, _ = opened(both)
        both.ours.reset_streams([1], both.loop.time())
        both.pump()
        await both.wait_until(lambda: OutgoingStreamsReset((1,), is_performed=True) in both.events)
        await both.wait_until(lambda: channel.readyState == "closed")


async def test_our_abort_closes_them() -> None:
    async with meeting() as both:
        both.ours.abort(both.loop.time(), "enough")
        both.pump()
        await both.wait_until(lambda: both.theirs.state == "closed")


async def test_their_stop_aborts_ours() -> None:
    async with meeting() as both:
        await both.theirs.stop()
        await both.wait_until(lambda: any(isinstance(event, ConnectionFailed) for event in both.events))
        await asyncio.sleep(0)


async def test_their_channel_is_announced_and_closed_by_them() -> None:
    """DCEP their way; aiortc's server side opens odd streams."""
    async with meeting(channels=True) as both:
        theirs = RTCDataChannel(
            both.theirs, RTCDataChannelParameters(label="chat", protocol="v1", ordered=False, maxRetransmits=3)
        )
        await both.wait_until(lambda: theirs.readyState == "open")
        [announced] = [event for event in both.told if isinstance(event, ChannelAnnounced)]
        ours = announced.channel
        assert (ours.label, ours.protocol, ours.is_ordered, ours.max_retransmits) == ("chat", "v1", False, 3)
        got: list[object] = []
        theirs.on("message", got.append)
        for text in ("grüße", ""):
            both.channels_of_ours.send_text(ours, text, both.loop.time())
        both.channels_of_ours.send_binary(ours, b"", both.loop.time())
        both.pump()
        theirs.send("back")
        await both.wait_until(lambda: len(got) == 3 and any(isinstance(event, TextReceived) for event in both.told))
        assert sorted(map(repr, got)) == sorted(map(repr, ["grüße", "", b""]))
        theirs.close()
        await both.wait_until(lambda: ours.state is ChannelState.CLOSED and theirs.readyState == "closed")


async def test_our_channel_is_announced_and_closed_by_us() -> None:
    async with meeting(channels=True) as both:
        ours = both.channels_of_ours.open("files", max_lifetime=500, now=both.loop.time())
        both.pump()
        await both.wait_until(lambda: bool(both.channels))
        [theirs] = both.channels
        assert (theirs.label, theirs.ordered, theirs.maxPacketLifeTime, theirs.id) == ("files", True, 500, ours.id)
        await both.wait_until(lambda: ours.is_acknowledged)
        both.channels_of_ours.close(ours, both.loop.time())
        both.pump()
        await both.wait_until(lambda: ours.state is ChannelState.CLOSED and theirs.readyState == "closed")
