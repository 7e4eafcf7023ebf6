"""RTCDataChannel (WebRTC 1.0 section 6.2).

Events: `open`, `message` (a str or bytes), `bufferedamountlow`, `error` (an RTCError), `closing`, `close`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.webrtc.connection.aio import TransportDriver
from zwerm.webrtc.datachannel.channel import (
    BufferLow,
    Channel,
    ChannelAnnounced,
    ChannelClosed,
    ChannelClosing,
    ChannelOpened,
    MessageEvent,
    TextReceived,
)
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.w3c.emitter import Emitter, EventHandler
from zwerm.webrtc.w3c.errors import InvalidStateError, NotSupportedError, OperationError, RTCTypeError
from zwerm.webrtc.w3c.rtc_error import RTCError
from zwerm.webrtc.w3c.sctp_transport import RTCSctpTransport

ChannelNews: TypeAlias = ChannelOpened | ChannelAnnounced | ChannelClosing | ChannelClosed | BufferLow


class RTCDataChannel(Emitter):
    """One channel; made by `RTCPeerConnection.createDataChannel` and its `datachannel` event."""

    onopen = EventHandler()
    onmessage = EventHandler()
    onbufferedamountlow = EventHandler()
    onerror = EventHandler()
    onclosing = EventHandler()
    onclose = EventHandler()

    def __init__(self, driver: TransportDriver, channel: Channel, transport: Callable[[], RTCSctpTransport]) -> None:
        super().__init__()
        self._transport = transport
        self.readyState = "connecting"
        self._driver = driver
        self._channels = driver.transport.channels
        self._channel = channel
        self._threshold = 0
        self._gone = 0  # bytes that went at once, in this turn of the loop
        self._gone_in = -1

    @property
    def transport(self) -> RTCSctpTransport:
        """What carries it; aiortc's, the W3C has it at the connection alone."""
        return self._transport()

    @property
    def label(self) -> str:
        return self._channel.label

    @property
    def protocol(self) -> str:
        return self._channel.protocol

    @property
    def id(self) -> int | None:
        """The number of its streams; None until the descriptions are exchanged."""
        return self._channel.id

    @property
    def ordered(self) -> bool:
        return self._channel.is_ordered

    @property
    def negotiated(self) -> bool:
        return self._channel.is_negotiated

    @property
    def maxPacketLifeTime(self) -> int | None:  # noqa: N802 - the W3C's names
        """Milliseconds."""
        return self._channel.max_lifetime

    @property
    def maxRetransmits(self) -> int | None:  # noqa: N802
        return self._channel.max_retransmits

    @property
    def binaryType(self) -> str:  # noqa: N802
        """Always `arraybuffer`: binary messages are bytes."""
        return "arraybuffer"

    @binaryType.setter
    def binaryType(self, value: str) -> None:  # noqa: N802
        if value == "blob":
            raise NotSupportedError("binaryType 'blob': Python has no blobs, messages are bytes")
        if value != "arraybuffer":
            raise RTCTypeError(f"binaryType {value!r}, expected 'arraybuffer'")

    @property
    def bufferedAmount(self) -> int:  # noqa: N802
        """Bytes given to `send` that did not go out yet, or did so in this turn of the loop."""
        waiting = self._channels.buffered_amount(self._channel)
        return waiting + self._gone if self._gone_in == self._driver.turn else waiting

    @property
    def bufferedAmountLowThreshold(self) -> int:  # noqa: N802
        """At how many bytes `bufferedamountlow` comes."""
        return self._threshold

    @bufferedAmountLowThreshold.setter
    def bufferedAmountLowThreshold(self, value: int) -> None:  # noqa: N802
        if not 0 <= value < 1 << 32:
            raise RTCTypeError(f"bufferedAmountLowThreshold {value}, expected 0 to 4294967295")
        self._threshold = value
        if self.readyState == "open":
            self._channels.set_low_threshold(self._channel, value)

    def send(self, data: str | bytes | bytearray | memoryview) -> None:
        """Send a message. It goes out when the loop comes round, together with others; alone, at once.

        Raises:
            InvalidStateError: the channel is not open.
            OperationError: so much waits already that it found no room; wait for `bufferedamountlow`.
            RTCTypeError: neither text nor bytes, or larger than the other side takes.
        """
        if self.readyState != "open":
            raise InvalidStateError(f"send on a data channel that is {self.readyState}")
        try:
            if isinstance(data, str):
                self._channels.send_text(self._channel, data, self._driver.now)
            elif isinstance(data, bytes | bytearray | memoryview):
                self._channels.send_binary(self._channel, bytes(data), self._driver.now)
            else:
                raise RTCTypeError(f"cannot send a {type(data).__name__}, expected str or bytes")
        except ResourceLimitError as error:
            raise OperationError(str(error)) from None
        except RTCTypeError:
            raise
        except LocalProtocolError as error:
            raise RTCTypeError(str(error)) from None
        driver = self._driver
        if driver.is_calm:
            waiting = self._channels.buffered_amount(self._channel)
            driver.pump_at_once()
            self._gone, self._gone_in = waiting - self._channels.buffered_amount(self._channel), driver.turn
        else:
            driver.pump_soon()

    def close(self) -> None:
        """Begin to close; what was sent goes out first, then `close` is told. Twice is harmless."""
        if self.readyState in ("closing", "closed"):
            return
        self.readyState = "closing"
        self._channels.close(self._channel, self._driver.now)
        self._driver.pump_soon()

    def receive(self, event: MessageEvent) -> None:
        """Give the handlers a message; called by the connection."""
        data = event.text if isinstance(event, TextReceived) else event.data
        self.emit("message", data, data=data)

    def take(self, event: ChannelNews) -> None:
        """Tell the handlers; called by the connection."""
        match event:
            case ChannelOpened() | ChannelAnnounced():
                if self.readyState == "connecting":
                    self.readyState = "open"
                    self._channels.set_low_threshold(self._channel, self._threshold)
                    self.emit("open")
            case BufferLow():
                self.emit("bufferedamountlow")
            case ChannelClosing():
                self.readyState = "closing"
                self.emit("closing")
            case ChannelClosed(_, cause, code):
                self.readyState = "closed"
                if cause and not self._driver.transport.is_closed:
                    error = self._failure(cause, code)
                    self.emit("error", error, error=error)
                self.emit("close")

    def _failure(self, cause: str, code: int | None) -> RTCError:
        is_all_over = self._channels.association.state is State.CLOSED
        detail = "sctp-failure" if is_all_over else "data-channel-failure"
        return RTCError(detail, cause, sctpCauseCode=code)
