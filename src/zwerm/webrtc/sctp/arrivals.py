"""What packets from the peer do to an association (RFC 9260 sections 5, 6.2, 8 and 9).

DATA and SACK are read by position; other chunks go to the parsers of `chunks` by the table `_HANDLERS`. A chunk that is
malformed ends its packet; one that the protocol forbids, or that would exceed a limit, ends the association.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant
from zwerm.webrtc.sctp.chunks import error, reconfig
from zwerm.webrtc.sctp.chunks.forward_tsn import ForwardTsn
from zwerm.webrtc.sctp.chunks.init import Init
from zwerm.webrtc.sctp.chunks.sack import FIXED_SIZE, Sack
from zwerm.webrtc.sctp.codes import (
    TAG_REFLECTED,
    TSN_MASK,
    UNKNOWN_REPORT,
    UNKNOWN_SKIP,
    Cause,
    ChunkType,
)
from zwerm.webrtc.sctp.control_block import (
    DATA,
    I_DATA,
    OPENING,
    SACK,
    SHUTDOWN_GUARD,
    UNSUPPORTED,
    ControlBlock,
    State,
)
from zwerm.webrtc.sctp.events import (
    Closed,
    Restarted,
    ShutdownReceived,
)
from zwerm.webrtc.sctp.handshake import Decision
from zwerm.webrtc.sctp.packet import (
    CHUNK_HEADER_SIZE,
    HEADER_SIZE,
    Chunk,
    Header,
    has_right_checksum,
    has_zero_checksum,
    serialize,
)
from zwerm.webrtc.sctp.send_queue import SendQueue
from zwerm.webrtc.sctp.timer import Timer

_TSN: Final = struct.Struct("!I")
_SACK: Final = struct.Struct("!II")  # where nothing was lost, as mostly: no gaps and no duplicates follow
_NOTHING_MORE: Final = bytes(4)
_INIT: Final = int(ChunkType.INIT)  # each packet is compared with these two
_COOKIE_ECHO: Final = int(ChunkType.COOKIE_ECHO)
_HEARTBEAT: Final = struct.Struct("!HHQ")


class Arrivals(ControlBlock):
    """See the module."""

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:  # noqa: ARG002
        """Take an untrusted packet; False when it is not of this association. `source` does not matter here."""
        self._now = max(self._now, now)
        return self._receive(data)

    def receive_datagrams(self, datagrams: Sequence[bytes], source: Address, now: Instant) -> int:  # noqa: ARG002
        """Take untrusted packets in the order they came; return how many were of this association."""
        self._now = max(self._now, now)
        taken = 0
        for data in datagrams:
            taken += self._receive(data)
        return taken

    def _receive(self, packet: bytes) -> bool:
        if self._is_over or len(packet) < HEADER_SIZE + CHUNK_HEADER_SIZE:
            return False
        kind = packet[HEADER_SIZE]
        if has_zero_checksum(packet) and self.config.zero_checksum:
            if kind in (_INIT, _COOKIE_ECHO):  # RFC 9653 section 5.2
                return False
        elif not has_right_checksum(packet):
            return False
        if packet[:8] == self._expected and kind != _INIT:
            if kind == _COOKIE_ECHO:
                return self._receive_cookie_echo(packet)
            self._heard_at = self._now
            self._work_off(packet, HEADER_SIZE)
            return True
        return self._receive_unexpected(packet, kind)

    def _receive_unexpected(self, packet: bytes, kind: int) -> bool:
        """A packet whose tag is not ours, as some may have (section 8.5.1)."""
        header = Header.parse(packet)
        if (header.source_port, header.destination_port) != (self.config.remote_port, self.config.port):
            return False
        if kind == ChunkType.INIT and header.verification_tag == 0:
            return self._receive_init(packet)
        if kind == ChunkType.COOKIE_ECHO:
            return self._receive_cookie_echo(packet)
        is_reflected = packet[HEADER_SIZE + 1] & TAG_REFLECTED and header.verification_tag == self._handshake.peer_tag
        if kind in (ChunkType.ABORT, ChunkType.SHUTDOWN_COMPLETE) and is_reflected and self._handshake.peer_tag:
            self._work_off(packet, HEADER_SIZE)
            return True
        return False

    def _work_off(self, packet: bytes, position: int) -> None:
        """Take the chunks from `position` on. What is malformed ends the packet; what is forbidden the association."""
        end = len(packet)
        receiver = self._receiver
        try:
            while position + CHUNK_HEADER_SIZE <= end:
                kind = packet[position]
                length = packet[position + 2] << 8 | packet[position + 3]
                if length < CHUNK_HEADER_SIZE or position + length > end:
                    break
                if kind == self._data_type:
                    if self._is_receiving:
                        receiver.data(packet, position, length, packet[position + 1])
                elif kind == SACK:
                    self._receive_sack(packet, position, length)
                elif not self._receive_control(kind, packet[position + 1], packet[position + 4 : position + length]):
                    break
                position += (length + 3) & ~3
        except WireError as problem:
            self._note("malformed chunk", str(problem))
            if kind == self._data_type:
                self._abort(Cause.NO_USER_DATA, str(problem))
        except RemoteProtocolError as problem:
            self._abort(Cause.PROTOCOL_VIOLATION, str(problem))
        except ResourceLimitError as problem:
            self._abort(Cause.OUT_OF_RESOURCE, str(problem))
        if receiver is self._receiver and receiver.packet_ended(self._now) and not self._is_over:
            self._after_data()

    def _after_data(self) -> None:
        receiver = self._receiver
        if self._reconfiguration.has_deferred:
            event = self._reconfiguration.perform_deferred(receiver.queue.cumulative, receiver.reassembly)
            if event is not None:
                self._events.append(event)
        if receiver.invalid_streams:
            for stream_id in receiver.invalid_streams[:4]:
                self._reply(error.error(Cause.INVALID_STREAM, struct.pack("!HH", stream_id, 0)))
            receiver.invalid_streams = []
        if self.state is State.SHUTDOWN_SENT:  # section 9.2: SHUTDOWN again with each SACK
            self._reply(self._shutdown_chunk())

    def _receive_sack(self, packet: bytes, position: int, length: int) -> None:
        if not self._is_sending and self.state is not State.SHUTDOWN_SENT:
            return
        gaps: list[tuple[int, int]] = []
        duplicates: list[int] = []
        sack: Sack | None = None
        if length == FIXED_SIZE and packet[position + 12 : position + 16] == _NOTHING_MORE:
            tsn, a_rwnd = _SACK.unpack_from(packet, position + CHUNK_HEADER_SIZE)
        else:
            sack = Sack.parse(packet[position + CHUNK_HEADER_SIZE : position + length])
            tsn, a_rwnd = sack.cumulative_tsn, sack.a_rwnd
        outstanding = self._sender.outstanding
        behind = (outstanding.first_tsn - 1 - tsn) & TSN_MASK
        cumulative = outstanding.first_tsn - 1 - (behind - (TSN_MASK + 1) if behind >= 0x80000000 else behind)
        if sack is not None:
            gaps = [(cumulative + first, cumulative + last + 1) for first, last in sack.gaps]
            duplicates = [cumulative + signed(one - tsn) for one in sack.duplicates]
        if not self._sender.acknowledged(cumulative, gaps, duplicates, a_rwnd, self._now):
            self._note("forged SACK", f"up to {cumulative}, {len(gaps)} gaps")
        elif self.state is not State.ESTABLISHED:
            self._go_on_shutting_down()

    def _receive_control(self, kind: int, flags: int, value: bytes) -> bool:
        """Take any other chunk; return whether to go on with the packet."""
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, flags, value)
            return not self._is_over
        if kind in (DATA, I_DATA) and self._data_type == UNSUPPORTED:
            return True  # it overtook COOKIE ACK, or that was lost: not to be acknowledged yet, so it comes again
        if kind in (DATA, I_DATA):
            self._abort(Cause.PROTOCOL_VIOLATION, f"a chunk of type {kind} where the other kind was agreed on")
            return False
        if kind & UNKNOWN_REPORT and self._agreement is not None:
            self._reply(error.error(Cause.UNRECOGNIZED_CHUNK, Chunk(kind, flags, value[:64]).serialize()))
        return bool(kind & UNKNOWN_SKIP)

    def _receive_init(self, packet: bytes) -> bool:
        length = packet[HEADER_SIZE + 2] << 8 | packet[HEADER_SIZE + 3]
        try:
            init = Init.parse(packet[HEADER_SIZE + CHUNK_HEADER_SIZE : HEADER_SIZE + length])
        except WireError as problem:
            self._note("malformed INIT", str(problem))
            return True
        if (length + 3) & ~3 < len(packet) - HEADER_SIZE:
            return True  # INIT stands alone in its packet (section 3.3.2)
        if self.state is State.SHUTDOWN_ACK_SENT:
            self._reply(Chunk(ChunkType.SHUTDOWN_ACK, 0, b"").serialize())
            return True
        if len(self._ready) < self.config.max_control_chunks:
            is_opening = self.state in OPENING
            has_association = not (is_opening or self.state is State.CLOSED)
            answer = self._handshake.answer_init(
                init, self._age, has_association=has_association, is_opening=is_opening
            )
            self._ready.append(answer)
        return True

    def _receive_init_ack(self, _flags: int, value: bytes) -> None:
        if self.state is not State.COOKIE_WAIT:
            return
        init = Init.parse(value)
        agreement = self._handshake.accept_init_ack(init)
        if agreement is None:
            self._abort(Cause.MISSING_PARAMETER, "INIT ACK without a cookie")
            return
        self._timers.cancel(Timer.T1_INIT)
        self._agree(agreement)
        self.state = State.COOKIE_ECHOED
        self._attempts = 0
        self._send_cookie(self._now, init)

    def _receive_cookie_echo(self, packet: bytes) -> bool:
        length = packet[HEADER_SIZE + 2] << 8 | packet[HEADER_SIZE + 3]
        tag = Header.parse(packet).verification_tag
        decision, cookie = self._handshake.judge_cookie(
            packet[HEADER_SIZE + CHUNK_HEADER_SIZE : HEADER_SIZE + length],
            tag,
            self._age,
            has_association=self.state is not State.CLOSED,
        )
        if cookie is None or decision in (Decision.FORGED, Decision.LATE):
            self._note("cookie refused", decision.value)
            return False
        if decision is Decision.STALE:
            late = int((self._age - self.config.cookie_life) * 1e6) - cookie.made_at * 1_000
            stale = error.error(Cause.STALE_COOKIE, struct.pack("!I", min(max(late, 0), TSN_MASK)))
            self._ready.append(serialize(self._handshake.header(cookie.peer_tag), [stale]))
            return True
        if decision is Decision.RESTART and self.state is State.SHUTDOWN_ACK_SENT:
            self._reply(Chunk(ChunkType.SHUTDOWN_ACK, 0, b"").serialize())
            self._reply(error.error(Cause.COOKIE_WHILE_SHUTTING_DOWN, b""))
            return True
        if decision is Decision.RESTART:
            self._restart()
        if decision is not Decision.DUPLICATE:
            self._agree(self._handshake.adopt(cookie))
        if decision is Decision.RESTART or self.state is State.CLOSED or self.state in OPENING:
            self._establish()
        self._reply(Chunk(ChunkType.COOKIE_ACK, 0, b"").serialize())
        self._work_off(packet, HEADER_SIZE + ((length + 3) & ~3))
        return True

    def _receive_cookie_ack(self, _flags: int, _value: bytes) -> None:
        if self.state is State.COOKIE_ECHOED:
            self._establish()

    def _restart(self) -> None:
        """The peer began anew (section 5.2.4.1): so do we."""
        self._timers.cancel_all()
        self._control.clear()
        self._queue = SendQueue()
        self._sender = self._new_sender()
        self.state = State.CLOSED
        self._events.append(Restarted())

    def _receive_forward_tsn(self, _flags: int, value: bytes) -> None:
        if self._is_receiving and self._features.partial_reliability:
            chunk = ForwardTsn.parse(value, interleaving=self._features.interleaving)
            self._receiver.forward(chunk)
            self._after_data()

    def _receive_reconfig(self, _flags: int, value: bytes) -> None:
        if not self._features.reconfiguration or len(self._events) >= self.config.max_events:
            return
        receiver = self._receiver
        parameters = reconfig.parse(value)
        was_waiting = self._reconfiguration.is_waiting
        self._events += self._reconfiguration.receive(parameters, receiver.queue.cumulative, receiver.reassembly)
        receiver.inbound = self._reconfiguration.inbound
        if was_waiting and not self._reconfiguration.is_waiting:
            self._timers.cancel(Timer.RECONFIG)

    def _receive_heartbeat(self, _flags: int, value: bytes) -> None:
        self._reply(Chunk(ChunkType.HEARTBEAT_ACK, 0, value).serialize())

    def _receive_heartbeat_ack(self, _flags: int, value: bytes) -> None:
        if len(value) != _HEARTBEAT.size:
            return
        _, _, nonce = _HEARTBEAT.unpack(value)
        if self._heartbeat and nonce == self._heartbeat:
            self._heartbeat = self._heartbeats = 0
            self._sender.round_trip.measure(self._now - self._heartbeat_at)

    def _receive_abort(self, _flags: int, value: bytes) -> None:
        causes = error.causes_untrusted(value)
        self._fail(error.describe(causes), is_from_peer=True, code=causes[0].type if causes else None)

    def _receive_error(self, _flags: int, value: bytes) -> None:
        causes = error.causes_untrusted(value)
        self._note("error from the peer", error.describe(causes))
        if self.state is State.COOKIE_ECHOED and any(kind == Cause.STALE_COOKIE for kind, _ in causes):
            self._timers.cancel(Timer.T1_COOKIE)
            self.state = State.COOKIE_WAIT
            self._stale_cookies += 1
            if self._stale_cookies <= self.config.max_init_retransmissions:
                self._send_init(self._now)
            else:
                self._fail("the peer finds every cookie stale")

    def _receive_shutdown(self, _flags: int, value: bytes) -> None:
        if len(value) != _TSN.size:
            raise WireError(f"SHUTDOWN of {len(value)} bytes, expected 4")
        if self._is_sending:
            first = self._sender.outstanding.first_tsn
            cumulative = first - 1 + signed(_TSN.unpack(value)[0] - (first - 1))
            if not self._sender.acknowledged(cumulative, [], [], self._sender.peer_window, self._now):
                return
        if self.state in (State.ESTABLISHED, State.SHUTDOWN_PENDING):
            if self.state is State.ESTABLISHED:
                self._events.append(ShutdownReceived())
                self._timers.arm(Timer.T5_SHUTDOWN_GUARD, self._now + SHUTDOWN_GUARD * self.config.rto_max)
            self._enter(State.SHUTDOWN_RECEIVED)
            self._go_on_shutting_down()
        elif self.state is State.SHUTDOWN_SENT:
            self._enter(State.SHUTDOWN_ACK_SENT)
            self._attempts = 0
            self._send_shutdown(self._now)
        elif self.state is State.SHUTDOWN_RECEIVED:
            self._go_on_shutting_down()

    def _receive_shutdown_ack(self, _flags: int, _value: bytes) -> None:
        if self.state in (State.SHUTDOWN_SENT, State.SHUTDOWN_ACK_SENT):
            self._ready.append(self._sender.finish_packet([Chunk(ChunkType.SHUTDOWN_COMPLETE, 0, b"").serialize()]))
            self._end(Closed())

    def _receive_shutdown_complete(self, _flags: int, _value: bytes) -> None:
        if self.state is State.SHUTDOWN_ACK_SENT:
            self._end(Closed())


def signed(difference: int) -> int:
    """The difference of two TSNs, folded to 32 bits with a sign."""
    difference &= TSN_MASK
    return difference - (TSN_MASK + 1) if difference >= 0x80000000 else difference


_HANDLERS: Final[dict[int, Callable[[Arrivals, int, bytes], None]]] = {
    ChunkType.INIT_ACK: Arrivals._receive_init_ack,
    ChunkType.COOKIE_ACK: Arrivals._receive_cookie_ack,
    ChunkType.HEARTBEAT: Arrivals._receive_heartbeat,
    ChunkType.HEARTBEAT_ACK: Arrivals._receive_heartbeat_ack,
    ChunkType.ABORT: Arrivals._receive_abort,
    ChunkType.ERROR: Arrivals._receive_error,
    ChunkType.SHUTDOWN: Arrivals._receive_shutdown,
    ChunkType.SHUTDOWN_ACK: Arrivals._receive_shutdown_ack,
    ChunkType.SHUTDOWN_COMPLETE: Arrivals._receive_shutdown_complete,
    ChunkType.RE_CONFIG: Arrivals._receive_reconfig,
    ChunkType.FORWARD_TSN: Arrivals._receive_forward_tsn,
    ChunkType.I_FORWARD_TSN: Arrivals._receive_forward_tsn,
    ChunkType.PAD: lambda _arrivals, _flags, _value: None,
}
