"""A recorded connection logs what is done with it, samples itself, and is an RTCPeerConnection in all else."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest

from tests.webrtc.w3c.both import HERE, announced, connected, happened, signal
from zwerm.webrtc import (
    InvalidStateError,
    RecordedPeerConnection,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from zwerm.webrtc.w3c.recorded import dump_of

LIMIT = 30.0


async def recorded_call() -> dict[str, object]:
    """The part of a dump that is about the one connection of a call."""
    left, right = RecordedPeerConnection(HERE, interval=0.01), RTCPeerConnection(HERE)
    channel, theirs = left.createDataChannel("chat", ordered=False), announced(right)
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await connected(channel)
        await theirs
        await happened(left, "connectionstatechange", lambda: left.connectionState == "connected")
    right.createDataChannel("back")
    async with asyncio.timeout(LIMIT):
        await announced(left)
    await left.close()
    await right.close()
    part: dict[str, object] = json.loads(json.dumps(left.dump()))["PeerConnections"]["1-1"]
    return part


async def test_calls_and_what_came_of_them_are_in_the_log_in_order() -> None:
    part = await recorded_call()
    log = part["updateLog"]
    assert isinstance(log, list)
    calls = [one["type"] for one in log if one["type"].startswith(("create", "set", "close"))]
    assert calls == [
        "createDataChannel",
        "createOffer",
        "createOfferOnSuccess",
        "setLocalDescription",
        "setLocalDescriptionOnSuccess",
        "setRemoteDescription",
        "setRemoteDescriptionOnSuccess",
        "close",
        "closeOnSuccess",
    ]
    said = {one["type"]: one["value"] for one in log}
    assert json.loads(said["createDataChannel"]) == {"label": "chat", "ordered": False}
    assert said["createOffer"] == ""
    offer = json.loads(said["setLocalDescription"])
    assert (offer["type"], offer["sdp"][:5]) == ("offer", "v=0\r\n")
    assert said["ondatachannel"] == '{"label":"back","ordered":true}'
    states = [one["value"] for one in log if one["type"] == "onconnectionstatechange"]
    assert states == ['"connecting"', '"connected"', '"closed"']


async def test_candidates_are_logged_as_readers_take_them_apart() -> None:
    part = await recorded_call()
    log = part["updateLog"]
    assert isinstance(log, list)
    for entry in [one for one in log if one["type"] == "onicecandidate"]:
        told = json.loads(entry["value"])
        assert (told["sdpMid"], told["sdpMLineIndex"]) == ("0", 0)
        assert told["candidate"].startswith("candidate:")


async def test_what_methods_were_given_is_in_the_log_by_name_without_passwords() -> None:
    connection = RecordedPeerConnection(HERE)
    await connection.createOffer({"iceRestart": True})
    connection.addTransceiver("audio", direction="recvonly")
    connection.restartIce()
    server = RTCIceServer("turn:turn.example.net", username="alice", credential="wonder")
    connection.setConfiguration(dataclasses.replace(connection.getConfiguration(), iceServers=[server]))
    with pytest.raises(TypeError):
        connection.createDataChannel()  # type: ignore[call-arg]
    await connection.close()
    said = {one["type"]: one["value"] for one in connection.history.dump()["updateLog"]}
    assert said["createOffer"] == '{"iceRestart":true}'
    assert json.loads(said["addTransceiver"])["direction"] == "recvonly"
    assert said["restartIce"] == said["createDataChannel"] == ""
    assert "turn:turn.example.net" in said["setConfiguration"]
    assert "alice" not in said["setConfiguration"]
    assert "wonder" not in said["setConfiguration"]


async def test_statistics_are_sampled_until_the_end() -> None:
    left, right = RecordedPeerConnection(HERE, interval=0.001), RTCPeerConnection(HERE)
    channel = left.createDataChannel("chat")
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await connected(channel)
        while len(json.loads(stats_of(left)["T01-bytesSent"]["values"])) < 10:
            await left.getStats()
            await asyncio.sleep(0)
    await left.close()
    await right.close()
    stats = stats_of(left)
    sent = json.loads(stats["T01-bytesSent"]["values"])
    assert sent == sorted(sent)
    assert sent[-1] > 0
    assert json.loads(stats["T01-iceState"]["values"])[-1] == "closed"
    assert {one["statsType"] for one in stats.values()} >= {"transport", "candidate-pair", "certificate"}
    assert len(json.loads(stats_of(left)["T01-bytesSent"]["values"])) == len(sent)  # nothing samples any more


def stats_of(connection: RecordedPeerConnection) -> dict[str, dict[str, str]]:
    stats: dict[str, dict[str, str]] = connection.history.dump()["stats"]
    return stats


async def test_a_call_that_fails_is_logged_with_its_error() -> None:
    connection = RecordedPeerConnection(HERE)
    with pytest.raises(InvalidStateError):
        await connection.setRemoteDescription(RTCSessionDescription("v=0\r\n", "answer"))
    await connection.close()
    log = connection.history.dump()["updateLog"]
    assert [one["type"] for one in log][:2] == ["setRemoteDescription", "setRemoteDescriptionOnFailure"]
    assert log[1]["value"].startswith("InvalidStateError: ")


async def test_no_password_of_a_server_is_in_a_dump() -> None:
    server = RTCIceServer("turn:turn.example.net", username="alice", credential="wonder")
    connection = RecordedPeerConnection(RTCConfiguration([server]))
    await connection.close()
    written = json.dumps(dump_of([connection]))
    assert "turn:turn.example.net" in written
    assert "wonder" not in written
    assert "alice" not in written
