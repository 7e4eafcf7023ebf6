"""RTCPeerConnectionState, from the states of the one transport there is (WebRTC 1.0 section 4.3.3)."""

from __future__ import annotations

from zwerm.webrtc.dtls.connection import State
from zwerm.webrtc.ice.events import ConnectionState


def connection_state(ice: ConnectionState, dtls: State | None) -> str:
    """Return the RTCPeerConnectionState of a connection that is not closed; `dtls` is None before there is a path."""
    if ice is ConnectionState.FAILED or dtls is State.FAILED:
        return "failed"
    if ice is ConnectionState.DISCONNECTED:
        return "disconnected"
    if ice is ConnectionState.NEW:
        return "new"
    is_up = ice in (ConnectionState.CONNECTED, ConnectionState.COMPLETED)
    return "connected" if is_up and dtls in (State.CONNECTED, State.CLOSED) else "connecting"
