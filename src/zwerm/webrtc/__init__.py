"""WebRTC: straight to the other side. The objects of WebRTC 1.0, and below them a machine for each protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zwerm.webrtc.w3c.certificate import RTCCertificate, RTCDtlsFingerprint
    from zwerm.webrtc.w3c.configuration import RTCBundlePolicy, RTCConfiguration, RTCIceServer
    from zwerm.webrtc.w3c.data_channel import RTCDataChannel
    from zwerm.webrtc.w3c.dtls_transport import RTCDtlsParameters, RTCDtlsTransport
    from zwerm.webrtc.w3c.errors import (
        InvalidAccessError,
        InvalidModificationError,
        InvalidStateError,
        NotSupportedError,
        OperationError,
        RTCRangeError,
        RTCSyntaxError,
        RTCTypeError,
    )
    from zwerm.webrtc.w3c.event import Event
    from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate, RTCIceCandidateError
    from zwerm.webrtc.w3c.ice_transport import RTCIceCandidatePair, RTCIceGatherer, RTCIceParameters, RTCIceTransport
    from zwerm.webrtc.w3c.media_stream_track import MediaStream, MediaStreamTrack
    from zwerm.webrtc.w3c.peer_connection import RTCPeerConnection
    from zwerm.webrtc.w3c.recorded import RecordedPeerConnection
    from zwerm.webrtc.w3c.rtc_error import RTCError
    from zwerm.webrtc.w3c.rtp_parameters import (
        RTCRtpCapabilities,
        RTCRtpCodecCapability,
        RTCRtpCodecParameters,
        RTCRtpEncodingParameters,
        RTCRtpHeaderExtensionCapability,
        RTCRtpReceiveParameters,
        RTCRtpSendParameters,
    )
    from zwerm.webrtc.w3c.rtp_sender import RTCRtpReceiver, RTCRtpSender
    from zwerm.webrtc.w3c.rtp_transceiver import RTCRtpTransceiver
    from zwerm.webrtc.w3c.sctp_transport import RTCSctpCapabilities, RTCSctpTransport
    from zwerm.webrtc.w3c.session_description import RTCSessionDescription
    from zwerm.webrtc.w3c.stats import RTCStats, RTCStatsReport

__all__ = [
    "Event",
    "InvalidAccessError",
    "InvalidModificationError",
    "InvalidStateError",
    "MediaStream",
    "MediaStreamTrack",
    "NotSupportedError",
    "OperationError",
    "RTCBundlePolicy",
    "RTCCertificate",
    "RTCConfiguration",
    "RTCDataChannel",
    "RTCDtlsFingerprint",
    "RTCDtlsParameters",
    "RTCDtlsTransport",
    "RTCError",
    "RTCIceCandidate",
    "RTCIceCandidateError",
    "RTCIceCandidatePair",
    "RTCIceGatherer",
    "RTCIceParameters",
    "RTCIceServer",
    "RTCIceTransport",
    "RTCPeerConnection",
    "RTCRangeError",
    "RTCRtpCapabilities",
    "RTCRtpCodecCapability",
    "RTCRtpCodecParameters",
    "RTCRtpEncodingParameters",
    "RTCRtpHeaderExtensionCapability",
    "RTCRtpReceiveParameters",
    "RTCRtpReceiver",
    "RTCRtpSendParameters",
    "RTCRtpSender",
    "RTCRtpTransceiver",
    "RTCSctpCapabilities",
    "RTCSctpTransport",
    "RTCSessionDescription",
    "RTCStats",
    "RTCStatsReport",
    "RTCSyntaxError",
    "RTCTypeError",
    "RecordedPeerConnection",
]

_MODULES = {
    "Event": "event",
    "MediaStream": "media_stream_track",
    "MediaStreamTrack": "media_stream_track",
    "RTCBundlePolicy": "configuration",
    "RTCCertificate": "certificate",
    "RTCConfiguration": "configuration",
    "RTCDataChannel": "data_channel",
    "RTCDtlsFingerprint": "certificate",
    "RTCDtlsParameters": "dtls_transport",
    "RTCDtlsTransport": "dtls_transport",
    "RTCError": "rtc_error",
    "RTCIceCandidate": "ice_candidate",
    "RTCIceCandidateError": "ice_candidate",
    "RTCIceCandidatePair": "ice_transport",
    "RTCIceGatherer": "ice_transport",
    "RTCIceParameters": "ice_transport",
    "RTCIceServer": "configuration",
    "RTCIceTransport": "ice_transport",
    "RTCPeerConnection": "peer_connection",
    "RTCRtpCapabilities": "rtp_parameters",
    "RTCRtpCodecCapability": "rtp_parameters",
    "RTCRtpCodecParameters": "rtp_parameters",
    "RTCRtpEncodingParameters": "rtp_parameters",
    "RTCRtpHeaderExtensionCapability": "rtp_parameters",
    "RTCRtpReceiveParameters": "rtp_parameters",
    "RTCRtpReceiver": "rtp_sender",
    "RTCRtpSendParameters": "rtp_parameters",
    "RTCRtpSender": "rtp_sender",
    "RTCRtpTransceiver": "rtp_transceiver",
    "RTCSctpCapabilities": "sctp_transport",
    "RTCSctpTransport": "sctp_transport",
    "RTCSessionDescription": "session_description",
    "RTCStats": "stats",
    "RTCStatsReport": "stats",
    "RecordedPeerConnection": "recorded",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: a machine alone needs no event loop."""
    if name not in __all__:
        raise AttributeError(f"module 'zwerm.webrtc' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"zwerm.webrtc.w3c.{_MODULES.get(name, 'errors')}"), name)
