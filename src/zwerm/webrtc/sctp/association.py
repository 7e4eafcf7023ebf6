"""An SCTP association over DTLS, as a machine (RFC 9260, RFC 8261). What is not done: `docs/sctp.md`.

    sctp.connect(now)                      # one side or both
    sctp.send(1, b"hello", ppid=51, now=now)
    packets = sctp.next_transmits()        # each becomes one DTLS record; until the list is empty
    sctp.receive_datagrams(records, DTLS, now)
    while (event := sctp.next_event()): ...

The packets of a batch are of one address but not of one size, and DTLS encrypts each by itself: so the batch that goes
out is a list of packets, not a `Transmit` with a segment size. `next_transmit` gives the same packets one by one.
Nothing is built before it is asked for: what receives only notes what is owed, and one SACK answers all packets of a
batch. What packets do is in `arrivals`, what an association knows in `control_block`.

Over DTLS there is one association for a connection: packets of another one are dropped, not answered with ABORT.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Iterable
from typing import Final

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import Instant, Transmit
from zwerm.webrtc.sctp.arrivals import Arrivals
from zwerm.webrtc.sctp.codes import Cause, ChunkType, ParameterType
from zwerm.webrtc.sctp.control_block import OPENING, SHUTDOWN_GUARD, State
from zwerm.webrtc.sctp.events import (
    Event,
    MessageReceived,
)
from zwerm.webrtc.sctp.message import OutgoingMessage
from zwerm.webrtc.sctp.packet import (
    HEADER_SIZE,
    Chunk,
)
from zwerm.webrtc.sctp.reconfiguration import MAX_STREAMS
from zwerm.webrtc.sctp.statistics import AssociationStatistics
from zwerm.webrtc.sctp.timer import Timer

BATCH: Final = 64  # packets built by one `next_transmits`

_NO_LIMIT: Final = -1
_NEVER: Final = float("inf")
_HEARTBEAT: Final = struct.Struct("!HHQ")


class Association(Arrivals):
    """See the module. Commands raise `LocalProtocolError` when the state does not allow them."""

    def connect(self, now: Instant) -> None:
        """Begin the handshake."""
        if self.state is not State.CLOSED or self._is_over:
            raise LocalProtocolError(f"the association is {self.state.value}, connect wants a new one")
        self._now = max(self._now, now)
        self.state = State.COOKIE_WAIT
        self._attempts = 0
        self._send_init(now)

    def send(
        self,
        stream_id: int,
        data: bytes,
        *,
        ppid: int,
        now: Instant,
        is_unordered: bool = False,
        max_retransmits: int | None = None,
        lifetime: float | None = None,
    ) -> None:
        """Queue a message; before the handshake is over it waits.

        Args:
            stream_id: below the number of outbound streams.
            data: not empty; SCTP has no empty messages.
            ppid: what the data is, for the layer above.
            now: the time.
            is_unordered: deliver it without waiting for those before it.
            max_retransmits: give it up after so many; None: never.
            lifetime: seconds until it is given up; None: never.

        Raises:
            LocalProtocolError: no such stream, one that is being reset, an empty message, or a state past sending.
            ResourceLimitError: `Config.send_buffer` or `max_send_messages` would be exceeded; wait for
                `BufferedAmountLow`.
        """
        if not data:
            raise LocalProtocolError("SCTP has no empty messages")
        self._put(stream_id, bytes(data), ppid, now, is_unordered, max_retransmits, lifetime, is_ended=True)

    def begin_message(
        self,
        stream_id: int,
        *,
        ppid: int,
        now: Instant,
        is_unordered: bool = False,
        max_retransmits: int | None = None,
        lifetime: float | None = None,
    ) -> OutgoingMessage:
        """Begin a message whose bytes follow by `append_to`, for one too large to hold.

        Without I-DATA the other streams wait until it is ended. Arguments and errors are those of `send`.
        """
        return self._put(stream_id, b"", ppid, now, is_unordered, max_retransmits, lifetime, is_ended=False)

    def append_to(self, message: OutgoingMessage, data: bytes, *, is_last: bool = False, now: Instant) -> None:
        """Give the next part. Back pressure: keep `buffered_amount` low.

        Raises:
            LocalProtocolError: the message was ended, or the last part is empty.
            ResourceLimitError: as for `send`.
        """
        self._check_buffer(len(data))
        self._now = max(self._now, now)
        self._queue.append(message, bytes(data), is_last=is_last)

    def _put(
        self,
        stream_id: int,
        data: bytes,
        ppid: int,
        now: Instant,
        is_unordered: bool,
        max_retransmits: int | None,
        lifetime: float | None,
        *,
        is_ended: bool,
    ) -> OutgoingMessage:
        if self._is_over or not (self._is_sending or self.state is State.CLOSED or self.state in OPENING):
            raise LocalProtocolError(f"the association is {self.state.value} and sends nothing more")
        if self.state in (State.SHUTDOWN_PENDING, State.SHUTDOWN_RECEIVED):
            raise LocalProtocolError("the association shuts down and takes no more messages")
        if not 0 <= stream_id < self._reconfiguration.outbound:
            raise LocalProtocolError(f"stream {stream_id}, there are {self._reconfiguration.outbound}")
        stream = self._queue.find(stream_id)
        if stream is not None and stream.is_resetting:
            raise LocalProtocolError(f"stream {stream_id} is being reset")
        self._check_buffer(len(data))
        self._now = max(self._now, now)
        message = OutgoingMessage(
            stream_id,
            ppid,
            data,
            is_unordered,
            _NO_LIMIT if max_retransmits is None else max_retransmits,
            _NEVER if lifetime is None else self._now + lifetime,
            is_ended,
        )
        self._queue.put(message)
        return message

    def _check_buffer(self, size: int) -> None:
        if self._sender.buffered + size > self._send_buffer:
            raise ResourceLimitError(
                f"{self._sender.buffered + size} bytes to be sent, the limit is {self.config.send_buffer}"
            )
        if self._queue.messages >= self._max_send_messages:
            raise ResourceLimitError(f"more than {self._queue.messages} messages to be sent")

    def buffered_amount(self, stream_id: int | None = None) -> int:
        """Bytes of payload that were not sent yet, of one stream or of all."""
        if stream_id is None:
            return self._queue.buffered
        stream = self._queue.find(stream_id)
        return 0 if stream is None else stream.buffered

    def statistics(self) -> AssociationStatistics:
        sender = self._sender
        round_trip = sender.round_trip
        return AssociationStatistics(
            state=self.state.value,
            smoothed_round_trip_time=round_trip.srtt or None,
            retransmission_timeout=round_trip.rto,
            congestion_window=int(sender.congestion.cwnd),
            receiver_window=sender.peer_window,
            packet_size=self.config.packet_size,
            bytes_in_flight=sender.outstanding.flight,
            bytes_buffered=self._queue.buffered,
        )

    def set_low_threshold(self, stream_id: int, threshold: int) -> None:
        """Tell `BufferedAmountLow` when the buffered amount of the stream falls to `threshold` bytes."""
        self._queue.stream(stream_id).threshold = threshold

    def set_weight(self, stream_id: int, weight: int) -> None:
        """Give the stream a share: RFC 8831 section 6.4 has 128, 256, 512, 1024."""
        if not 1 <= weight <= 65_535:
            raise LocalProtocolError(f"weight {weight}, expected 1 to 65535")
        self._queue.stream(stream_id).weight = float(weight)

    def reset_streams(self, stream_ids: Iterable[int], now: Instant) -> None:
        """Start our side of streams anew, once what was sent on them before has gone out."""
        wanted = self._check_reset(stream_ids)
        self._now = max(self._now, now)
        self._reconfiguration.reset_outgoing(one for one in wanted if not self._queue.stream(one).is_resetting)

    def request_reset(self, stream_ids: Iterable[int], now: Instant) -> None:
        """Ask the peer to start its side of streams anew."""
        wanted = self._check_reset(stream_ids)
        self._now = max(self._now, now)
        self._reconfiguration.reset_incoming(wanted)

    def _check_reset(self, stream_ids: Iterable[int]) -> list[int]:
        wanted = list(stream_ids)
        if self.state is not State.ESTABLISHED or not self._features.reconfiguration:
            raise LocalProtocolError(f"the association is {self.state.value}, or its peer resets no streams")
        if not wanted or not all(0 <= one < MAX_STREAMS for one in wanted):
            raise LocalProtocolError(f"streams {wanted} to reset, expected some from 0 to {MAX_STREAMS - 1}")
        return wanted

    def add_streams(self, count: int, now: Instant, *, is_outgoing: bool = True) -> None:
        """Ask for more streams of ours, or of the peer's."""
        total = self._reconfiguration.outbound if is_outgoing else self._reconfiguration.inbound
        if self.state is not State.ESTABLISHED or not self._features.reconfiguration:
            raise LocalProtocolError(f"the association is {self.state.value}, or its peer adds no streams")
        if count < 1 or total + count > MAX_STREAMS:
            raise LocalProtocolError(f"{total} and {count} more streams, expected at most {MAX_STREAMS}")
        self._now = max(self._now, now)
        self._reconfiguration.add(count, is_outgoing=is_outgoing)

    def use_ports(self, port: int, remote_port: int) -> None:
        """Take the ports that SDP tells (RFC 8841 section 5), before the association begins.

        Raises:
            LocalProtocolError: it has begun, or a port is none.
        """
        if self.state is not State.CLOSED or self._is_over:
            raise LocalProtocolError(f"the association is {self.state.value}, its ports stay as they are")
        self.config = dataclasses.replace(self.config, port=port, remote_port=remote_port)
        self._handshake.use(self.config)
        self._expected = self._expected_header()

    def set_unread(self, size: int, now: Instant) -> None:
        """Say how many bytes of messages taken are still unread; so much less may the peer send."""
        self._now = max(self._now, now)
        self._receiver.read(size, now)

    def shutdown(self, now: Instant) -> None:
        """Close in order: what was sent arrives first; then `Closed`."""
        if self.state is not State.ESTABLISHED:
            raise LocalProtocolError(f"the association is {self.state.value}, shutdown wants it established")
        self._now = max(self._now, now)
        self._enter(State.SHUTDOWN_PENDING)
        self._timers.arm(Timer.T5_SHUTDOWN_GUARD, self._now + SHUTDOWN_GUARD * self.config.rto_max)
        self._attempts = 0
        self._go_on_shutting_down()

    def abort(self, now: Instant, reason: str = "") -> None:
        """Close at once; what was not acknowledged is lost. Harmless when it is over."""
        if not self._is_over:
            self._now = max(self._now, now)
            self._abort(Cause.USER_INITIATED, reason or "aborted")

    def next_transmits(self, limit: int = BATCH) -> list[bytes]:
        """Build and return up to `limit` packets; call it until the list is empty."""
        packets: list[bytes] = []
        while self._ready and len(packets) < limit:
            packets.append(self._ready.popleft())
        if self._agreement is None or self._is_over or self.state in OPENING:
            return packets
        now, sender = self._now, self._sender
        has_data = False
        while len(packets) < limit:
            lead = self._lead() if self._owes_chunks() else b""
            packet = sender.next_packet(lead, now) if self._is_sending else b""
            if packet:
                has_data = True
                packets.append(packet)
            elif lead:
                packets.append(sender.finish_packet([lead]))
            else:
                break
        if has_data:
            sender.settle(now)
        if self.state is State.SHUTDOWN_PENDING:
            self._go_on_shutting_down()
        return packets

    def _owes_chunks(self) -> bool:
        """Whether anything but data is to be sent; asked for each packet."""
        return (
            self._receiver.queue.is_owed
            or len(self._control) > 0
            or self._sender.owes_forward_tsn
            or self._reconfiguration.has_work
        )

    def _lead(self) -> bytes:
        """The chunks that go before data in the next packet; they go in any case."""
        receive_queue, sender = self._receiver.queue, self._sender
        room = self._packet_size - HEADER_SIZE
        parts: list[bytes] = []
        while self._control and len(self._control[0]) <= room:
            parts.append(self._control.popleft())
            room -= len(parts[-1])
        if room >= 64 and (receive_queue.is_due or (receive_queue.is_owed and sender.is_ready)):
            parts.append(receive_queue.sack(self._receiver.window, room))
            room -= len(parts[-1])
        if sender.owes_forward_tsn and room >= 64:
            parts.append(sender.forward_tsn(room))
            room -= len(parts[-1])
        if self._reconfiguration.has_work and self._features.reconfiguration and self._is_sending:
            for chunk in self._reconfiguration.take_chunks(sender.outstanding.next_tsn - 1):
                self._reply(chunk)
            while self._control and len(self._control[0]) <= room:
                parts.append(self._control.popleft())
                room -= len(parts[-1])
            if self._reconfiguration.is_waiting and self._timers.deadline(Timer.RECONFIG) is None:
                self._timers.arm(Timer.RECONFIG, self._now + sender.round_trip.rto)
        return b"".join(parts)

    def next_transmit(self) -> Transmit | None:
        """The next packet alone. `next_transmits` costs less."""
        packets = self.next_transmits(1)
        return Transmit(packets[0], self._peer) if packets else None

    def next_event(self) -> Event | None:
        if not self._events:
            if not self._queue.low:
                return None
            self._events += self._queue.take_low()
        event = self._events.popleft()
        if isinstance(event, MessageReceived):
            self._receiver.taken(len(event.data), self._now)
        return event

    @property
    def has_events(self) -> bool:
        return len(self._events) > 0 or len(self._queue.low) > 0

    def next_events(self) -> list[Event]:
        """All events there are."""
        events = [*self._events, *self._queue.take_low()]
        self._events.clear()
        size = 0
        for event in events:
            if isinstance(event, MessageReceived):
                size += len(event.data)
        if size:
            self._receiver.taken(size, self._now)
        return events

    def next_timeout(self) -> Instant | None:
        """The earliest deadline; ask after everything else was taken."""
        earliest = self._timers.next_timeout()
        if self._is_over:
            return earliest
        sender = self._sender
        due: float = _NEVER if earliest is None else earliest
        for moving in (sender.t3_due, sender.probe_due, sender.outstanding.reorder_due, sender.pace_due):
            if 0.0 < moving < due:
                due = moving
        acknowledging = self._receiver.queue.due_at
        if 0.0 < acknowledging < due:
            due = acknowledging
        return None if due == _NEVER else due

    def handle_timeout(self, now: Instant) -> None:
        """Advance to `now`. Early, or twice, changes nothing."""
        self._arm_expired(now)
        while (fired := self._timers.pop_expired(now)) is not None:
            self._now = max(self._now, now)
            _TIMEOUTS[fired.timer](self)
            self._arm_expired(now)

    def _time_out_init(self) -> None:
        if self._attempts > self.config.max_init_retransmissions:
            self._fail("the peer does not answer INIT")
        else:
            self._send_init(self._now)

    def _time_out_cookie(self) -> None:
        if self._attempts > self.config.max_init_retransmissions:
            self._fail("the peer does not answer COOKIE ECHO")
        else:
            self._send_cookie(self._now)

    def _time_out_shutdown(self) -> None:
        if self._attempts > self.config.max_retransmissions:
            self._fail("the peer does not answer the shutdown")
        else:
            self._sender.round_trip.back_off()
            self._send_shutdown(self._now)

    def _time_out_guard(self) -> None:
        self._abort(Cause.USER_INITIATED, "the shutdown takes too long")

    def _time_out_data(self) -> None:
        self._sender.timed_out(self._now)
        if self._sender.has_lost_peer(self.config.max_retransmissions):
            self._fail(f"{self.config.max_retransmissions} timeouts without an acknowledgement")

    def _time_out_probe(self) -> None:
        self._sender.probe()

    def _time_out_reordering(self) -> None:
        self._sender.reordering_over(self._now)

    def _time_out_pace(self) -> None:
        self._sender.pace_due = 0.0

    def _time_out_sack(self) -> None:
        self._receiver.queue.is_due = True
        self._receiver.queue.due_at = 0.0

    def _time_out_reconfig(self) -> None:
        if self._reconfiguration.attempts > self.config.max_retransmissions:
            self._fail("the peer does not answer RE-CONFIG")
            return
        self._reconfiguration.resend()
        wait = self._sender.round_trip.rto * 2.0 ** min(self._reconfiguration.attempts, 10)
        self._timers.arm(Timer.RECONFIG, self._now + min(wait, self.config.rto_max))

    def _time_out_heartbeat(self) -> None:
        self._arm_heartbeat()
        if self._now - self._heard_at < self.config.heartbeat_interval / 2:
            self._heartbeats = 0
            return
        self._heartbeats += 1
        if self._heartbeats > self.config.max_retransmissions:
            self._fail("the peer answers no heartbeat")
            return
        self._heartbeat = self._random.getrandbits(64) | 1
        self._heartbeat_at = self._now
        info = _HEARTBEAT.pack(ParameterType.HEARTBEAT_INFO, _HEARTBEAT.size, self._heartbeat)
        self._reply(Chunk(ChunkType.HEARTBEAT, 0, info).serialize())


_TIMEOUTS: Final[dict[Timer, Callable[[Association], None]]] = {
    Timer.T1_INIT: Association._time_out_init,
    Timer.T1_COOKIE: Association._time_out_cookie,
    Timer.T2_SHUTDOWN: Association._time_out_shutdown,
    Timer.T3_RTX: Association._time_out_data,
    Timer.T5_SHUTDOWN_GUARD: Association._time_out_guard,
    Timer.PROBE: Association._time_out_probe,
    Timer.REORDER: Association._time_out_reordering,
    Timer.PACE: Association._time_out_pace,
    Timer.DELAYED_SACK: Association._time_out_sack,
    Timer.HEARTBEAT: Association._time_out_heartbeat,
    Timer.RECONFIG: Association._time_out_reconfig,
}
