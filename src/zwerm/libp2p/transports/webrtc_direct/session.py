"""One connection of webrtc-direct as a machine (libp2p specs, webrtc/webrtc-direct.md).

Theory of operation. Below is a `Transport` of `zwerm.webrtc`: ICE, DTLS, SCTP, data channels. DTLS shows a certificate
on either side, which proves nothing about peers: the dialer holds the listener's against the hash in the address, the
listener takes any. Then channel 0, which both sides open by themselves, carries a handshake of noise whose prologue has
both certificates' fingerprints: whoever ends it with a valid signature is the peer, and nobody sits between. From there
on each channel is a stream (`stream_state.py`).

Streams that the peer opens before it has proved itself wait, unannounced, and count. Back pressure: what was received
and is not read lessens SCTP's window, which all streams share; one that nobody reads at all is reset in the end, or it
would hold up the others for good.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.timers import TimerTable
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.secure import HandshakeFailed, Secured, SecureHandshake
from zwerm.libp2p.transports.webrtc_direct.address import prologue
from zwerm.libp2p.transports.webrtc_direct.config import Config
from zwerm.libp2p.transports.webrtc_direct.events import (
    Authenticated,
    Event,
    SessionEnded,
    StreamArrived,
    StreamChanged,
)
from zwerm.libp2p.transports.webrtc_direct.message import MAX_DATA, Flag, MessageReader, data_message, flag_message
from zwerm.libp2p.transports.webrtc_direct.stream_state import ReadState, StreamState, WriteState
from zwerm.webrtc.connection import transport as webrtc
from zwerm.webrtc.datachannel.channel import (
    BinaryReceived,
    BufferLow,
    Channel,
    ChannelAnnounced,
    ChannelClosed,
    ChannelClosing,
    ChannelOpened,
    TextReceived,
    TransportClosed,
)
from zwerm.webrtc.dtls import event as dtls
from zwerm.webrtc.dtls.connection import State as DTLSState
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction
from zwerm.webrtc.ice.events import ConnectionState, ConnectionStateChanged
from zwerm.webrtc.sctp.control_block import State as AssociationState

HANDSHAKE_CHANNEL: Final = 0

MakeProof: TypeAlias = Callable[[bool, bytes], SecureHandshake]  # whether we begin, and the prologue


class State(enum.Enum):
    """The life of a connection."""

    CONNECTING = "ICE, DTLS and SCTP come up"
    PROVING = "the handshake of noise goes on"
    OPEN = "streams"
    CLOSED = "over"


class Timer(enum.Enum):
    """What a session waits for."""

    HANDSHAKE = "the identity was not proved in time"
    FINISH = "a stream nobody holds waits for its FIN_ACK no longer"
    STALL = "nobody reads a stream, and the others wait for it"


class Session:
    """See the module. After each call drain it, as law 1 of `zwerm.core.machine` wants it."""

    def __init__(
        self,
        transport: webrtc.Transport,
        *,
        is_dialer: bool,
        own: Callable[[HashFunction], Fingerprint],
        make_proof: MakeProof,
        now: Instant,
        config: Config | None = None,
        function: HashFunction = HashFunction.SHA_256,
    ) -> None:
        """Take a transport that was started, or is about to be.

        Args:
            transport: whose channels are all ours.
            is_dialer: which side this is; the listener begins the handshake of noise.
            own: the fingerprint of our certificate.
            make_proof: makes the handshake.
            now: from here the handshake's time counts.
            config: limits and times.
            function: of the hash in the address, by which both certificates are named.
        """
        self.transport = transport
        self.config = config or Config()
        self.state = State.CONNECTING
        self.peer: PeerId | None = None
        self._is_dialer = is_dialer
        self._own = own
        self._make_proof = make_proof
        self._function = function
        self._now = now
        self._proof: SecureHandshake | None = None
        self._messages = MessageReader()  # of the channel of the handshake
        self._reason = ""
        self._is_peer_wrong = False
        self._streams: dict[Channel, StreamState] = {}
        self._finishing: dict[StreamState, Instant] = {}  # held by nobody; when they are closed in any case
        self._blocked: dict[StreamState, None] = {}  # with flags that found no room
        self._starved: dict[StreamState, None] = {}  # whose writers found no room
        self._holding: dict[StreamState, None] = {}  # with unread bytes
        self._unread = 0  # bytes, of all of them
        self._told_unread = 0  # bytes, as the association knows it
        self._events: deque[Event] = deque()
        self._changed: dict[StreamState, None] = {}  # to be told of, in order, each once
        self._last: SessionEnded | None = None
        self._timers = TimerTable(Timer)
        self._timers.arm(Timer.HANDSHAKE, now + self.config.handshake_timeout)
        self._handshake = transport.channels.open("", negotiated_id=HANDSHAKE_CHANNEL, now=now)

    # What the owner knows.

    @property
    def streams(self) -> Sequence[StreamState]:
        return tuple(self._streams.values())

    @property
    def reason(self) -> str:
        """Why it is over."""
        return self._reason

    @property
    def is_peer_wrong(self) -> bool:
        """Whether it is over because the peer is another, or proved nothing."""
        return self._is_peer_wrong

    # Commands.

    def open_stream(self, now: Instant) -> StreamState:
        """Open a stream; what is written goes along with the opening.

        Raises:
            LocalProtocolError: the peer has not proved itself yet, or the connection is over.
            ResourceLimitError: `max_streams` of ours are open.
        """
        if self.state is not State.OPEN:
            raise LocalProtocolError(f"no stream on a connection that is {self.state.name.lower()}: {self._reason}")
        if sum(stream.is_ours for stream in self._streams.values()) >= self.config.max_streams:
            raise ResourceLimitError(f"{self.config.max_streams} streams of ours are open on this connection")
        channel = self.transport.channels.open("", now=now)
        return self._add(channel, is_ours=True)

    def write(self, stream: StreamState, data: bytes | bytearray | memoryview, now: Instant) -> int:
        """Send as much of `data` as there is room for; return how many bytes. `StreamChanged` tells of room.

        Raises:
            LocalProtocolError: our direction is over.
        """
        self._now = max(self._now, now)
        if stream.write is not WriteState.OPEN:
            raise LocalProtocolError(f"write on a stream of which {stream.write.value}")
        view = memoryview(data)
        channels, sent = self.transport.channels, 0
        room = self.config.high_water - channels.buffered_amount(stream.channel)
        while sent < len(view) and room > 0:
            part = view[sent : sent + MAX_DATA]
            try:
                channels.send_binary(stream.channel, data_message(part), self._now)
            except ResourceLimitError:
                self._starved[stream] = None
                break
            except LocalProtocolError:  # the channel is going, and its event is on the way
                stream.channel_closed()
                break
            sent += len(part)
            room -= len(part)
        return sent

    def read(self, stream: StreamState, limit: int, now: Instant) -> bytes:
        """Take unread bytes; empty when there are none now."""
        data = stream.take(limit)
        if data:
            self._now = max(self._now, now)
            self._timers.cancel(Timer.STALL)
            self._count(stream)
            self._settle(self._now)
        return data

    def finish(self, stream: StreamState, now: Instant) -> None:
        """Close our direction."""
        stream.finish()
        self._command(stream, now)

    def release(self, stream: StreamState, now: Instant) -> None:
        """Close our direction and read no more: nobody holds the stream any longer."""
        stream.finish()
        stream.stop_reading()
        self._command(stream, now)

    def reset(self, stream: StreamState, now: Instant) -> None:
        """Give the stream up."""
        stream.reset()
        self._command(stream, now)

    def _command(self, stream: StreamState, now: Instant) -> None:
        self._say(stream, now)
        self._settle(self._now)

    def close(self, now: Instant, reason: str = "closed") -> None:
        """End the connection and tell the peer. Twice is harmless."""
        self._now = max(self._now, now)
        self._end(reason)

    # The machine.

    def receive_datagram(self, data: bytes, source: Address, now: Instant, *, local: Address | None = None) -> bool:
        return self.receive_datagrams((data,), source, now, local=local) == 1

    def receive_datagrams(
        self, datagrams: Sequence[bytes], source: Address, now: Instant, *, local: Address | None = None
    ) -> int:
        """Offer untrusted datagrams of one source."""
        taken = self.transport.receive_datagrams(datagrams, source, now, local=local)
        self._work(now)
        return taken

    def handle_timeout(self, now: Instant) -> None:
        self.transport.handle_timeout(now)
        while (fired := self._timers.pop_expired(now)) is not None:
            match fired.timer:
                case Timer.HANDSHAKE:
                    self._now = max(self._now, now)
                    waited = self.config.handshake_timeout
                    self._end(f"no proved identity within {waited:g} s: {self.state.value}")
                case Timer.FINISH:
                    self._give_up_finishing(now)
                case Timer.STALL:
                    self._reset_stalled(now)
        self._work(now)

    def next_transmit(self) -> Transmit | None:
        return self.transport.next_transmit()

    def next_event(self) -> Event | None:
        if not self._events and self.transport.has_events:
            self._work(self._now)
        if self._events:
            return self._events.popleft()
        if self._changed:
            stream = next(iter(self._changed))
            del self._changed[stream]
            return StreamChanged(stream)
        last, self._last = self._last, None
        return last

    @property
    def has_events(self) -> bool:
        """Whether `next_event` may have one now."""
        return bool(self._events or self._changed or self._last) or self.transport.has_events

    def next_timeout(self) -> Instant | None:
        if self.state is State.CLOSED:
            return None
        times = [due for due in (self.transport.next_timeout(), self._timers.next_timeout()) if due is not None]
        return min(times, default=None)

    # What the transport tells.

    def _work(self, now: Instant) -> None:
        self._now = now = max(self._now, now)
        transport = self.transport
        self._judge_certificate(now)
        while self.state is not State.CLOSED and (event := transport.next_event()) is not None:
            if isinstance(event, BinaryReceived):
                self._receive(event.channel, event.data)
            else:
                self._receive_event(event)
        if self.state is State.CLOSED:
            while transport.next_event() is not None:
                pass
            return
        self._settle(now)

    def _judge_certificate(self, now: Instant) -> None:
        """A listener takes any certificate: noise tells whose it is."""
        connection = self.transport.dtls
        if connection is not None and connection.state is DTLSState.VERIFYING:
            connection.set_fingerprints([Fingerprint.of(connection.peer_certificate, self._function)], now)
            self.transport.handle_timeout(now)

    def _receive_event(self, event: webrtc.Event) -> None:
        match event:
            case ChannelAnnounced(channel):
                stream = self._add(channel, is_ours=False)
                if self.state is State.OPEN:
                    self._announce(stream)
            case TextReceived():
                self._break(event.channel)
            case BufferLow(channel):
                if (found := self._streams.get(channel)) is not None:
                    self._changed[found] = None
            case ChannelOpened(channel):
                if channel is self._handshake:
                    self._begin_proof()
            case ChannelClosing(channel):
                self._channel_closed(channel, is_gone=False)
            case ChannelClosed(channel):
                self._channel_closed(channel, is_gone=True)
            case _:
                self._receive_end(event)

    def _receive_end(self, event: webrtc.Event) -> None:
        match event:
            case TransportClosed(cause):
                self._end(cause or "the peer closed the connection")
            case dtls.Closed():
                self._end("the peer closed the connection")
            case dtls.ConnectionFailed(cause, detail):
                self._end(f"DTLS: {detail}", is_peer_wrong=cause is dtls.Cause.FINGERPRINT)
            case ConnectionStateChanged(ConnectionState.FAILED, cause):
                self._end(f"ICE: {cause}")
            case _:
                pass

    def _receive(self, channel: Channel, data: bytes) -> None:
        if channel is self._handshake:
            self._receive_proof(data)
            return
        stream = self._streams.get(channel)
        if stream is None:
            return
        try:
            stream.receive(data)
        except WireError:
            self._break(channel)
            return
        self._changed[stream] = None
        self._count(stream)
        if stream.flags or stream.is_over:
            self._say(stream, self._now)

    # Who is there.

    def _begin_proof(self) -> None:
        connection = self.transport.dtls
        if connection is None or self._proof is not None:
            return
        ours, theirs = self._own(self._function), Fingerprint.of(connection.peer_certificate, self._function)
        names = (ours, theirs) if self._is_dialer else (theirs, ours)
        self.state = State.PROVING
        self._proof = self._make_proof(not self._is_dialer, prologue(*names))
        self._go_on_proving()

    def _receive_proof(self, data: bytes) -> None:
        if self._proof is None or self.state is not State.PROVING:
            return
        try:
            for message in self._messages.receive(data):
                if message.flag is Flag.RESET_STREAM:
                    self._end("noise: the peer gave up")
                    return
                self._proof.receive_data(message.data, self._now)
        except WireError as error:
            self._end(f"noise: {error}", is_peer_wrong=True)
            return
        self._go_on_proving()

    def _go_on_proving(self) -> None:
        proof = self._proof
        if proof is None:
            return
        data = proof.data_to_send()
        for start in range(0, len(data), MAX_DATA):
            self._send(self._handshake, data_message(data[start : start + MAX_DATA]))
        match proof.next_event():
            case HandshakeFailed(cause):
                self._end(f"noise: {cause}", is_peer_wrong=True)
            case Secured(peer=peer):
                self._open(peer)
            case None:
                pass

    def _open(self, peer: PeerId) -> None:
        self.peer = peer
        self.state = State.OPEN
        self._timers.cancel(Timer.HANDSHAKE)
        self._events.append(Authenticated(peer))
        if self._is_dialer:  # who has the last message closes: it may not overtake it
            self.transport.channels.close(self._handshake, self._now)
        for stream in self._streams.values():
            self._announce(stream)

    # Streams.

    def _add(self, channel: Channel, *, is_ours: bool) -> StreamState:
        stream = self._streams[channel] = StreamState(channel, is_ours=is_ours)
        self.transport.channels.set_low_threshold(channel, self.config.low_water)
        return stream

    def _announce(self, stream: StreamState) -> None:
        if not stream.is_told:
            stream.is_told = True
            self._events.append(StreamArrived(stream))

    def _break(self, channel: Channel) -> None:
        """The peer sent on a stream what is none of its messages."""
        stream = self._streams.get(channel)
        if stream is not None:
            stream.reset()
            self._say(stream, self._now)

    def _channel_closed(self, channel: Channel, *, is_gone: bool) -> None:
        stream = self._streams.get(channel)
        if stream is not None:
            stream.channel_closed()
            self._count(stream)
            self._changed[stream] = None
            if is_gone:
                self._forget(stream)
        elif channel is self._handshake and is_gone and self.state is not State.OPEN:
            self._end("noise: the peer closed the channel of the handshake")

    def _say(self, stream: StreamState, now: Instant) -> None:
        """Send the flags a stream has, close its channel when it is over, and see to what is left of it."""
        self._now = now = max(self._now, now)
        self._changed[stream] = None
        self._count(stream)
        while stream.flags:
            if not self._send(stream.channel, flag_message(stream.flags[0])):
                self._blocked[stream] = None
                break
            stream.flags.popleft()
        if stream.is_over and not stream.flags:
            self._finishing.pop(stream, None)
            self.transport.channels.close(stream.channel, now)
        elif stream.write is WriteState.FINISHING and stream.read is not ReadState.OPEN:
            self._finishing.setdefault(stream, now + self.config.finish_timeout)
            self._timers.arm(Timer.FINISH, min(self._finishing.values()))

    def _send(self, channel: Channel, data: bytes) -> bool:
        """Send what no window holds back; False when the association has no room for it now."""
        try:
            self.transport.channels.send_binary(channel, data, self._now)
        except ResourceLimitError:
            return False
        except LocalProtocolError:  # the channel is going: whoever closes it needs no flags
            return True
        return True

    def _forget(self, stream: StreamState) -> None:
        self._streams.pop(stream.channel, None)
        self._finishing.pop(stream, None)
        self._blocked.pop(stream, None)
        self._starved.pop(stream, None)

    def _give_up_finishing(self, now: Instant) -> None:
        for stream, due in list(self._finishing.items()):
            if due <= now:
                self._finishing.pop(stream)
                stream.reset()
                self._say(stream, now)
        if self._finishing:
            self._timers.arm(Timer.FINISH, min(self._finishing.values()))

    # Back pressure.

    def _count(self, stream: StreamState) -> None:
        """What is unread of a stream has changed."""
        cost = stream.unread_cost
        if cost != stream.counted:
            self._unread += cost - stream.counted
            stream.counted = cost
            if cost:
                self._holding[stream] = None
            else:
                self._holding.pop(stream, None)

    def _settle(self, now: Instant) -> None:
        """Tell the association what is unread, and streams of room there is again."""
        association = self.transport.channels.association
        if self._unread != self._told_unread and association.state is AssociationState.ESTABLISHED:
            self._told_unread = self._unread
            association.set_unread(self._unread, now)
            if self._unread < self.config.receive_window:
                self._timers.cancel(Timer.STALL)
            elif self._timers.deadline(Timer.STALL) is None:
                self._timers.arm(Timer.STALL, now + self.config.stall_timeout)
        if self._blocked or self._starved:
            statistics = association.statistics()
            if statistics.bytes_buffered + statistics.bytes_in_flight <= self.config.send_buffer // 2:
                blocked, self._blocked = self._blocked, {}
                for stream in blocked:
                    self._say(stream, now)
                self._changed.update(self._starved)
                self._starved.clear()

    def _reset_stalled(self, now: Instant) -> None:
        stalled = max(self._holding, key=lambda stream: stream.unread_cost, default=None)
        if stalled is not None:
            stalled.reset()
            self._say(stalled, now)

    # The end.

    def _end(self, reason: str, *, is_peer_wrong: bool = False) -> None:
        if self.state is State.CLOSED:
            return
        self._is_peer_wrong = is_peer_wrong
        self.state = State.CLOSED
        self._reason = reason
        self._timers.cancel_all()
        self.transport.close(self._now)
        for stream in self._streams.values():
            stream.channel_closed()
            self._changed[stream] = None
        self._streams.clear()
        self._finishing.clear()
        self._blocked.clear()
        self._starved.clear()
        self._last = SessionEnded(reason)
