"""RTCDtlsTransport (WebRTC 1.0 section 5.5). Events: `statechange`, `error` (an RTCError)."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.webrtc.connection.transport import Event
from zwerm.webrtc.dtls.connection import State
from zwerm.webrtc.dtls.event import ConnectionFailed
from zwerm.webrtc.w3c.bundle_transport import BundleTransport
from zwerm.webrtc.w3c.certificate import RTCCertificate, RTCDtlsFingerprint
from zwerm.webrtc.w3c.emitter import Emitter, EventHandler
from zwerm.webrtc.w3c.ice_transport import RTCIceTransport
from zwerm.webrtc.w3c.rtc_error import dtls_error

STATES: Final = {
    State.CONNECTING: "connecting",
    State.VERIFYING: "connecting",
    State.CONNECTED: "connected",
    State.CLOSED: "closed",
    State.FAILED: "failed",
}


@dataclasses.dataclass(frozen=True)
class RTCDtlsParameters:
    """What one side says of itself (ORTC section 4.4)."""

    fingerprints: list[RTCDtlsFingerprint]
    role: str = "auto"  # or "client", "server"


class RTCDtlsTransport(Emitter):
    """What proves the other side, and keeps what is said secret."""

    onstatechange = EventHandler()
    onerror = EventHandler()

    def __init__(self, bundle: BundleTransport, ice: RTCIceTransport) -> None:
        super().__init__()
        self.iceTransport = ice
        self._bundle = bundle
        self._state = "new"

    @property
    def transport(self) -> RTCIceTransport:
        """The path below, by aiortc's name."""
        return self.iceTransport

    def getLocalParameters(self) -> RTCDtlsParameters:  # noqa: N802 - the W3C's names
        """Our certificate's fingerprints, and the role that descriptions have decided; aiortc's."""
        connection = self._bundle.transport.dtls
        role = "auto" if connection is None else connection.role.name.lower()
        return RTCDtlsParameters(RTCCertificate(self._bundle.certificate).getFingerprints(), role)

    @property
    def state(self) -> str:
        """`new`, `connecting`, `connected`, `closed` or `failed`."""
        return self._state

    def getRemoteCertificates(self) -> list[bytes]:  # noqa: N802 - the W3C's name
        """The other side's certificate in DER, once it has proved to have its key; else nothing."""
        connection = self._bundle.transport.dtls
        is_verified = self._state in ("connected", "closed")
        der = connection.peer_certificate if connection is not None and is_verified else b""
        return [der] if der else []

    def take(self, event: Event) -> None:
        """Tell the handlers; called by the connection."""
        if isinstance(event, ConnectionFailed):
            self._change("failed")
            error = dtls_error(event)
            self.emit("error", error, error=error)
        self.update()

    def update(self) -> None:
        """Look how things stand."""
        connection = self._bundle.transport.dtls
        if connection is not None and self._state not in ("closed", "failed"):
            self._change(STATES[connection.state])

    def close(self) -> None:
        """The connection is closed."""
        if self._state != "failed":
            self._change("closed")

    def _change(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.emit("statechange")
