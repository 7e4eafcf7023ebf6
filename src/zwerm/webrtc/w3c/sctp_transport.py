"""RTCSctpTransport (WebRTC 1.0 section 6.1). Event: `statechange`."""

from __future__ import annotations

import dataclasses

from zwerm.webrtc.connection.transport import Event
from zwerm.webrtc.datachannel.channel import TransportClosed, TransportConnected
from zwerm.webrtc.sctp.config import Config
from zwerm.webrtc.w3c.bundle_transport import BundleTransport
from zwerm.webrtc.w3c.dtls_transport import RTCDtlsTransport
from zwerm.webrtc.w3c.emitter import Emitter, EventHandler


@dataclasses.dataclass(frozen=True)
class RTCSctpCapabilities:
    """What a transport can do (ORTC section 12.2)."""

    maxMessageSize: int  # noqa: N815 - bytes that it takes in one message


class RTCSctpTransport(Emitter):
    """What carries the data channels."""

    onstatechange = EventHandler()

    def __init__(self, bundle: BundleTransport, dtls: RTCDtlsTransport) -> None:
        super().__init__()
        self.transport = dtls
        self.state = "connecting"  # connected, closed
        self.maxChannels: int | None = None  # None until it is connected
        self._bundle = bundle

    @property
    def port(self) -> int:
        """Of our end, as descriptions tell it; aiortc's."""
        return self._bundle.transport.channels.association.config.port

    @property
    def is_server(self) -> bool:
        """Whether the other side begins; aiortc's, where the controlling side of ICE does."""
        return self.transport.iceTransport.role != "controlling"

    @staticmethod
    def getCapabilities() -> RTCSctpCapabilities:  # noqa: N802
        """What any transport of ours takes; aiortc's."""
        return RTCSctpCapabilities(Config().max_message_size)

    @property
    def maxMessageSize(self) -> float:  # noqa: N802 - the W3C's name
        """Bytes that `send` takes in one message: what the other side takes, and we can hold."""
        ours = self._bundle.transport.channels.association.config.send_buffer
        theirs = self._bundle.transport.channels.peer_max_message_size
        return min(theirs, ours) if theirs else ours

    def take(self, event: Event) -> None:
        """Tell the handlers; called by the connection."""
        match event:
            case TransportConnected(count):
                self.maxChannels = count
                self._change("connected")
            case TransportClosed():
                self._change("closed")

    def close(self) -> None:
        """The connection is closed."""
        self._change("closed")

    def _change(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.emit("statechange")
