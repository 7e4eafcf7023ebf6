"""All data channels of a connection, as a machine over an SCTP association (RFC 8831, RFC 8832).

The DTLS client opens channels on even streams, the server on odd ones (RFC 8832 section 6). A channel of ours may be
used as soon as its OPEN is under way; until the ACK, or any message, shows that the peer has it, messages are sent in
order even where the channel has none, so that none overtakes the OPEN. A channel is closed by resetting our stream and
waiting for the peer to reset its own (RFC 8831 section 6.7).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.trace import Trace
from zwerm.webrtc.datachannel.channel import (
    MAX_NAME,
    BinaryReceived,
    BufferLow,
    Channel,
    ChannelAnnounced,
    ChannelClosed,
    ChannelClosing,
    ChannelEvent,
    ChannelOpened,
    ChannelState,
    TextReceived,
    TransportClosed,
    TransportConnected,
)
from zwerm.webrtc.datachannel.dcep import ACK, Open, Reliability, is_ack
from zwerm.webrtc.datachannel.statistics import ChannelsStatistics, ChannelStatistics
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.sctp.events import (
    BufferedAmountLow,
    Closed,
    Connected,
    ConnectionFailed,
    Event,
    IncomingStreamsReset,
    MessageReceived,
    OutgoingStreamsReset,
    Restarted,
)

DCEP: Final = 50  # PPIDs (RFC 8831 section 8)
STRING: Final = 51
BINARY_PARTIAL: Final = 52  # deprecated, taken but never sent
BINARY: Final = 53
STRING_PARTIAL: Final = 54  # deprecated, taken but never sent
STRING_EMPTY: Final = 56
BINARY_EMPTY: Final = 57

MAX_ID: Final = 65_534  # RFC 8831 section 6.2
_EMPTY: Final = b"\0"  # SCTP has no empty messages: one byte that is not looked at


class DataChannels:
    """See the module. Limits on what a peer may open are arguments; the rest are the association's."""

    def __init__(
        self,
        association: Association,
        *,
        is_dtls_client: bool | None = None,
        peer_max_message_size: int = 65_536,
        max_incoming: int = 1_024,
        max_name_bytes: int = 1_048_576,
        trace: Trace | None = None,
    ) -> None:
        """Run on an association that nobody else uses.

        Args:
            association: new, or connecting.
            is_dtls_client: None while it is not known; channels opened meanwhile get their id with `set_role`.
            peer_max_message_size: what SDP told (RFC 8841 section 6); 0: no limit.
            max_incoming: channels that the peer may have open.
            max_name_bytes: of the labels and protocols of all these.
            trace: told why something was dropped.
        """
        self.association = association
        self.peer_max_message_size = peer_max_message_size
        self._is_client = is_dtls_client
        self._max_events = association.config.max_events
        self._max_incoming = max_incoming
        self._max_name_bytes = max_name_bytes
        self._trace = trace
        self._channels: dict[int, Channel] = {}
        self._without_id: list[Channel] = []
        self._events: deque[ChannelEvent] = deque()
        self._is_connected = association.state is State.ESTABLISHED
        self._max_channels = MAX_ID + 1
        self._opened = 0  # channels that were open once
        self._closed = 0  # those that are so no more

    # Commands

    def open(
        self,
        label: str,
        *,
        protocol: str = "",
        is_ordered: bool = True,
        max_retransmits: int | None = None,
        max_lifetime: int | None = None,
        priority: int = 256,
        negotiated_id: int | None = None,
        now: Instant,
    ) -> Channel:
        """Open a channel; with `negotiated_id` one that the peer opens the same way by itself.

        Raises:
            LocalProtocolError: both limits on reliability, a name that is too long, or an id that is taken or none.
        """
        if max_retransmits is not None and max_lifetime is not None:
            raise LocalProtocolError("a channel is limited in retransmits or in lifetime, not in both")
        if not all(value is None or 0 <= value <= MAX_NAME for value in (max_retransmits, max_lifetime)):
            raise LocalProtocolError(f"retransmits {max_retransmits}, lifetime {max_lifetime}, expected up to 65535")
        if max(len(label.encode()), len(protocol.encode())) > MAX_NAME:
            raise LocalProtocolError(f"a label or protocol of more than {MAX_NAME} bytes")
        is_negotiated = negotiated_id is not None
        channel = Channel(
            label, protocol, is_ordered, max_retransmits, max_lifetime, priority, is_negotiated, negotiated_id
        )
        if self._is_over():
            raise LocalProtocolError("the association is over")
        if negotiated_id is not None:
            if not 0 <= negotiated_id <= MAX_ID or negotiated_id in self._channels:
                raise LocalProtocolError(f"id {negotiated_id} is taken, or beyond {MAX_ID}")
            self._channels[negotiated_id] = channel
        elif self._is_client is None:
            self._without_id.append(channel)
        else:
            self._assign(channel)
        self._start(channel, now)
        return channel

    def set_role(self, *, is_dtls_client: bool, now: Instant) -> None:
        """Learn the DTLS role: channels that wait for an id get one, in the order they were opened."""
        self._is_client = is_dtls_client
        waiting, self._without_id = self._without_id, []
        for channel in waiting:
            self._assign(channel)
            self._start(channel, now)

    def send_text(self, channel: Channel, text: str, now: Instant) -> None:
        """Send a string; errors are those of `send_binary`."""
        self._send(channel, text.encode("utf-8", "replace"), STRING, STRING_EMPTY, now)

    def send_binary(self, channel: Channel, data: bytes, now: Instant) -> None:
        """Send bytes.

        Raises:
            LocalProtocolError: the channel is not open, or the message is longer than the peer takes.
            ResourceLimitError: the send buffer is full; nothing was queued.
        """
        self._send(channel, data, BINARY, BINARY_EMPTY, now)

    def _send(self, channel: Channel, data: bytes, ppid: int, empty: int, now: Instant) -> None:
        if channel.state is not ChannelState.OPEN or channel.id is None:
            raise LocalProtocolError(f"the channel is {channel.state.value}, expected it open")
        if 0 < self.peer_max_message_size < len(data):
            raise LocalProtocolError(f"a message of {len(data)} bytes, the peer takes {self.peer_max_message_size}")
        lifetime = channel.max_lifetime
        self.association.send(
            channel.id,
            data or _EMPTY,
            ppid=ppid if data else empty,
            now=now,
            is_unordered=not channel.is_ordered and channel.is_acknowledged,
            max_retransmits=channel.max_retransmits,
            lifetime=None if lifetime is None else lifetime / 1_000,
        )
        channel.messages_sent += 1
        channel.bytes_sent += len(data)

    def close(self, channel: Channel, now: Instant) -> None:
        """Begin to close; what was sent goes out first. Harmless when it is closing or closed."""
        if channel.state in (ChannelState.CLOSING, ChannelState.CLOSED):
            return
        self._closed += channel.state is ChannelState.OPEN
        channel.state = ChannelState.CLOSING
        if channel.id is None or not self._is_connected:
            self._without_id = [one for one in self._without_id if one is not channel]
            if channel.id is None:
                self._finish(channel)
        else:
            self._reset(channel, now)

    def buffered_amount(self, channel: Channel) -> int:
        """Bytes given to `send_*` that did not go out yet."""
        return 0 if channel.id is None else self.association.buffered_amount(channel.id)

    def set_low_threshold(self, channel: Channel, threshold: int) -> None:
        """Tell `BufferLow` when the buffered amount falls to `threshold`; the channel has an id."""
        if channel.id is None:
            raise LocalProtocolError("the channel has no id yet")
        self.association.set_low_threshold(channel.id, threshold)

    def channels(self) -> list[Channel]:
        return [*self._channels.values(), *self._without_id]

    def statistics(self) -> ChannelsStatistics:
        channels = tuple(ChannelStatistics.of(channel) for channel in self.channels())
        return ChannelsStatistics(self._opened, self._closed, channels, self.association.statistics())

    # Opening

    def _is_over(self) -> bool:
        return self._is_connected and self.association.state is State.CLOSED

    def _assign(self, channel: Channel) -> None:
        first = 0 if self._is_client else 1
        free = next((one for one in range(first, self._max_channels, 2) if one not in self._channels), None)
        if free is None:
            raise LocalProtocolError(f"all of {self._max_channels} channels are in use")
        channel.id = free
        self._channels[free] = channel

    def _start(self, channel: Channel, now: Instant) -> None:
        """Send the OPEN of a channel that can be used now."""
        if not self._is_connected or channel.id is None or channel.state is not ChannelState.CONNECTING:
            return
        if channel.id >= self._max_channels:
            self._finish(channel, f"id {channel.id}, the peer has {self._max_channels} streams")
            return
        if channel.is_negotiated:
            channel.is_acknowledged = True
        else:
            self.association.send(channel.id, _open_of(channel).serialize(), ppid=DCEP, now=now)
        self.association.set_weight(channel.id, max(channel.priority, 1))
        channel.state = ChannelState.OPEN
        self._opened += 1
        self._events.append(ChannelOpened(channel))

    def _receive_open(self, stream_id: int, data: bytes, now: Instant) -> None:
        try:
            message = Open.parse(data)
        except WireError as problem:
            self._refuse(stream_id, str(problem), now)
            return
        if stream_id in self._channels or stream_id > MAX_ID:
            self._note(f"OPEN on stream {stream_id}, which is in use")
            return
        if self._is_client is not None and (stream_id % 2 == 0) == self._is_client:
            self._refuse(stream_id, f"OPEN on stream {stream_id}, whose numbers are ours to give", now)
            return
        theirs = [one for one in self._channels.values() if not one.is_ours]
        names = sum(len(one.label) + len(one.protocol) for one in theirs) + len(data)
        if len(theirs) >= self._max_incoming or names > self._max_name_bytes:
            self._refuse(stream_id, f"{len(theirs) + 1} channels of the peer, {names} bytes of names", now)
            return
        is_limited = message.reliability is Reliability.RETRANSMITS
        is_timed = message.reliability is Reliability.LIFETIME
        channel = Channel(
            message.label,
            message.protocol,
            message.is_ordered,
            min(message.parameter, MAX_NAME) if is_limited else None,
            min(message.parameter, MAX_NAME) if is_timed else None,
            message.priority,
            id=stream_id,
            state=ChannelState.OPEN,
            is_ours=False,
            is_acknowledged=True,
        )
        try:
            self.association.send(stream_id, ACK, ppid=DCEP, now=now)
        except (LocalProtocolError, ResourceLimitError) as problem:
            self._note(f"OPEN on stream {stream_id} cannot be answered: {problem}")
            return
        self.association.set_weight(stream_id, max(message.priority, 1))
        self._channels[stream_id] = channel
        self._opened += 1
        self._events.append(ChannelAnnounced(channel))

    def _refuse(self, stream_id: int, why: str, now: Instant) -> None:
        self._note(why)
        if stream_id not in self._channels and self.association.state is State.ESTABLISHED:
            try:
                self.association.reset_streams([stream_id], now)
            except LocalProtocolError as problem:
                self._note(f"stream {stream_id} is not reset: {problem}")

    def _note(self, why: str) -> None:
        if self._trace is not None:
            self._trace(self.association.now, "data channel", why=why)

    # Closing

    def _reset(self, channel: Channel, now: Instant) -> None:
        if channel.id is None or channel.is_outgoing_reset:
            return
        try:
            self.association.reset_streams([channel.id], now)
        except LocalProtocolError:  # the peer cannot reset streams, or everything is closing
            self._finish(channel, "the streams of the association cannot be reset")

    def _finish(self, channel: Channel, cause: str = "", code: int | None = None) -> None:
        if channel.state is ChannelState.CLOSED:
            return
        self._closed += channel.state is ChannelState.OPEN
        channel.state = ChannelState.CLOSED
        channel.partial.clear()
        if channel.id is not None:
            self._channels.pop(channel.id, None)
        self._events.append(ChannelClosed(channel, cause, code))

    def _receive_reset(self, stream_ids: tuple[int, ...], now: Instant) -> None:
        for stream_id in stream_ids or tuple(self._channels):
            channel = self._channels.get(stream_id)
            if channel is None or channel.is_incoming_reset:
                continue
            channel.is_incoming_reset = True
            if channel.state is ChannelState.OPEN:
                self._closed += 1
                channel.state = ChannelState.CLOSING
                self._events.append(ChannelClosing(channel))
                self._reset(channel, now)
            elif channel.is_outgoing_reset:
                self._finish(channel)

    def _reset_answered(self, event: OutgoingStreamsReset) -> None:
        for stream_id in event.stream_ids:
            channel = self._channels.get(stream_id)
            if channel is None:
                continue
            channel.is_outgoing_reset = True
            if channel.is_incoming_reset or not event.is_performed:
                self._finish(channel, "" if event.is_performed else "the peer refused to reset the stream")

    def _close_all(self, cause: str, code: int | None = None) -> None:
        self._is_connected = True  # it was, or it never will be
        for channel in self.channels():
            self._finish(channel, cause or "the association was shut down", code)
        self._without_id = []
        self._events.append(TransportClosed(cause, code))

    # The machine

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        """Take an untrusted packet of SCTP."""
        taken = self.association.receive_datagram(data, source, now)
        self._work_off(now)
        return taken

    def receive_datagrams(self, datagrams: Sequence[bytes], source: Address, now: Instant) -> int:
        """Take untrusted packets in the order they came."""
        taken = self.association.receive_datagrams(datagrams, source, now)
        self._work_off(now)
        return taken

    def handle_timeout(self, now: Instant) -> None:
        """Advance to `now`. Early, or twice, changes nothing."""
        self.association.handle_timeout(now)
        self._work_off(now)

    def next_transmits(self, limit: int = 64) -> list[bytes]:
        """Packets to send, until the list is empty; see `Association.next_transmits`."""
        return self.association.next_transmits(limit)

    def next_transmit(self) -> Transmit | None:
        return self.association.next_transmit()

    def next_event(self) -> ChannelEvent | None:
        if not self._events:
            self._work_off(self.association.now)
        return self._events.popleft() if self._events else None

    @property
    def has_events(self) -> bool:
        """Whether `next_event` may have one now."""
        return len(self._events) > 0 or self.association.has_events

    def next_events(self) -> list[ChannelEvent]:
        """All events there are."""
        self._work_off(self.association.now)
        events = list(self._events)
        self._events.clear()
        return events

    def next_timeout(self) -> Instant | None:
        return self.association.next_timeout()

    def _work_off(self, now: Instant) -> None:
        """Turn what the association told into what channels tell; messages stay below while too many wait here."""
        while len(self._events) < self._max_events:
            event = self.association.next_event()
            if event is None:
                return
            if isinstance(event, MessageReceived):
                self._receive_message(event, now)
            else:
                self._receive_event(event, now)

    def _receive_event(self, event: Event, now: Instant) -> None:
        match event:
            case Connected():
                self._is_connected = True
                self._max_channels = min(event.outbound_streams, event.inbound_streams, MAX_ID + 1)
                for channel in self.channels():
                    if channel.state is ChannelState.CLOSING:
                        self._finish(channel)
                    self._start(channel, now)
                self._events.append(TransportConnected(self._max_channels))
            case IncomingStreamsReset():
                self._receive_reset(event.stream_ids, now)
            case OutgoingStreamsReset():
                self._reset_answered(event)
            case BufferedAmountLow():
                channel_or_none = self._channels.get(event.stream_id)
                if channel_or_none is not None:
                    self._events.append(BufferLow(channel_or_none))
            case Closed():
                self._close_all("")
            case ConnectionFailed():
                self._close_all(event.cause, event.code)
            case Restarted():
                for channel in self.channels():
                    self._finish(channel, "the peer began anew")

    def _receive_message(self, message: MessageReceived, now: Instant) -> None:
        stream_id, ppid, data = message.stream_id, message.ppid, message.data
        channel = self._channels.get(stream_id)
        if ppid == DCEP:
            if not is_ack(data):
                self._receive_open(stream_id, data, now)
            elif channel is not None:
                channel.is_acknowledged = True
            return
        if channel is None or channel.is_incoming_reset:
            self._note(f"a message on stream {stream_id}, which is no channel")
            return
        channel.is_acknowledged = True
        if ppid == BINARY:
            data = _whole(channel, data)
            channel.messages_received += 1
            channel.bytes_received += len(data)
            self._events.append(BinaryReceived(channel, data))
        elif ppid == STRING:
            data = _whole(channel, data)
            channel.messages_received += 1
            channel.bytes_received += len(data)
            self._events.append(TextReceived(channel, data.decode("utf-8", "replace")))
        elif ppid == BINARY_EMPTY:
            channel.messages_received += 1
            self._events.append(BinaryReceived(channel, b""))
        elif ppid == STRING_EMPTY:
            channel.messages_received += 1
            self._events.append(TextReceived(channel, ""))
        elif ppid in (BINARY_PARTIAL, STRING_PARTIAL):
            if len(channel.partial) + len(data) > self.association.config.max_message_size:
                self.close(channel, now)
                channel.partial.clear()
            else:
                channel.partial += data
        else:
            self._note(f"PPID {ppid} on stream {stream_id}")


def _whole(channel: Channel, data: bytes) -> bytes:
    """The message with the parts that came before under the deprecated PPIDs."""
    if not channel.partial:
        return data
    channel.partial += data
    data = bytes(channel.partial)
    channel.partial.clear()
    return data


def _open_of(channel: Channel) -> Open:
    reliability, parameter = Reliability.RELIABLE, 0
    if channel.max_retransmits is not None:
        reliability, parameter = Reliability.RETRANSMITS, channel.max_retransmits
    elif channel.max_lifetime is not None:
        reliability, parameter = Reliability.LIFETIME, channel.max_lifetime
    return Open(channel.label, channel.protocol, channel.is_ordered, reliability, parameter, channel.priority)
