"""Every call in every state that does not allow it: the W3C's error by its name, and nothing changed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.webrtc.w3c.both import HERE
from zwerm.webrtc import (
    InvalidAccessError,
    InvalidModificationError,
    InvalidStateError,
    MediaStreamTrack,
    OperationError,
    RTCConfiguration,
    RTCError,
    RTCIceServer,
    RTCPeerConnection,
    RTCRangeError,
    RTCRtpSender,
    RTCSessionDescription,
    RTCSyntaxError,
    RTCTypeError,
)

ROLLBACK = RTCSessionDescription("", "rollback")
EMPTY = {"type": "answer", "sdp": "v=0\r\n"}
TRICKLING = RTCConfiguration(includeLoopback=True, trickle=True, interfaces=["lo"], iceTcp=False)


async def reach(state: str) -> tuple[RTCPeerConnection, RTCPeerConnection]:
    """A connection in a signaling state, and the other side's."""
    ours, theirs = RTCPeerConnection(TRICKLING), RTCPeerConnection(TRICKLING)
    for connection in (ours, theirs):
        connection.createDataChannel("chat")
    if state in ("have-local-offer", "have-remote-pranswer"):
        await ours.setLocalDescription()
    if state in ("have-remote-offer", "have-local-pranswer"):
        await ours.setRemoteDescription(await theirs.createOffer())
    if state == "have-local-pranswer":
        answer = await ours.createAnswer()
        await ours.setLocalDescription(RTCSessionDescription(answer.sdp, "pranswer"))
    if state == "have-remote-pranswer":
        assert ours.localDescription is not None
        await theirs.setRemoteDescription(ours.localDescription)
        answer = await theirs.createAnswer()
        await ours.setRemoteDescription(RTCSessionDescription(answer.sdp, "pranswer"))
    if state == "closed":
        await ours.close()
    assert ours.signalingState == state
    return ours, theirs


CALLS: dict[str, Callable[[RTCPeerConnection], Awaitable[Any]]] = {
    "createOffer": lambda pc: pc.createOffer(),
    "createAnswer": lambda pc: pc.createAnswer(),
    "set a local answer": lambda pc: pc.setLocalDescription(EMPTY),
    "set a remote answer": lambda pc: pc.setRemoteDescription(EMPTY),
    "roll back": lambda pc: pc.setLocalDescription(ROLLBACK),
    "roll back as the other side's": lambda pc: pc.setRemoteDescription(ROLLBACK),
    "addIceCandidate": lambda pc: pc.addIceCandidate({"candidate": "", "sdpMid": "0"}),
}
REFUSED = {
    "stable": (
        "createAnswer",
        "set a local answer",
        "set a remote answer",
        "roll back",
        "roll back as the other side's",
    ),
    "have-local-offer": ("createAnswer", "set a local answer"),
    "have-remote-offer": ("createOffer", "set a remote answer"),
    "have-local-pranswer": ("createOffer", "set a remote answer", "roll back", "roll back as the other side's"),
    "have-remote-pranswer": ("createOffer", "createAnswer", "set a local answer", "roll back"),
    "closed": tuple(CALLS),
}


@pytest.mark.parametrize(("state", "call"), [(state, call) for state, calls in REFUSED.items() for call in calls])
async def test_a_call_that_the_state_does_not_allow_is_an_invalid_state_error(state: str, call: str) -> None:
    ours, theirs = await reach(state)
    with pytest.raises(InvalidStateError) as caught:
        await CALLS[call](ours)
    assert len(str(caught.value).split()) > 3  # a sentence
    assert ours.signalingState == state
    for connection in (ours, theirs):
        await connection.close()


NOW: dict[str, tuple[Callable[[RTCPeerConnection], Any], type[Exception]]] = {
    "a transceiver of text": (lambda pc: pc.addTransceiver("text"), RTCTypeError),
    "a direction that is none": (lambda pc: pc.addTransceiver("audio", direction="up"), RTCTypeError),
    "a rid with a dot": (lambda pc: pc.addTransceiver("video", sendEncodings=[{"rid": "a.b"}]), RTCTypeError),
    "a rid twice": (lambda pc: pc.addTransceiver("video", sendEncodings=[{"rid": "a"}] * 2), RTCTypeError),
    "a rid beside none": (lambda pc: pc.addTransceiver("video", sendEncodings=[{"rid": "a"}, {}]), RTCTypeError),
    "an encoding of what is not known": (lambda pc: pc.addTransceiver("video", sendEncodings=[{"x": 1}]), RTCTypeError),
    "an encoding that grows": (
        lambda pc: pc.addTransceiver("video", sendEncodings=[{"scaleResolutionDownBy": 0.5}]),
        RTCRangeError,
    ),
    "no frames": (lambda pc: pc.addTransceiver("video", sendEncodings=[{"maxFramerate": 0.0}]), RTCRangeError),
    "another pool": (lambda pc: pc.setConfiguration({"iceCandidatePoolSize": 256}), RTCTypeError),
    "another bundle policy": (lambda pc: pc.setConfiguration({"bundlePolicy": "max-bundle"}), InvalidModificationError),
    "a policy that is none": (lambda pc: pc.setConfiguration({"iceTransportPolicy": "none"}), RTCTypeError),
    "a mux policy that is none": (lambda pc: pc.setConfiguration({"rtcpMuxPolicy": "negotiate"}), RTCTypeError),
    "a member that is not known": (lambda pc: pc.setConfiguration({"iceServer": []}), RTCTypeError),
    "a server without a URL": (lambda pc: pc.setConfiguration({"iceServers": [{}]}), RTCSyntaxError),
    "a server of another scheme": (
        lambda pc: pc.setConfiguration({"iceServers": [RTCIceServer("http://x")]}),
        RTCSyntaxError,
    ),
    "a relay without a password": (
        lambda pc: pc.setConfiguration({"iceServers": [{"urls": "turn:192.0.2.1", "username": "u"}]}),
        InvalidAccessError,
    ),
    "another's sender": (lambda pc: pc.removeTrack(object()), InvalidAccessError),
}


