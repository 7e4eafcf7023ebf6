"""The other processes of a service, over a bus that may lose, double and reorder packets.

Everybody gives a sign of life each `beat`; who is silent for `silent` seconds is dead. To each neighbour goes one
stream of numbered lines, kept until it has acknowledged them: a gap, or an acknowledgement that lags, has them sent
again. So what this machine is given comes out at the other end once and in order, or the neighbour is dead.

While our own way to the bus is cut, nobody is called dead: it is we who hear nothing.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from zwerm.calls.bus.packet import MAX_NOTE, MAX_PACKET, MAX_PROCESSES, Note, Packet, parse_note, pieces_of
from zwerm.core.errors import WireError
from zwerm.core.machine import Instant


class BusConfig(NamedTuple):
    """Times in seconds, and what is kept."""

    beat: float = 1.0  # between two signs of life
    silent: float = 6.0  # until a process is dead; it is to be found in under 10
    again: float = 0.5  # until a line that was not acknowledged is sent again
    kept: int = 100_000  # lines that wait for one neighbour; more, and it is given up
    kept_characters: int = 67_108_864


class Joined(NamedTuple):
    """A process is there; what is sent to it from now on arrives."""

    process: str


class Heard(NamedTuple):
    """A process said this."""

    process: str
    note: Note


class Died(NamedTuple):
    """A process is no more, or is given up."""

    process: str


NeighbourEvent: TypeAlias = Joined | Heard | Died


class _Kept(NamedTuple):
    number: int
    line: str


class _Neighbour:
    __slots__ = ("came", "characters", "heard_at", "kept", "numbered", "part", "part_size", "sent", "sent_at")

    def __init__(self, now: Instant) -> None:
        self.heard_at = now
        self.kept: deque[_Kept] = deque()
        self.characters = 0  # of what is kept
        self.numbered = 0
        self.sent = 0  # the last line that was sent at least once
        self.sent_at = now  # when lines were sent last
        self.came = 0  # the last line of theirs that came in order
        self.part: list[str] = []  # of a note that goes on
        self.part_size = 0


class Neighbours:
    """The streams of one process. After every call, drain `next_transmit` and `next_event`."""

    def __init__(self, process: str, now: Instant, config: BusConfig | None = None) -> None:
        """`process` is our id, one that no other process has or had."""
        self.process = process
        self._config = config or BusConfig()
        self._neighbours: dict[str, _Neighbour] = {}
        self._dead: deque[str] = deque(maxlen=1_024)
        self._beat_at: Instant = now
        self._is_linked = False
        self._transmits: deque[tuple[str | None, bytes]] = deque()
        self._events: deque[NeighbourEvent] = deque()
        self._hungry: dict[str, None] = {}  # neighbours for whom lines wait
        self.refused = 0  # packets that were none

    @property
    def processes(self) -> frozenset[str]:
        """The others that are there."""
        return frozenset(self._neighbours)

    def linked(self, now: Instant, *, is_linked: bool) -> None:
        """The way to the bus is there, or is cut."""
        self._is_linked = is_linked
        if is_linked:
            for each in self._neighbours.values():
                each.heard_at = now
            self._beat_at = now
            self.handle_timeout(now)

    def send(self, process: str, note: Note) -> bool:
        """Say something to a neighbour; False when it is none."""
        neighbour = self._neighbours.get(process)
        if neighbour is None:
            return False
        self._put(process, neighbour, pieces_of(note))
        return True

    def spread(self, note: Note) -> None:
        """Say something to all."""
        lines = pieces_of(note)
        for process, neighbour in list(self._neighbours.items()):
            self._put(process, neighbour, lines)

    def _put(self, process: str, neighbour: _Neighbour, lines: Iterable[str]) -> None:
        for line in lines:
            neighbour.numbered += 1
            neighbour.kept.append(_Kept(neighbour.numbered, line))
            neighbour.characters += len(line)
        if len(neighbour.kept) > self._config.kept or neighbour.characters > self._config.kept_characters:
            self._bury(process)
        else:
            self._hungry[process] = None

    def leave(self) -> None:
        """Say goodbye: the others need not wait until we are silent."""
        self._transmits.append((None, Packet(self.process, {self.process: 0}, 1, []).serialize()))

    def receive(self, data: bytes, now: Instant) -> None:
        """Take a packet from the bus. What is no packet is counted and forgotten."""
        try:
            packet = Packet.parse(data)
        except WireError:
            self.refused += 1
            return
        sender = packet.sender
        if sender == self.process or sender in self._dead:
            return
        if sender in packet.acks:  # it says goodbye
            self._bury(sender)
            return
        neighbour = self._neighbours.get(sender)
        if neighbour is None:
            if len(self._neighbours) >= MAX_PROCESSES - 1 or packet.first > 1:
                return
            neighbour = self._neighbours[sender] = _Neighbour(now)
            self._events.append(Joined(sender))
            self._beat_at = now  # so that it knows us at once
        neighbour.heard_at = now
        self._acknowledged(sender, neighbour, packet.acks.get(self.process, 0), now)
        self._take_lines(sender, neighbour, packet)

    def _acknowledged(self, process: str, neighbour: _Neighbour, number: int, now: Instant) -> None:
        while neighbour.kept and neighbour.kept[0].number <= number:
            neighbour.characters -= len(neighbour.kept.popleft().line)
        if (
            neighbour.kept
            and neighbour.kept[0].number <= neighbour.sent
            and now >= neighbour.sent_at + self._config.again
        ):
            neighbour.sent = neighbour.kept[0].number - 1
            self._hungry[process] = None

    def _take_lines(self, process: str, neighbour: _Neighbour, packet: Packet) -> None:
        for number, line in enumerate(packet.lines, packet.first):
            if number != neighbour.came + 1:
                continue  # known already, or a gap: their next beat finds that we lag
            neighbour.came = number
            neighbour.part.append(line[1:])
            neighbour.part_size += len(line)
            if line[0] == "+" and neighbour.part_size <= MAX_NOTE:
                continue
            text, neighbour.part, neighbour.part_size = "".join(neighbour.part), [], 0
            try:
                note = parse_note(text)
            except WireError:
                self.refused += 1
            else:
                self._events.append(Heard(process, note))

    def handle_timeout(self, now: Instant) -> None:
        """Give a sign of life, and bury who is silent."""
        if not self._is_linked or now < self._beat_at:
            return
        for process, neighbour in list(self._neighbours.items()):
            if now >= neighbour.heard_at + self._config.silent:
                self._bury(process)
        self._beat_at = now + self._config.beat
        acks = {process: each.came for process, each in self._neighbours.items()}
        self._transmits.append((None, Packet(self.process, acks, 1, []).serialize()))

    def next_timeout(self) -> Instant | None:
        return self._beat_at if self._is_linked else None

    def _bury(self, process: str) -> None:
        if self._neighbours.pop(process, None) is not None:
            self._hungry.pop(process, None)
            self._dead.append(process)
            self._events.append(Died(process))

    def next_transmit(self, now: Instant) -> tuple[str | None, bytes] | None:
        """What to publish next, for one process or for all (None); None when there is nothing, or no way."""
        if not self._is_linked:
            return None
        if self._transmits:
            return self._transmits.popleft()
        while self._hungry:
            process = next(iter(self._hungry))
            neighbour = self._neighbours[process]
            if (packet := self._packet_for(process, neighbour)) is None:
                del self._hungry[process]
                continue
            neighbour.sent_at = now
            return process, packet
        return None

    def _packet_for(self, process: str, neighbour: _Neighbour) -> bytes | None:
        """The next lines that were not sent yet."""
        if not neighbour.kept or neighbour.sent >= neighbour.numbered:
            return None
        start = neighbour.sent - neighbour.kept[0].number + 1
        lines: list[str] = []
        size = 0
        for number, line in itertools.islice(neighbour.kept, max(0, start), None):
            size += 4 * len(line) + 1
            if lines and (size > MAX_PACKET - 16_384 or len(lines) >= 1_024):
                break
            lines.append(line)
            neighbour.sent = number
        return Packet(self.process, {process: neighbour.came}, neighbour.sent - len(lines) + 1, lines).serialize()

    def next_event(self) -> NeighbourEvent | None:
        return self._events.popleft() if self._events else None
