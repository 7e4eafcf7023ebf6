"""The objects of a connection's transports, and its statistics, as `RTCPeerConnection` shows them."""

from __future__ import annotations

from zwerm.webrtc.connection.transport import Event
from zwerm.webrtc.w3c.bundle_transport import BundleTransport
from zwerm.webrtc.w3c.emitter import Emitter


class TransportObjects(Emitter):
    """What `RTCPeerConnection` has besides signaling."""

    _bundle: BundleTransport

    def _tell_objects(self, event: Event) -> None:
        """Every event of the transport passes here, after the connection itself has dealt with it."""