@pytest.mark.parametrize("case", NOW)
async def test_an_argument_that_is_not_what_it_must_be_is_refused_at_once(case: str) -> None:
    call, error = NOW[case]
    connection = RTCPeerConnection()
    with pytest.raises(error):
        call(connection)
    assert connection.getTransceivers() == []
    await connection.close()


async def test_what_a_closed_connection_cannot_do() -> None:
    connection = RTCPeerConnection()
    transceiver = connection.addTransceiver("audio")
    await connection.close()
    for call in (
        lambda: connection.addTransceiver("audio"),
        lambda: connection.addTrack(MediaStreamTrack("audio")),
        lambda: connection.removeTrack(transceiver.sender),
        lambda: connection.createDataChannel("late"),
        connection.setConfiguration,
    ):
        with pytest.raises(InvalidStateError):
            call()
    with pytest.raises(InvalidStateError):
        transceiver.direction = "inactive"
    with pytest.raises(InvalidStateError):
        await transceiver.sender.replaceTrack(None)
    connection.restartIce()
    transceiver.stop()
    assert (transceiver.direction, transceiver.stopped, connection.getSenders()) == ("stopped", True, [])


async def test_senders_keep_what_was_negotiated() -> None:
    connection = RTCPeerConnection()
    track = MediaStreamTrack("video")
    sender = connection.addTrack(track)
    with pytest.raises(InvalidAccessError):
        connection.addTrack(track)
    with pytest.raises(RTCTypeError):
        await sender.replaceTrack(MediaStreamTrack("audio"))
    with pytest.raises(InvalidStateError):
        await sender.setParameters(RTCRtpSender.getParameters(connection.addTransceiver("video").sender))
    parameters = sender.getParameters()
    parameters.encodings.append(parameters.encodings[0])
    with pytest.raises(InvalidModificationError):
        await sender.setParameters(parameters)
    parameters = sender.getParameters()
    parameters.encodings[0].maxBitrate = 100_000
    await sender.setParameters(parameters)
    assert sender.getParameters().encodings[0].maxBitrate == 100_000
    await connection.close()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: "hello", RTCError),
        (lambda text: text.replace("v=0", "v=1"), RTCError),
        (lambda text: text.replace("a=ice-pwd", "a=was"), OperationError),
        (lambda text: text.replace("sctp-port:5000", "sctp-port:0"), OperationError),
        (lambda text: text.replace("a=fingerprint:sha-256", "a=fingerprint:md5"), OperationError),
        (lambda text: text.replace("a=rtcp-mux\r\n", ""), InvalidAccessError),
        (lambda text: text.replace("BUNDLE 0", "BUNDLE 7"), OperationError),
        (lambda text: re.sub("a=rtpmap:111.*", "a=rtpmap:999 opus/48000/2", text), OperationError),
        (lambda text: text + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 300, OperationError),
    ],
    ids=[
        "no SDP",
        "another version",
        "no password",
        "port 0",
        "a weak hash",
        "no mux",
        "a bundle of nothing",
        "a payload type that is none",
        "300 sections",
    ],
)
async def test_a_hostile_offer_is_refused_and_a_good_one_is_taken_after_it(
    change: Callable[[str], str], error: type[Exception]
) -> None:
    ours, theirs = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
    theirs.addTransceiver("audio")
    theirs.createDataChannel("chat")
    offer = await theirs.createOffer()
    broken = change(offer.sdp)
    assert broken != offer.sdp
    with pytest.raises(error):
        await ours.setRemoteDescription({"type": "offer", "sdp": broken})
    assert (ours.signalingState, ours.getTransceivers(), ours.remoteDescription) == ("stable", [], None)
    await ours.setRemoteDescription(offer)
    assert ours.signalingState == "have-remote-offer"
    for connection in (ours, theirs):
        await connection.close()
