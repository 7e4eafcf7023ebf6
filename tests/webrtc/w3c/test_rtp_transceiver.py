"""Transceivers between two connections of ours: no media, all of its negotiation."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.webrtc.w3c.both import signal
from zwerm.webrtc import (
    Event,
    InvalidAccessError,
    MediaStream,
    MediaStreamTrack,
    NotSupportedError,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpReceiver,
    RTCRtpSender,
)

HERE = RTCConfiguration(includeLoopback=True, interfaces=["lo"], iceTcp=False)


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


async def test_a_track_is_told_with_its_streams_and_stays_muted(
    left: RTCPeerConnection, right: RTCPeerConnection
) -> None:
    told: list[Event] = []
    tracks: list[MediaStreamTrack] = []
    right.ontrack = told.append

    @right.on("track")
    def _(track: MediaStreamTrack) -> None:
        tracks.append(track)
        right.getTransceivers()[0].direction = "recvonly"  # else the answer takes nothing

    stream, track = MediaStream(), MediaStreamTrack("audio")
    sender = left.addTrack(track, stream)
    await signal(left, right)
    (event,) = told
    assert (event.track, event.receiver, event.transceiver) == (
        tracks[0],
        right.getReceivers()[0],
        right.getTransceivers()[0],
    )
    assert [one.id for one in event.streams] == [stream.id]
    assert event.streams[0].getTracks() == tracks
    assert (tracks[0].kind, tracks[0].muted, tracks[0].readyState) == ("audio", True, "live")
    with pytest.raises(NotSupportedError):
        await tracks[0].recv()
    assert (sender.track, left.getSenders()) == (track, [sender])
    left.removeTrack(sender)
    assert sender.track is None
    await signal(left, right)
    assert event.streams[0].getTracks() == []


async def test_a_sender_that_was_never_used_is_used_again(left: RTCPeerConnection) -> None:
    transceiver = left.addTransceiver("audio", direction="recvonly")
    assert left.addTrack(MediaStreamTrack("audio")) is transceiver.sender
    assert transceiver.direction == "sendrecv"
    assert left.addTrack(MediaStreamTrack("video")) is not transceiver.sender
    assert [one.kind for one in left.getTransceivers()] == ["audio", "video"]


async def test_what_is_stopped_before_it_was_offered_is_gone(left: RTCPeerConnection) -> None:
    transceiver = left.addTransceiver("video")
    transceiver.stop()
    transceiver.stop()
    assert (left.getTransceivers(), transceiver.currentDirection) == ([], "stopped")


async def test_preferred_codecs_are_offered_and_agreed_on(left: RTCPeerConnection, right: RTCPeerConnection) -> None:
    capabilities = RTCRtpSender.getCapabilities("video")
    assert capabilities is not None
    assert RTCRtpReceiver.getCapabilities("text") is None
    transceiver = left.addTransceiver("video")
    wanted = [one for one in capabilities.codecs if one.mimeType in ("video/H264", "video/rtx")]
    transceiver.setCodecPreferences(wanted)
    await signal(left, right)
    codecs = transceiver.sender.getParameters().codecs
    assert [one.mimeType for one in codecs] == ["video/H264", "video/rtx"]
    assert codecs == right.getReceivers()[0].getParameters().codecs
    assert codecs[0].sdpFmtpLine == wanted[1].sdpFmtpLine
    for wrong in ([RTCRtpCodecCapability("video/none", 90_000)], wanted[:1]):
        with pytest.raises(InvalidAccessError):
            transceiver.setCodecPreferences(wrong)
    transceiver.setCodecPreferences([])


async def test_encodings_are_negotiated_and_kept(left: RTCPeerConnection, right: RTCPeerConnection) -> None:
    transceiver = left.addTransceiver("video", sendEncodings=[{"rid": "a"}, {"rid": "b", "maxBitrate": 1_000}])
    encodings = transceiver.sender.getParameters().encodings
    assert [(one.rid, one.scaleResolutionDownBy, one.maxBitrate) for one in encodings] == [
        ("a", 2.0, None),
        ("b", 1.0, 1_000),
    ]
    await signal(left, right)
    assert left.localDescription is not None
    assert "a=simulcast:send a;b\r\n" in left.localDescription.sdp
    assert len(transceiver.sender.getParameters().encodings) == 1  # the answer takes no simulcast


async def test_a_sender_has_a_transport_while_a_description_of_ours_has_its_section(
    left: RTCPeerConnection, right: RTCPeerConnection
) -> None:
    """WebRTC 1.0 section 4.4.1.5: with the local description, taken back with it, the same one for all sections."""
    left.addTransceiver("audio")
    left.addTransceiver("video")
    audio, video = left.getTransceivers()
    assert audio.sender.transport is None
    await left.setLocalDescription(await left.createOffer())
    transport = audio.sender.transport
    assert transport is not None
    assert transport is audio.receiver.transport is video.sender.transport
    await left.setLocalDescription({"type": "rollback"})
    assert audio.sender.transport is None
    await left.setLocalDescription(await left.createOffer())
    assert left.localDescription is not None
    await right.setRemoteDescription(left.localDescription)
    (theirs, _) = right.getTransceivers()
    assert theirs.sender.transport is None
    await right.setLocalDescription(await right.createAnswer())
    assert theirs.sender.transport is not None
    assert theirs.sender.transport.iceTransport.state in ("new", "checking", "connected")
