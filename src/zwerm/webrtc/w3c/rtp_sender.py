"""RTCRtpSender and RTCRtpReceiver (WebRTC 1.0 sections 5.2 and 5.3): what is negotiated of them. Nothing is sent."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from zwerm.webrtc.jsep.transceiver import Transceiver
from zwerm.webrtc.w3c.dtls_transport import RTCDtlsTransport
from zwerm.webrtc.w3c.errors import (
    InvalidModificationError,
    InvalidStateError,
    RTCTypeError,
)
from zwerm.webrtc.w3c.media_stream_track import MediaStream, MediaStreamTrack
from zwerm.webrtc.w3c.rtp_parameters import (
    RTCRtpCapabilities,
    RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
    capabilities_of,
    check_ranges,
    codec_parameters,
)


class RTCRtpSender:
    """One half of a transceiver; made by the connection."""

    def __init__(
        self,
        record: Transceiver,
        track: MediaStreamTrack | None,
        encodings: list[RTCRtpEncodingParameters],
        on_change: Callable[[], None],
    ) -> None:
        self.transport: RTCDtlsTransport | None = None  # once a description of ours has its section
        self._record = record
        self._track = track
        self._encodings = encodings
        self._on_change = on_change
        self._parameters: RTCRtpSendParameters | None = None  # as `getParameters` gave them last

    @property
    def kind(self) -> str:
        return self._record.kind

    @property
    def track(self) -> MediaStreamTrack | None:
        return self._track

    @property
    def dtmf(self) -> None:
        """There is none."""
        return

    @staticmethod
    def getCapabilities(kind: str) -> RTCRtpCapabilities | None:  # noqa: N802 - the W3C's names
        """What may be negotiated of "audio" or "video"; None of anything else."""
        return capabilities_of(kind)

    def getParameters(self) -> RTCRtpSendParameters:  # noqa: N802
        """What `setParameters` may take back, changed, before the loop comes round."""
        record = self._record
        extensions = [RTCRtpHeaderExtensionCapability(uri) for uri in _uris(record)]
        codecs = codec_parameters(record.kind, record.agreed)
        given = RTCRtpSendParameters(
            str(uuid.uuid4()), [dataclasses.replace(one) for one in self._kept()], codecs, extensions
        )
        self._parameters = dataclasses.replace(given, encodings=[dataclasses.replace(one) for one in given.encodings])
        return given

    async def setParameters(self, parameters: RTCRtpSendParameters) -> None:  # noqa: N802
        """Change how the track would be encoded.

        Raises:
            InvalidStateError: the transceiver is stopped, or the parameters are not from the last `getParameters`.
            InvalidModificationError: encodings were added, taken away or put in another order, or read-only members
                were changed.
            RTCRangeError: a number is out of its range.
        """
        if self._record.is_stopping:
            raise InvalidStateError("the transceiver is stopped")
        last = self._parameters
        if last is None or parameters.transactionId != last.transactionId:
            raise InvalidStateError("these parameters are not those of the last getParameters")
        if [one.rid for one in parameters.encodings] != [one.rid for one in last.encodings]:
            raise InvalidModificationError("encodings may be changed, not added, taken away or put in another order")
        if (parameters.codecs, parameters.headerExtensions) != (last.codecs, last.headerExtensions):
            raise InvalidModificationError("codecs and header extensions can only be negotiated")
        for one in parameters.encodings:
            check_ranges(one)
        self._encodings = [dataclasses.replace(one) for one in parameters.encodings]
        self._parameters = None

    async def replaceTrack(self, track: MediaStreamTrack | None) -> None:  # noqa: N802
        """Send another track, or none, without negotiation.

        Raises:
            RTCTypeError: it is of the other kind.
            InvalidStateError: the transceiver is stopped.
        """
        if track is not None and track.kind != self.kind:
            raise RTCTypeError(f"a track of kind {track.kind}, expected {self.kind}")
        if self._record.is_stopping:
            raise InvalidStateError("the transceiver is stopped")
        self._track = track

    def setStreams(self, *streams: MediaStream) -> None:  # noqa: N802
        """Say in which streams the other side shall see the track; it is negotiated."""
        if self._record.is_stopping:
            raise InvalidStateError("the transceiver is stopped")
        self._record.streams = tuple(dict.fromkeys(stream.id for stream in streams))
        self._on_change()

    def use(self, track: MediaStreamTrack | None, streams: Sequence[MediaStream] = ()) -> None:
        """Take a track, or let it go; called by the connection."""
        self._track = track
        if track is not None:
            self._record.track = track.id
            self._record.streams = tuple(dict.fromkeys(stream.id for stream in streams))

    def _kept(self) -> list[RTCRtpEncodingParameters]:
        """The encodings that negotiation has left, or brought."""
        rids = self._record.rids
        known = {one.rid: one for one in self._encodings}
        if len(rids) > 1 or (len(self._encodings) > 1 and rids):
            self._encodings = [known.get(rid) or RTCRtpEncodingParameters(rid=rid) for rid in rids]
        return self._encodings


class RTCRtpReceiver:
    """The other half."""

    def __init__(self, record: Transceiver) -> None:
        self.transport: RTCDtlsTransport | None = None  # once a description of ours has its section
        self._record = record
        self._track = MediaStreamTrack(record.kind, label=f"remote {record.kind}")
        self._track.muted = True

    @property
    def track(self) -> MediaStreamTrack:
        """What the other side sends would come out here; it stays muted."""
        return self._track

    @staticmethod
    def getCapabilities(kind: str) -> RTCRtpCapabilities | None:  # noqa: N802
        """What may be negotiated of "audio" or "video"; None of anything else."""
        return capabilities_of(kind)

    def getParameters(self) -> RTCRtpReceiveParameters:  # noqa: N802
        record = self._record
        extensions = [RTCRtpHeaderExtensionCapability(uri) for uri in _uris(record)]
        return RTCRtpReceiveParameters(codec_parameters(record.kind, record.agreed), extensions)

    def getContributingSources(self) -> list[Any]:  # noqa: N802
        """None: nothing is received."""
        return []

    def getSynchronizationSources(self) -> list[Any]:  # noqa: N802
        """None: nothing is received."""
        return []


def _uris(record: Transceiver) -> list[str]:
    capabilities = capabilities_of(record.kind)
    return [one.uri for one in capabilities.headerExtensions] if capabilities is not None and record.agreed else []
