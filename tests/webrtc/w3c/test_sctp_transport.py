"""RTCSctpTransport: how large a message may be, how many channels there may be, and how it ends."""

from __future__ import annotations

import asyncio

from tests.webrtc.w3c.both import closed
from tests.webrtc.w3c.transports import LIMIT, Two, connect, objects, states_of
from zwerm.webrtc import RTCSessionDescription


async def test_a_message_may_be_as_large_as_the_other_side_takes(two: Two) -> None:
    left, right = two
    left.createDataChannel("chat")
    await left.setLocalDescription()
    assert left.localDescription is not None
    lines = left.localDescription.sdp.split("\r\n")
    small = ["a=max-message-size:1000" if line.startswith("a=max-message-size") else line for line in lines]
    await right.setRemoteDescription(RTCSessionDescription("\r\n".join(small), "offer"))
    await right.setLocalDescription()
    assert objects(right).maxMessageSize == 1_000
    assert objects(right).state == "connecting"
    assert objects(right).maxChannels is None


async def test_it_is_connected_and_then_closed_once(two: Two) -> None:
    left, right = two
    ours, _ = await connect(left, right)
    sctp = objects(left)
    assert (sctp.state, sctp.maxChannels) == ("connected", 65_535)
    told = states_of(sctp)
    await right.close()
    async with asyncio.timeout(LIMIT):
        await closed(ours)
    await left.close()
    assert told == ["closed"]
