"""The side that follows: puts snapshots together, acknowledges them, and sends inputs until they are known to be in.

Whatever order snapshots come in, each that can be put together is told once. What refers to a base that is not here is
passed over: it is not acknowledged, so that the authority goes back to a base that is.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.timers import TimerTable
from zwerm.webrtc.sync.authority import CHANNEL, Config, Statistics
from zwerm.webrtc.sync.packet import ACK_BITS, MAX_DISTANCE, MAX_INPUT_SIZE, MAX_INPUTS, InputsPacket, SnapshotPacket
from zwerm.webrtc.sync.schema import Quantised, Schema


@dataclasses.dataclass(frozen=True, slots=True)
class SnapshotArrived:
    """A state of the authority. They may come out of order; `is_newest` says which one counts."""

    sequence: int
    tick: int
    processed: int  # the last of our inputs that it includes
    state: Quantised
    is_newest: bool


class Timer(enum.Enum):
    """What a follower waits for."""

    SEND = "something came, or an input is not known to have arrived: say so"


class Follower:
    """See the module."""

    def __init__(self, schema: Schema, config: Config | None = None) -> None:
        self.schema = schema
        self.config = config or Config()
        self.statistics = Statistics()
        self._history: dict[int, Quantised] = {}
        self._newest = 0
        self._inputs: deque[tuple[int, bytes]] = deque()
        self._last_input = 0
        self._timers = TimerTable(Timer)
        self._sent_at: Instant | None = None
        self._transmits: deque[Transmit] = deque(maxlen=4)
        self._events: deque[SnapshotArrived] = deque(maxlen=self.config.max_waiting_events)

    def give(self, data: bytes, now: Instant) -> int:
        """Send an input; return its number.

        Raises:
            LocalProtocolError: of another size than those before, empty, or too large.
            ResourceLimitError: so many are not acknowledged; nothing was taken.
        """
        if not 0 < len(data) <= MAX_INPUT_SIZE or (self._inputs and len(self._inputs[-1][1]) != len(data)):
            raise LocalProtocolError(f"an input of {len(data)} bytes")
        if len(self._inputs) >= min(self.config.max_pending, MAX_INPUTS):
            raise ResourceLimitError(f"{len(self._inputs)} inputs are not acknowledged")
        self._last_input += 1
        self._inputs.append((self._last_input, bytes(data)))
        self._send_soon(now)
        return self._last_input

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:  # noqa: ARG002 - one channel
        """Take an untrusted packet; False where it could not be used."""
        try:
            packet = SnapshotPacket.parse(data)
            if packet.processed > self._last_input:
                raise WireError(f"input {packet.processed} processed, the last was {self._last_input}")
            if packet.sequence in self._history or packet.sequence + self.config.max_history <= self._newest:
                self._send_soon(now)  # our acknowledgement may be what was lost
                return False
            state = self._put_together(packet)
        except WireError:
            self.statistics.dropped += 1
            return False
        self._keep(packet, state)
        self._send_soon(now)
        return True

    def handle_timeout(self, now: Instant) -> None:
        while self._timers.pop_expired(now) is not None:
            self._send(now)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> SnapshotArrived | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _put_together(self, packet: SnapshotPacket) -> Quantised:
        base: Quantised = {}
        if packet.base:
            found = self._history.get(packet.sequence - packet.base)
            if found is None:
                raise WireError(f"snapshot {packet.sequence} refers to {packet.sequence - packet.base}")
            base = found
        return self.schema.read_delta(base, packet.delta)

    def _keep(self, packet: SnapshotPacket, state: Quantised) -> None:
        is_newest = packet.sequence > self._newest
        self._history[packet.sequence] = state
        self._newest = max(self._newest, packet.sequence)
        oldest = self._newest - min(self.config.max_history, MAX_DISTANCE)
        for old in [one for one in self._history if one <= oldest]:
            del self._history[old]
        while self._inputs and self._inputs[0][0] <= packet.processed:
            self._inputs.popleft()
        self._events.append(SnapshotArrived(packet.sequence, packet.tick, packet.processed, state, is_newest))
        self.statistics.acknowledged += 1

    def _send_soon(self, now: Instant) -> None:
        if self._timers.deadline(Timer.SEND) is None:
            earliest = now if self._sent_at is None else self._sent_at + self.config.input_interval
            self._timers.arm(Timer.SEND, max(now, earliest))

    def _send(self, now: Instant) -> None:
        self._sent_at = now
        earlier = sum(1 << bit for bit in range(ACK_BITS) if self._newest - 1 - bit in self._history)
        first = self._inputs[0][0] if self._inputs else 0
        packet = InputsPacket(self._newest, earlier, first, tuple(data for _, data in self._inputs))
        self._transmits.append(Transmit(packet.serialize(), CHANNEL))
        self.statistics.sent += 1
        if self._inputs:
            self._timers.arm(Timer.SEND, now + self.config.input_interval)
