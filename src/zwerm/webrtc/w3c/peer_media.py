"""Transceivers and tracks of an RTCPeerConnection (WebRTC 1.0 section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zwerm.webrtc.w3c.errors import InvalidStateError
from zwerm.webrtc.w3c.media_stream_track import MediaStream, MediaStreamTrack
from zwerm.webrtc.w3c.peer_attributes import PeerAttributes
from zwerm.webrtc.w3c.rtp_parameters import RTCRtpEncodingParameters
from zwerm.webrtc.w3c.rtp_sender import RTCRtpReceiver, RTCRtpSender
from zwerm.webrtc.w3c.rtp_transceiver import RTCRtpTransceiver, TransceiverSet


class PeerMedia(PeerAttributes):
    """What is negotiated of audio and video. No engine sends or plays it: docs/webrtc.md."""

    _transceivers: TransceiverSet

    def getTransceivers(self) -> list[RTCRtpTransceiver]:  # noqa: N802 - the W3C's names
        """In the order they were made."""
        return self._transceivers.all()

    def getSenders(self) -> list[RTCRtpSender]:  # noqa: N802
        return [one.sender for one in self._transceivers.live()]

    def getReceivers(self) -> list[RTCRtpReceiver]:  # noqa: N802
        return [one.receiver for one in self._transceivers.live()]

    def addTransceiver(  # noqa: N802
        self,
        trackOrKind: MediaStreamTrack | str,  # noqa: N803
        direction: str = "sendrecv",
        streams: Sequence[MediaStream] = (),
        sendEncodings: Sequence[RTCRtpEncodingParameters | Mapping[str, Any]] = (),  # noqa: N803
    ) -> RTCRtpTransceiver:
        """Have a section for media offered.

        Raises:
            InvalidStateError: the connection is closed, or has too many already.
            RTCTypeError: the kind, the direction or a rid is none.
            RTCRangeError: a number of an encoding is out of its range.
        """
        self._check_open()
        return self._transceivers.add(trackOrKind, direction, streams, sendEncodings)

    def addTrack(self, track: MediaStreamTrack, *streams: MediaStream) -> RTCRtpSender:  # noqa: N802
        """Offer a track, or answer with it when the other side has room for it.

        Raises:
            InvalidStateError: the connection is closed, or has too many already.
            InvalidAccessError: it is there already.
        """
        self._check_open()
        return self._transceivers.add_track(track, streams)

    def removeTrack(self, sender: RTCRtpSender) -> None:  # noqa: N802
        """Let go of a track.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidAccessError: the sender is another connection's.
        """
        self._check_open()
        self._transceivers.remove_track(sender)

    def _check_open(self) -> None:
        if self._is_closed:
            raise InvalidStateError("the connection is closed")

    def _tell_media(self) -> None:
        """Carry on what the session has to say of transceivers."""
        for event in self._session.take_events():
            found = self._transceivers.take(event)
            if found is not None:
                one, streams = found
                track = one.receiver.track
                self.emit("track", track, track=track, receiver=one.receiver, transceiver=one, streams=streams)
