"""WebRTC: straight to the other side. The objects of WebRTC 1.0, and below them a machine for each protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zwerm.webrtc.w3c.configuration import RTCConfiguration, RTCIceServer
    from zwerm.webrtc.w3c.data_channel import RTCDataChannel
    from zwerm.webrtc.w3c.errors import (
        InvalidModificationError,
        InvalidStateError,
        NotSupportedError,
        OperationError,
        RTCSyntaxError,
        RTCTypeError,
    )
    from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate
    from zwerm.webrtc.w3c.peer_connection import RTCPeerConnection
    from zwerm.webrtc.w3c.session_description import RTCSessionDescription

__all__ = [
    "InvalidModificationError",
    "InvalidStateError",
    "NotSupportedError",
    "OperationError",
    "RTCConfiguration",
    "RTCDataChannel",
    "RTCIceCandidate",
    "RTCIceServer",
    "RTCPeerConnection",
    "RTCSessionDescription",
    "RTCSyntaxError",
    "RTCTypeError",
]

_MODULES = {
    "RTCConfiguration": "configuration",
    "RTCDataChannel": "data_channel",
    "RTCIceCandidate": "ice_candidate",
    "RTCIceServer": "configuration",
    "RTCPeerConnection": "peer_connection",
    "RTCSessionDescription": "session_description",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: a machine alone needs no event loop."""
    if name not in __all__:
        raise AttributeError(f"module 'zwerm.webrtc' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"zwerm.webrtc.w3c.{_MODULES.get(name, 'errors')}"), name)
