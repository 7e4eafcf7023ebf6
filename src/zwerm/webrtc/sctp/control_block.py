"""What an association knows at any moment: the transmission control block of RFC 9260 section 14.

Its state, its halves, its timers, and the few chunks of control that more than one event calls for. Packets that come
are worked off in `arrivals`; commands, packets that go and time are in `association`.
"""

from __future__ import annotations

import enum
import struct
from collections import deque
from typing import Final

from zwerm.core.machine import Address, Instant
from zwerm.core.random import Random
from zwerm.core.timers import TimerTable
from zwerm.core.trace import Trace
from zwerm.webrtc.sctp.chunks import error
from zwerm.webrtc.sctp.chunks.init import Features, Init
from zwerm.webrtc.sctp.codes import (
    TSN_MASK,
    Cause,
    ChunkType,
)
from zwerm.webrtc.sctp.config import DTLS, Config
from zwerm.webrtc.sctp.events import (
    Connected,
    ConnectionFailed,
    Event,
)
from zwerm.webrtc.sctp.handshake import Agreement, Handshake
from zwerm.webrtc.sctp.packet import HEADER_SIZE, Chunk, has_zero_checksum, serialize, with_checksum
from zwerm.webrtc.sctp.receiver import Receiver
from zwerm.webrtc.sctp.reconfiguration import Reconfiguration
from zwerm.webrtc.sctp.rto import RoundTrip
from zwerm.webrtc.sctp.send_queue import SendQueue
from zwerm.webrtc.sctp.sender import Sender
from zwerm.webrtc.sctp.timer import Timer

_TSN: Final = struct.Struct("!I")
DATA: Final = int(ChunkType.DATA)
I_DATA: Final = int(ChunkType.I_DATA)
SACK: Final = int(ChunkType.SACK)
UNSUPPORTED: Final = 256  # no chunk has this type
SHUTDOWN_GUARD: Final = 5  # times the longest RTO (RFC 9260 section 9.2)
_MAX_SETUP_WAIT: Final = 10.0  # seconds between two INITs


class State(enum.Enum):
    """RFC 9260 section 4."""

    CLOSED = "closed"
    COOKIE_WAIT = "cookie wait"
    COOKIE_ECHOED = "cookie echoed"
    ESTABLISHED = "established"
    SHUTDOWN_PENDING = "shutdown pending"
    SHUTDOWN_SENT = "shutdown sent"
    SHUTDOWN_RECEIVED = "shutdown received"
    SHUTDOWN_ACK_SENT = "shutdown ack sent"


OPENING: Final = frozenset((State.COOKIE_WAIT, State.COOKIE_ECHOED))
SENDING: Final = frozenset((State.ESTABLISHED, State.SHUTDOWN_PENDING, State.SHUTDOWN_RECEIVED))
RECEIVING: Final = frozenset((State.ESTABLISHED, State.SHUTDOWN_PENDING, State.SHUTDOWN_SENT))


