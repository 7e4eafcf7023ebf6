"""The data channels of a connection, each with its object."""

from __future__ import annotations

from collections.abc import Callable

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.connection.aio import TransportDriver
from zwerm.webrtc.datachannel import channel as news
from zwerm.webrtc.datachannel.channel import Channel
from zwerm.webrtc.w3c.data_channel import ChannelNews, RTCDataChannel
from zwerm.webrtc.w3c.errors import OperationError, RTCTypeError
from zwerm.webrtc.w3c.sctp_transport import RTCSctpTransport

MAX_NAME = 65_535  # bytes of a label or protocol, RFC 8832 section 5.1


class ChannelSet:
    """Those that are not closed."""

    def __init__(self, driver: TransportDriver, transport: Callable[[], RTCSctpTransport]) -> None:
        """`transport` returns the object that channels show as theirs."""
        self.has_created = False  # one was asked for here, at any time
        self._driver = driver
        self._transport = transport
        self._objects: dict[Channel, RTCDataChannel] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def create(
        self,
        label: str,
        *,
        max_lifetime: int | None,
        max_retransmits: int | None,
        ordered: bool,
        protocol: str,
        negotiated_id: int | None,
    ) -> RTCDataChannel:
        """Open a channel; the errors are those of `RTCPeerConnection.createDataChannel`."""
        if max_lifetime is not None and max_retransmits is not None:
            raise RTCTypeError("maxPacketLifeTime and maxRetransmits, expected one of them or none")
        if max(len(label.encode()), len(protocol.encode())) > MAX_NAME:
            raise RTCTypeError("a label or protocol of more than 65,535 bytes")
        try:
            channel = self._driver.transport.channels.open(
                label,
                protocol=protocol,
                is_ordered=ordered,
                max_retransmits=max_retransmits,
                max_lifetime=max_lifetime,
                negotiated_id=negotiated_id,
                now=self._driver.now,
            )
        except LocalProtocolError as error:
            raise OperationError(str(error)) from None
        self._objects[channel] = wrapped = RTCDataChannel(self._driver, channel, self._transport)
        self.has_created = True
        self._driver.pump_soon()
        return wrapped

    def announced(self, event: news.ChannelAnnounced) -> RTCDataChannel:
        """Make the object of a channel that the other side opened."""
        self._objects[event.channel] = channel = RTCDataChannel(self._driver, event.channel, self._transport)
        return channel

    def receive(self, event: news.MessageEvent) -> None:
        """Give a message to the object that it is for."""
        channel = self._objects.get(event.channel)
        if channel is not None:
            channel.receive(event)

    def take(self, event: ChannelNews) -> None:
        """Tell the object that an event is for."""
        if isinstance(event, news.ChannelClosed):
            channel = self._objects.pop(event.channel, None)
        else:
            channel = self._objects.get(event.channel)
        if channel is not None:
            channel.take(event)
