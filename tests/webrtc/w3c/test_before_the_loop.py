"""Connections that a program makes before its loop runs, as those of aiortc's examples do."""

from __future__ import annotations

import asyncio

from tests.webrtc.w3c.both import HERE, Inbox, announced, closed, connected, signal
from zwerm.webrtc import RTCConfiguration, RTCDataChannel, RTCPeerConnection

LIMIT = 20.0


async def _talk(left: RTCPeerConnection, right: RTCPeerConnection, chat: RTCDataChannel) -> list[str | bytes]:
    there = announced(right)
    async with asyncio.timeout(LIMIT):
        await signal(left, right)
        await connected(chat)
        inbox = Inbox(await there)
        chat.send("hello")
        said = await inbox.take(1)
    for connection in (left, right):
        await connection.close()
    await closed(chat)
    return said


def test_a_connection_and_its_channels_are_made_before_the_loop_runs() -> None:
    left, right = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
    chat = left.createDataChannel("chat")
    assert chat.readyState == "connecting"
    assert asyncio.run(_talk(left, right, chat)) == ["hello"]


def test_what_was_asked_for_before_the_loop_is_negotiated_on_it() -> None:
    told: list[str] = []
    left = RTCPeerConnection(RTCConfiguration(includeLoopback=True, trickle=True))
    left.on("negotiationneeded", lambda: told.append("needed"))
    left.addTransceiver("audio")
    left.createDataChannel("chat")

    async def negotiate() -> None:
        offer = await left.createOffer()
        assert "m=audio" in offer.sdp
        await asyncio.sleep(0)
        await left.close()

    asyncio.run(negotiate())
    assert told == ["needed"]


def test_a_connection_that_never_did_anything_is_closed_by_a_later_loop() -> None:
    connection = RTCPeerConnection(HERE)
    states: list[str] = []
    connection.on("signalingstatechange", lambda: states.append(connection.signalingState))
    asyncio.run(connection.close())
    assert states == ["closed"]