class ControlBlock:
    """See the module."""

    def __init__(
        self,
        config: Config | None = None,
        *,
        random: Random,
        now: Instant,
        peer: Address = DTLS,
        trace: Trace | None = None,
    ) -> None:
        """`peer` is what transmits are addressed to; where packets came from is for the layer below to judge."""
        self.config = config = config or Config()
        self._send_buffer = config.send_buffer  # asked for with each message
        self._max_send_messages = config.max_send_messages
        self._packet_size = config.packet_size
        self.state = State.CLOSED
        self._random = random
        self._peer = peer
        self._trace = trace
        self._now = now
        self._born = now
        self._timers = TimerTable(Timer)
        self._handshake = Handshake(config, random)
        self._events: deque[Event] = deque()
        self._ready: deque[bytes] = deque()  # whole packets, outside the association or before it
        self._control: deque[bytes] = deque()  # chunks that go with the next packet
        self._queue = SendQueue()
        self._sender = self._new_sender()
        self._receiver = Receiver(config, 0, config.inbound_streams, self._events, has_interleaving=False)
        self._reconfiguration = Reconfiguration(0, 0, config.outbound_streams, config.inbound_streams, self._queue)
        self._agreement: Agreement | None = None
        self._features = Features()  # those both sides have
        self._expected = self._expected_header()
        self._data_type = UNSUPPORTED
        self._is_receiving = False
        self._is_sending = False
        self._is_over = False
        self._attempts = 0  # of INIT, COOKIE ECHO or SHUTDOWN
        self._stale_cookies = 0  # of ours, that the peer called so
        self._heard_at = now
        self._heartbeat = 0  # nonce of the one in flight; 0: none
        self._heartbeat_at = now  # when it was sent
        self._heartbeats = 0  # unanswered in a row

    def _new_sender(self) -> Sender:
        config = self.config
        round_trip = RoundTrip(config.rto_initial, config.rto_min, config.rto_max)
        return Sender(
            self._handshake.local_tsn,
            config.packet_size,
            round_trip,
            config.initial_window,
            config.pacing_floor,
            self._queue,
        )

    @property
    def now(self) -> Instant:
        """The latest instant it was told."""
        return self._now

    @property
    def features(self) -> Features:
        """What both sides have; all false until the handshake has told."""
        return self._features

    @property
    def _age(self) -> float:
        """Seconds since this machine was made: what goes on the wire tells nobody our clock."""
        return self._now - self._born

    def _expected_header(self) -> bytes:
        return struct.pack("!HHI", self.config.remote_port, self.config.port, self._handshake.local_tag)

    def _agree(self, agreement: Agreement) -> None:
        """Learn what the peer brings: from here on data may be sent, with our COOKIE ECHO at the earliest."""
        theirs, ours = agreement.features, self._handshake.offered
        self._agreement = agreement
        self._features = Features(
            theirs.partial_reliability and ours.partial_reliability,
            theirs.reconfiguration and ours.reconfiguration,
            theirs.interleaving and ours.interleaving,
            theirs.zero_checksum and ours.zero_checksum,
        )
        self._expected = self._expected_header()
        if self._sender.outstanding.is_empty:
            self._sender = self._new_sender()
        prefix = struct.pack("!HHI", self.config.port, self.config.remote_port, agreement.peer_tag)
        self._sender.establish(prefix, agreement.peer_rwnd, self._features)

    def _establish(self) -> None:
        agreement, both = self._agreement, self._features
        if agreement is None:
            return
        self._receiver = Receiver(
            self.config,
            agreement.peer_tsn,
            agreement.inbound_streams,
            self._events,
            has_interleaving=both.interleaving,
        )
        self._reconfiguration = Reconfiguration(
            self._handshake.local_tsn,
            agreement.peer_tsn,
            agreement.outbound_streams,
            agreement.inbound_streams,
            self._queue,
        )
        self._data_type = I_DATA if both.interleaving else DATA
        self._timers.cancel(Timer.T1_INIT)
        self._timers.cancel(Timer.T1_COOKIE)
        self._enter(State.ESTABLISHED)
        self._arm_heartbeat()
        self._events.append(
            Connected(
                agreement.outbound_streams,
                agreement.inbound_streams,
                both.interleaving,
                both.partial_reliability,
                both.reconfiguration,
            )
        )

    def _enter(self, state: State) -> None:
        self.state = state
        self._is_sending = state in SENDING
        self._is_receiving = state in RECEIVING

    def _arm_heartbeat(self) -> None:
        if self.config.heartbeat_interval:
            jitter = 0.75 + self._random.random() / 2  # so that many associations do not beat together
            self._timers.arm(Timer.HEARTBEAT, self._now + self.config.heartbeat_interval * jitter)

    def _abort(self, cause: Cause, text: str) -> None:
        if self._is_over:
            return
        if self._handshake.peer_tag:
            header = self._handshake.header(self._handshake.peer_tag)
            self._ready.append(serialize(header, [error.abort(cause, text)]))
        self._fail(text)

    def _fail(self, cause: str, *, is_from_peer: bool = False, code: int | None = None) -> None:
        self._end(ConnectionFailed(cause, is_from_peer, code))

    def _end(self, event: Event) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._enter(State.CLOSED)
        self._timers.cancel_all()
        self._control.clear()
        self._queue = SendQueue()
        self._sender = self._new_sender()
        self._events.append(event)

    def _reply(self, chunk: bytes) -> None:
        """Send a chunk with the next packet; what a peer asks for beyond the limit is not answered."""
        if len(self._control) < self.config.max_control_chunks and len(chunk) <= self.config.packet_size - HEADER_SIZE:
            self._control.append(chunk)

    def _note(self, what: str, text: str) -> None:
        if self._trace is not None:
            self._trace(self._now, what, text=text)

    def _send_init(self, now: Instant) -> None:
        self._attempts += 1
        self._ready.append(self._handshake.init_packet())
        self._timers.arm(Timer.T1_INIT, now + self._setup_wait())

    def _send_cookie(self, now: Instant, init: Init | None = None) -> None:
        """COOKIE ECHO, first in its packet and never without a checksum; data that waits goes with it (section 5.1)."""
        self._attempts += 1
        chunks = [Chunk(ChunkType.COOKIE_ECHO, 0, self._handshake.cookie).serialize()]
        reports = init.unrecognized() if init is not None else []
        if reports:
            chunks.append(error.error(Cause.UNRECOGNIZED_PARAMETERS, b"".join(one.serialize() for one in reports)))
        lead = b"".join(chunks)
        has_room = init is not None and len(lead) < self.config.packet_size // 2
        packet = self._sender.next_packet(lead, now) if has_room else b""
        if not packet:
            packet = self._sender.finish_packet([lead])
        self._ready.append(with_checksum(packet) if has_zero_checksum(packet) else packet)
        self._timers.arm(Timer.T1_COOKIE, now + self._setup_wait())

    def _shutdown_chunk(self) -> bytes:
        return Chunk(ChunkType.SHUTDOWN, 0, _TSN.pack(self._receiver.queue.cumulative & TSN_MASK)).serialize()

    def _send_shutdown(self, now: Instant) -> None:
        self._attempts += 1
        is_answer = self.state is State.SHUTDOWN_ACK_SENT
        self._reply(Chunk(ChunkType.SHUTDOWN_ACK, 0, b"").serialize() if is_answer else self._shutdown_chunk())
        self._timers.arm(Timer.T2_SHUTDOWN, now + self._sender.round_trip.rto)

    def _go_on_shutting_down(self) -> None:
        """Take the next step once everything of ours has arrived."""
        if not self._sender.has_nothing_to_send:
            return
        if self.state is State.SHUTDOWN_PENDING:
            self._enter(State.SHUTDOWN_SENT)
        elif self.state is State.SHUTDOWN_RECEIVED:
            self._enter(State.SHUTDOWN_ACK_SENT)
        else:
            return
        self._attempts = 0
        self._send_shutdown(self._now)

    def _arm_expired(self, now: Instant) -> None:
        """Put deadlines of the halves that have come into the table, which keeps them in order with the others.

        They move with every packet, so those to come are only looked at: see `Association.next_timeout`.
        """
        if self._is_over:
            return
        sender = self._sender
        self._arm_if_expired(Timer.T3_RTX, sender.t3_due, now)
        self._arm_if_expired(Timer.PROBE, sender.probe_due, now)
        self._arm_if_expired(Timer.REORDER, sender.outstanding.reorder_due, now)
        self._arm_if_expired(Timer.PACE, sender.pace_due, now)
        self._arm_if_expired(Timer.DELAYED_SACK, self._receiver.queue.due_at, now)

    def _arm_if_expired(self, timer: Timer, due: Instant, now: Instant) -> None:
        if 0.0 < due <= now:
            self._timers.arm(timer, due)
        else:
            self._timers.cancel(timer)

    def _setup_wait(self) -> float:
        return min(self.config.rto_initial * 2.0 ** (self._attempts - 1), _MAX_SETUP_WAIT)
