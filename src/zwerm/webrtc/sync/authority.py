"""The side whose state counts: publishes snapshots, takes inputs.

Each snapshot goes out once, as its difference to the newest one that the other side is known to have. A lost one needs
no repetition, for the next holds its changes too; only the last, after which nothing follows, is sent again until it is
acknowledged. An input arrives in several packets and is told once, in order.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from typing import Final

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.timers import TimerTable
from zwerm.webrtc.sync.packet import LAST, MAX_DISTANCE, InputsPacket, SnapshotPacket
from zwerm.webrtc.sync.schema import Quantised, Schema, Values

CHANNEL: Final[Address] = ("", 0)  # the destination of every transmit: there is one channel


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Limits and times of both sides."""

    max_packet: int = 16_384  # bytes of a snapshot; over 1,200 each lost part loses the whole
    max_history: int = 64  # snapshots kept as bases; at 30 a second two seconds, after which one is sent whole
    max_waiting_events: int = 256  # that nobody took; what comes on top is dropped
    resend: float = 0.1  # seconds until the last snapshot goes out again; doubles up to four times that
    input_interval: float = 1 / 30  # seconds between packets of inputs
    max_pending: int = 64  # inputs that are not acknowledged; more is refused: the other side is gone


@dataclasses.dataclass(frozen=True, slots=True)
class InputArrived:
    """The next input of the other side."""

    number: int
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class InputsLost:
    """So many inputs will never come: the other side went on without their acknowledgement."""

    count: int


@dataclasses.dataclass(slots=True)
class Statistics:
    """What became of packets."""

    sent: int = 0
    whole: int = 0  # of these, with no base
    acknowledged: int = 0
    dropped: int = 0  # that came and could not be used


class Timer(enum.Enum):
    """What an authority waits for."""

    RESEND = "the last snapshot was not acknowledged: send it again"


class Authority:
    """See the module. `processed` is the last input that the owner has put into the state it publishes."""

    def __init__(self, schema: Schema, config: Config | None = None) -> None:
        self.schema = schema
        self.config = config or Config()
        self.statistics = Statistics()
        self.processed = 0
        self._state: Quantised = {}
        self._tick = 0
        self._sequence = 0
        self._history: dict[int, Quantised] = {}
        self._known = 0  # the newest snapshot that the other side has
        self._first = 0  # the first snapshot that has the newest state: repetitions have it too
        self._next_input = 1
        self._wait = self.config.resend
        self._timers = TimerTable(Timer)
        self._transmits: deque[Transmit] = deque(maxlen=4)  # nobody needs old snapshots
        self._events: deque[InputArrived | InputsLost] = deque()

    def publish(self, values: Values, tick: int, now: Instant) -> None:
        """Send a state.

        Raises:
            LocalProtocolError: it does not fit the schema, or the tick is none.
            ResourceLimitError: its difference is larger than a packet may be; nothing was sent.
        """
        if not 0 <= tick <= LAST:
            raise LocalProtocolError(f"tick {tick}, expected 0 to {LAST}")
        self._send(self.schema.quantise(values), tick)
        self._first = self._sequence
        self._wait = self.config.resend
        self._timers.arm(Timer.RESEND, now + self._wait)

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:  # noqa: ARG002 - one channel
        """Take an untrusted packet; False where it could not be used."""
        try:
            packet = InputsPacket.parse(data)
        except WireError:
            self.statistics.dropped += 1
            return False
        self._acknowledge(packet)
        self._take_inputs(packet)
        return True

    def handle_timeout(self, now: Instant) -> None:
        while (fired := self._timers.pop_expired(now)) is not None:
            self._wait = min(2 * self._wait, 4 * self.config.resend)
            self._timers.arm(Timer.RESEND, max(fired.due + self._wait, now))
            self._send(self._state, self._tick)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> InputArrived | InputsLost | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    @property
    def is_acknowledged(self) -> bool:
        """Whether the other side has the newest state."""
        return self._known >= self._first

    def _send(self, state: Quantised, tick: int) -> None:
        base = self._known if self._sequence + 1 - self._known <= MAX_DISTANCE else 0
        delta = self.schema.write_delta(self._history[base] if base else {}, state)
        if len(delta) > self.config.max_packet:
            raise ResourceLimitError(f"a snapshot of {len(delta)} bytes, expected at most {self.config.max_packet}")
        self._sequence += 1
        self._state, self._tick = state, tick
        self._history[self._sequence] = state
        for old in [one for one in self._history if one <= self._sequence - self.config.max_history]:
            del self._history[old]
        if self._known not in self._history:
            self._known = 0
        distance = self._sequence - base if base else 0
        packet = SnapshotPacket(self._sequence, tick, distance, self.processed, delta)
        self._transmits.append(Transmit(packet.serialize(), CHANNEL))
        self.statistics.sent += 1
        self.statistics.whole += not base

    def _acknowledge(self, packet: InputsPacket) -> None:
        for sequence in packet.acknowledged():
            if self._known < sequence and sequence in self._history:
                self._known = sequence
                self.statistics.acknowledged += 1
                break  # they come newest first
        if self.is_acknowledged:
            self._timers.cancel_all()

    def _take_inputs(self, packet: InputsPacket) -> None:
        if packet.inputs and packet.first > self._next_input:
            self._tell(InputsLost(packet.first - self._next_input))
            self._next_input = packet.first
        for number, data in enumerate(packet.inputs, packet.first):
            if number == self._next_input:
                self._next_input += 1
                self._tell(InputArrived(number, data))

    def _tell(self, event: InputArrived | InputsLost) -> None:
        if len(self._events) < self.config.max_waiting_events:
            self._events.append(event)
