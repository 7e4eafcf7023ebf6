"""WebRTC: straight to the other side. The objects of WebRTC 1.0, and below them a machine for each protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zwerm.webrtc.w3c.certificate import RTCCertificate, RTCDtlsFingerprint
    from zwerm.webrtc.w3c.configuration import RTCConfiguration, RTCIceServer
    from zwerm.webrtc.w3c.data_channel import RTCDataChannel
    from zwerm.webrtc.w3c.dtls_transport import RTCDtlsTransport
    from zwerm.webrtc.w3c.errors import (
        InvalidAccessError,
        InvalidModificationError,
        InvalidStateError,
        NotSupportedError,
        OperationError,
        RTCSyntaxError,
        RTCTypeError,
    )
    from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate
    from zwerm.webrtc.w3c.ice_transport import RTCIceCandidatePair, RTCIceParameters, RTCIceTransport
    from zwerm.webrtc.w3c.peer_connection import RTCPeerConnection
    from zwerm.webrtc.w3c.recorded import RecordedPeerConnection
    from zwerm.webrtc.w3c.rtc_error import RTCError
    from zwerm.webrtc.w3c.sctp_transport import RTCSctpTransport
    from zwerm.webrtc.w3c.session_description import RTCSessionDescription
    from zwerm.webrtc.w3c.stats import RTCStats, RTCStatsReport

__all__ = [
    "InvalidAccessError",
    "InvalidModificationError",
    "InvalidStateError",
    "NotSupportedError",
    "OperationError",
    "RTCCertificate",
    "RTCConfiguration",
    "RTCDataChannel",
    "RTCDtlsFingerprint",
    "RTCDtlsTransport",
    "RTCError",
    "RTCIceCandidate",
    "RTCIceCandidatePair",
    "RTCIceParameters",
    "RTCIceServer",
    "RTCIceTransport",
    "RTCPeerConnection",
    "RTCSctpTransport",
    "RTCSessionDescription",
    "RTCStats",
    "RTCStatsReport",
    "RTCSyntaxError",
    "RTCTypeError",
    "RecordedPeerConnection",
]

_MODULES = {
    "RTCCertificate": "certificate",
    "RTCConfiguration": "configuration",
    "RTCDataChannel": "data_channel",
    "RTCDtlsFingerprint": "certificate",
    "RTCDtlsTransport": "dtls_transport",
    "RTCError": "rtc_error",
    "RTCIceCandidate": "ice_candidate",
    "RTCIceCandidatePair": "ice_transport",
    "RTCIceParameters": "ice_transport",
    "RTCIceServer": "configuration",
    "RTCIceTransport": "ice_transport",
    "RTCPeerConnection": "peer_connection",
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
