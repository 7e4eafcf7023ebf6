"""The sending half of an association: what goes into the next packet, and what a SACK or a timer does to it.

It holds the queue of messages, the chunks in flight, the window, the pacer and the round trip, and has deadlines that
the association copies into its timers: `t3_due`, `probe_due`, `pace_due`, `reorder_due` of the chunks; 0: not armed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from zwerm.webrtc.sctp.chunks.forward_tsn import ForwardTsn, Skipped
from zwerm.webrtc.sctp.chunks.init import Features
from zwerm.webrtc.sctp.codes import BEGIN, IMMEDIATE, TSN_MASK
from zwerm.webrtc.sctp.congestion import Cubic
from zwerm.webrtc.sctp.message import OutgoingMessage, SentChunk
from zwerm.webrtc.sctp.outstanding import Outstanding
from zwerm.webrtc.sctp.pacing import Pacer
from zwerm.webrtc.sctp.packet import HEADER_SIZE, with_checksum
from zwerm.webrtc.sctp.rto import RoundTrip
from zwerm.webrtc.sctp.send_queue import SendQueue

if TYPE_CHECKING:
    from mypy_extensions import i64

_DATA: Final = struct.Struct("!BBHIHHI").pack
_I_DATA: Final = struct.Struct("!BBHIHHII").pack
_TYPE_DATA: Final = 0
_TYPE_I_DATA: Final = 64
_SSN_MASK: Final = 0xFFFF
_PADDING: Final = (b"", bytes(3), bytes(2), bytes(1))
_PEER_SACK_DELAY: Final = 0.2  # seconds a peer may keep back the SACK of a single packet (RFC 9260 section 6.2)
_MAX_OUTSTANDING: Final = 60_000  # chunks: what gap blocks of 16 bits can name, with room for those given up
_MIN_PROBE: Final = 0.01  # seconds
_MAX_SKIPPED: Final = 100  # messages in one FORWARD-TSN


class Sender:
    """See the module."""

    __slots__ = (
        "_header_size",
        "_idle_since",
        "_is_probe_wanted",
        "_is_probed",
        "_is_rescue_wanted",
        "_is_timeout",
        "_may_abandon",
        "_must_forward",
        "_prefix",
        "_recovery_end",
        "_room",
        "_rwnd",
        "_zero_checksum",
        "congestion",
        "has_given_up",
        "outstanding",
        "pace_due",
        "pacer",
        "peer_window",
        "probe_due",
        "queue",
        "round_trip",
        "t3_due",
        "timeouts",
    )

    def __init__(
        self,
        initial_tsn: int,
        packet_size: int,
        round_trip: RoundTrip,
        initial_window: int,
        pacing_floor: float,
        queue: SendQueue,
    ) -> None:
        payload = packet_size - HEADER_SIZE - 16
        self.queue: SendQueue = queue
        self.outstanding: Outstanding = Outstanding(initial_tsn)
        self.congestion: Cubic = Cubic(payload, initial_window)
        self.pacer: Pacer = Pacer(payload, pacing_floor)
        self.round_trip: RoundTrip = round_trip
        self.t3_due: float = 0.0
        self.probe_due: float = 0.0
        self.pace_due: float = 0.0
        self.timeouts: i64 = 0  # T3 ran out so often since something was acknowledged
        self.has_given_up: bool = False  # something in flight was abandoned
        self._room: i64 = packet_size - HEADER_SIZE
        self._header_size: i64 = 16
        self._prefix: bytes = b""
        self._zero_checksum: bool = False
        self._may_abandon: bool = False  # the peer has partial reliability
        self.peer_window: i64 = 0  # bytes, as it was last offered
        self._rwnd: i64 = 0  # bytes the peer takes beyond what is in flight
        self._recovery_end: i64 = -1  # TSN whose acknowledgement ends the recovery; -1: none
        self._is_timeout: bool = False  # the recovery began with a timeout: slow start goes on in it
        self._must_forward: bool = False  # a FORWARD-TSN is due
        self._is_probe_wanted: bool = False
        self._is_probed: bool = False  # the tail was probed and nothing was acknowledged since
        self._is_rescue_wanted: bool = False  # one lost chunk may go whatever the window says
        self._idle_since: float = 0.0

    def establish(self, prefix: bytes, rwnd: int, features: Features) -> None:
        """Learn what the handshake told: the common header up to the checksum, the peer's window, what both have."""
        self._prefix = prefix + bytes(4)
        self._rwnd = self.peer_window = rwnd
        self._zero_checksum = features.zero_checksum
        self._may_abandon = features.partial_reliability
        self._header_size = 20 if features.interleaving else 16
        self.queue.has_interleaving = features.interleaving
        self.queue.may_abandon = features.partial_reliability

    @property
    def has_nothing_to_send(self) -> bool:
        """Whether every message was sent and acknowledged."""
        return self.queue.messages == 0 and self.outstanding.is_empty

    @property
    def is_ready(self) -> bool:
        """Whether a packet with data is likely to go now."""
        has_data = self.queue.messages > 0 or self.outstanding.lost_bytes > 0
        return has_data and float(self.outstanding.flight) < self.congestion.cwnd

    @property
    def buffered(self) -> int:
        """Bytes of all messages that are kept, sent or not."""
        return self.queue.buffered + self.outstanding.held

    def finish_packet(self, parts: list[bytes]) -> bytes:
        """Put the header before serialized chunks."""
        packet = b"".join((self._prefix, *parts))
        return packet if self._zero_checksum else with_checksum(packet)

    def next_packet(self, lead: bytes, now: float) -> bytes:
        """The next packet with data, after the chunks in `lead`; empty when none may go, and `lead` was not used."""
        outstanding = self.outstanding
        if self._is_probe_wanted or self._is_rescue_wanted:
            if lead:
                return b""  # what is sent again may need the whole packet
        elif float(outstanding.flight) >= self.congestion.cwnd or self.pacer.budget(now) <= 0.0:
            return self._blocked(now)
        parts: list[bytes] = [self._prefix]
        if lead:
            parts.append(lead)
        if outstanding.flight == 0:
            self._was_idle(now)
        is_probe = self._is_probe_wanted
        total: i64 = 0
        if is_probe:
            self._is_probe_wanted = False
            total = self._probe_again(parts, now)
        if total == 0:
            total = self._fill(parts, self._room - len(lead), IMMEDIATE if is_probe else 0, now)
        if total == 0:
            return b""
        self._is_rescue_wanted = False
        outstanding.packets += 1
        self.pacer.spend(float(total))
        if self.t3_due == 0.0 or is_probe:
            self.t3_due = now + self.round_trip.rto
        packet = b"".join(parts)
        return packet if self._zero_checksum else with_checksum(packet)

    def _probe_again(self, parts: list[bytes], now: float) -> i64:
        """Probe with the last chunk in flight when there is nothing new; return its size."""
        if self.queue.messages and self._rwnd > 0:
            return 0
        chunk = self.outstanding.probe(now)
        if chunk is None:
            return 0
        self._write(chunk, parts, IMMEDIATE)
        return chunk.size

    def _fill(self, parts: list[bytes], room: i64, immediate: i64, now: float) -> i64:
        """Add chunks, lost ones first; return the bytes of payload."""
        outstanding, queue = self.outstanding, self.queue
        header: i64 = self._header_size
        total: i64 = 0
        while room > header:
            chunk = outstanding.next_lost() if outstanding.lost_bytes else None
            if chunk is not None:
                if chunk.size + header > room:
                    break
                if self._is_out_of_time(chunk, now):
                    continue
                outstanding.resend(chunk, now)
            else:
                if self._rwnd < room and outstanding.flight > 0:
                    break  # one chunk may probe a closed window (section 6.1 rule A)
                if outstanding.next_tsn - outstanding.first_tsn >= _MAX_OUTSTANDING:
                    break
                chunk = queue.produce(room - header, now, is_fresh=total == 0)
                if queue.expired:
                    self._abandon_expired()
                if chunk is None:
                    break
                self._rwnd -= chunk.size
                outstanding.send(chunk, now)
            self._write(chunk, parts, immediate)
            total += chunk.size
            room -= header + ((chunk.size + 3) & ~3)
        return total

    def _write(self, chunk: SentChunk, parts: list[bytes], immediate: i64) -> None:
        message = chunk.message
        size: i64 = chunk.size
        flags = chunk.flags | immediate
        tsn = chunk.tsn & TSN_MASK
        if self._header_size == 16:
            number = message.number & _SSN_MASK
            parts.append(_DATA(_TYPE_DATA, flags, size + 16, tsn, message.stream_id, number, message.ppid))
        else:
            last = message.ppid if flags & BEGIN else chunk.fsn
            parts.append(_I_DATA(_TYPE_I_DATA, flags, size + 20, tsn, message.stream_id, 0, message.number, last))
        data = chunk.data
        parts.append(data if size == len(data) else data[chunk.start : chunk.start + size])
        if size & 3:
            parts.append(_PADDING[size & 3])

    def _blocked(self, now: float) -> bytes:
        """Note when the pacer lets go on, if it is the pacer that holds us."""
        is_ready = self.outstanding.lost_bytes or self.queue.messages
        if is_ready and float(self.outstanding.flight) < self.congestion.cwnd and self.pace_due == 0.0:
            self.pace_due = self.pacer.next_burst(now)
        return b""

    def _was_idle(self, now: float) -> None:
        rto = self.round_trip.rto
        if self.outstanding.is_empty and self._idle_since > 0.0 and now - self._idle_since > rto:
            self.congestion.idle((now - self._idle_since) / rto)
        self._idle_since = now

    # What comes back

    def acknowledged(
        self, cumulative: int, gaps: list[tuple[int, int]], duplicates: list[int], a_rwnd: int, now: float
    ) -> bool:
        """Work off a SACK; False when it names what was never sent, and nothing was changed."""
        outstanding, congestion = self.outstanding, self.congestion
        if cumulative < outstanding.first_tsn - 1:
            return True  # overtaken by a later one
        if not outstanding.is_plausible(cumulative, gaps):
            return False
        reached = float(outstanding.flight) * (2.0 if congestion.is_slow_start else 1.25)
        is_limited = reached >= congestion.cwnd
        outcome = outstanding.acknowledge(cumulative, gaps, now)
        if duplicates:
            outstanding.duplicated(duplicates, outcome)
        if outcome.rtt > 0.0:
            self.round_trip.measure(outcome.rtt)
            congestion.measured(outcome.rtt, cumulative, outstanding.next_tsn)
        if outcome.is_spurious:
            congestion.undo()
            self._recovery_end = -1
        if 0 <= self._recovery_end <= cumulative:
            self._recovery_end = -1
        if outcome.acknowledged or a_rwnd == 0:
            self.timeouts = 0  # the peer lives, its window is closed or not
        if outcome.acknowledged:
            self._is_probed = False
            self._is_probe_wanted = False
            if self._recovery_end < 0 or self._is_timeout:
                congestion.acknowledged(outcome.acknowledged, now, self.round_trip.srtt, is_limited=is_limited)
        self._look_for_losses(now)
        self.peer_window = a_rwnd
        self._rwnd = a_rwnd - outstanding.flight
        if self.has_given_up:
            self._must_forward = outstanding.advance()
            self.has_given_up = outstanding.advanced < outstanding.next_tsn - 1
        self.pacer.update(congestion.cwnd, self.round_trip.srtt, is_slow_start=congestion.is_slow_start)
        self.pace_due = 0.0
        self._idle_since = now
        if outcome.is_advanced:
            self.t3_due = 0.0 if outstanding.is_empty else now + self.round_trip.rto
        self._arm_probe(now)
        return True

    def _look_for_losses(self, now: float) -> None:
        lost = self.outstanding.find_losses(now, self.round_trip)
        if not lost:
            return
        for chunk in lost:
            self._is_out_of_time(chunk, now)
        if self._recovery_end < 0:
            self._recovery_end = self.outstanding.next_tsn - 1
            self._is_timeout = False
            self.outstanding.begin_recovery(lost)
            self.congestion.lost(has_queue=self.round_trip.has_queue)
            self._is_rescue_wanted = True

    def settle(self, now: float) -> None:
        """Packets with data have gone: the wait for their acknowledgement begins."""
        self._arm_probe(now)

    def _arm_probe(self, now: float) -> None:
        """Wait for the tail of a flight (RFC 8985 section 7.2), unless T3 or a reordering comes first anyway."""
        outstanding = self.outstanding
        self.probe_due = 0.0
        if outstanding.flight == 0 or self._is_probed or self._recovery_end >= 0 or self.round_trip.srtt == 0.0:
            return
        is_single = outstanding.flight <= self._room
        wait = 1.5 * self.round_trip.srtt + (_PEER_SACK_DELAY if is_single else _MIN_PROBE)
        if now + wait < self.t3_due:
            self.probe_due = now + wait

    # Timers

    def probe(self) -> None:
        """The tail was not acknowledged: let something go at once that brings a SACK."""
        self.probe_due = 0.0
        self._is_probed = True
        self._is_probe_wanted = self.outstanding.flight > 0

    def reordering_over(self, now: float) -> None:
        self._look_for_losses(now)

    def timed_out(self, now: float) -> None:
        """T3 ran out (section 6.3.3)."""
        outstanding = self.outstanding
        self.t3_due = 0.0
        self.probe_due = 0.0
        if outstanding.is_empty:
            return
        self.timeouts += 1
        self.congestion.timed_out(is_first=self.timeouts == 1)
        self.round_trip.back_off()
        self._recovery_end = outstanding.next_tsn - 1
        self._is_timeout = True
        lost = outstanding.lose_all()
        outstanding.begin_recovery(lost)
        for chunk in lost:
            self._is_out_of_time(chunk, now)
        if outstanding.advance():
            self._must_forward = True
        self._is_rescue_wanted = outstanding.lost_bytes > 0
        self._is_probed = False
        self.t3_due = now + self.round_trip.rto

    # Partial reliability

    def _is_out_of_time(self, chunk: SentChunk, now: float) -> bool:
        """Give the message of a lost chunk up when its limits say so; return whether it was."""
        message = chunk.message
        if message.is_abandoned:
            return True
        if not self._may_abandon:
            return False
        if 0 <= message.max_retransmits < chunk.transmits or message.expires <= now:
            self._abandon(message, has_rest=self.queue.discard(message))
            return True
        return False

    def _abandon_expired(self) -> None:
        for message in self.queue.expired:
            self._abandon(message, has_rest=True)
        self.queue.expired = []

    def _abandon(self, message: OutgoingMessage, *, has_rest: bool) -> None:
        self.outstanding.abandon(message, has_rest=has_rest)
        self.has_given_up = True
        if self.outstanding.advance():
            self._must_forward = True

    def forward_tsn(self, room: int) -> bytes:
        """The FORWARD-TSN that is due, of at most `room` bytes; empty when none is."""
        if not self._must_forward:
            return b""
        self._must_forward = False
        if self.outstanding.advanced < self.outstanding.first_tsn:
            return b""
        has_interleaving = self.queue.has_interleaving
        limit = min(_MAX_SKIPPED, (room - 8) // (8 if has_interleaving else 4))
        last, messages = self.outstanding.skipped(limit)
        highest: dict[tuple[int, bool], int] = {}
        for message in messages:
            if has_interleaving or not message.is_unordered:
                highest[message.stream_id, message.is_unordered] = message.number
        skipped = tuple(Skipped(stream, number, unordered) for (stream, unordered), number in highest.items())
        return ForwardTsn(last & TSN_MASK, skipped).serialize(interleaving=has_interleaving)

    @property
    def owes_forward_tsn(self) -> bool:
        return self._must_forward

    def has_lost_peer(self, limit: int) -> bool:
        """Whether too many timeouts ran out in a row (section 8.1)."""
        return self.timeouts > limit
