"""Where everything an agent says goes: datagrams, bytes of streams, what is relayed, and events.

Nothing here grows without a bound while nobody drains: datagrams and data are dropped as a full socket would, and so
are whole frames of a stream. Data that comes before its pair is validated waits for that, a few datagrams of it: the
first flight of DTLS often overtakes the answer that validates the path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.ice.candidate import TcpType
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.events import CloseStream, DataReceived, Event, OpenStream, SendStream
from zwerm.webrtc.ice.gather import Allocation
from zwerm.webrtc.ice.pair import Base, BaseKind, Pair, Path
from zwerm.webrtc.ice.streams import MAX_FRAME, Streams, frame

MAX_TRANSMITS: Final = 512  # datagrams that nobody took

_DROPPABLE: Final = (DataReceived, SendStream)


class Outbox:
    """The queues of one agent, and its streams."""

    def __init__(self, config: Config, allocations: Callable[[], list[Allocation]]) -> None:
        self.streams = Streams(config.max_streams)
        self._config = config
        self._allocations = allocations
        self._transmits: deque[Transmit] = deque()
        self._events: deque[Event] = deque()
        self._early: deque[tuple[Path, bytes]] = deque(maxlen=config.max_early_data)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    @property
    def has_events(self) -> bool:
        return bool(self._events)

    @property
    def is_full(self) -> bool:
        """Whether events wait that nobody takes: then what can be told later is told later."""
        return len(self._events) >= self._config.max_waiting_events

    def tell(self, event: Event) -> None:
        if not self.is_full or not isinstance(event, _DROPPABLE):
            self._events.append(event)

    def transmit(self, transmit: Transmit) -> None:
        if len(self._transmits) < MAX_TRANSMITS:
            self._transmits.append(transmit)

    # What sessions use.

    def send(self, base: Base, stream: int | None, data: bytes, destination: Address, now: Instant) -> None:
        """Send a datagram from `base` the way that base sends."""
        if base.kind is BaseKind.UDP:
            self.transmit(Transmit(data, destination, None, base.address))
        elif base.kind is BaseKind.RELAY:
            allocation = next((allocation for allocation in self._allocations() if allocation.base is base), None)
            if allocation is not None:
                allocation.relay.send(data, destination, now)
                self.pump(allocation)
        elif stream is not None and self.streams.is_open(stream) and len(data) <= MAX_FRAME:
            self.tell(SendStream(stream, frame(data)))

    def send_run(self, pair: Pair, data: bytes, segment_size: int | None, now: Instant) -> None:
        """Send data on a pair: a run of datagrams in one piece, where its base takes runs."""
        base, destination = pair.local.base, pair.remote.address
        run = Transmit(data, destination, segment_size, base.address)
        if base.kind is BaseKind.UDP:
            self.transmit(run)
        else:
            for datagram in run.datagrams():
                self.send(base, pair.stream, datagram, destination, now)

    def bind_channel(self, pair: Pair, now: Instant) -> None:
        """Data goes over a relayed pair: have the relay make that cheap. Repeating it is harmless."""
        for allocation in self._allocations():
            if allocation.base is pair.local.base:
                allocation.relay.bind_channel(pair.remote.address, now)
                self.pump(allocation)

    def open_stream(self, pair: Pair) -> int | None:
        base = pair.local.base
        stream = self.streams.add(base, pair.remote.address, pair)
        if stream is None:
            return None
        local = (base.host, 0 if base.tcp_type is TcpType.ACTIVE else base.address[1])
        self.tell(OpenStream(stream.number, local, stream.remote))
        return stream.number

    def close_stream(self, stream: int) -> None:
        if self.streams.remove(stream) is not None:
            self.tell(CloseStream(stream))

    def validated(self, pair: Pair, now: Instant) -> None:  # noqa: ARG002 - sessions pass it everywhere
        """Hand out the data that waited for this."""
        path = pair.path
        waiting = [data for held, data in self._early if held == path]
        if waiting:
            rest = [(held, data) for held, data in self._early if held != path]
            self._early = deque(rest, self._config.max_early_data)
        for data in waiting:
            self.deliver(pair, data)

    # What the agent uses.

    def deliver(self, pair: Pair, data: bytes) -> None:
        pair.counters.packets_received += 1
        pair.counters.bytes_received += len(data)
        self.tell(DataReceived(data, pair.remote.address))

    def hold(self, path: Path, data: bytes) -> None:
        """Keep `data` until its path is validated, or newer data needs the room."""
        self._early.append((path, data))

    def forget_held(self) -> None:
        self._early.clear()

    def open_relay_stream(self, allocation: Allocation) -> None:
        """A server is reached by TCP: ask for the connection, from the port that is asked about where there is one."""
        host = allocation.host
        stream = self.streams.add(host, allocation.address)
        if stream is not None:
            stream.is_open = False
            allocation.stream = stream.number
            local = (host.host, host.address[1] if host.kind is BaseKind.TCP else 0)
            self.tell(OpenStream(stream.number, local, allocation.address, allocation.server))

    def pump(self, allocation: Allocation) -> None:
        """Carry out what a TURN client has to say; its events are the agent's affair."""
        while (transmit := allocation.relay.next_transmit()) is not None:
            self.transmit(transmit._replace(source=allocation.host.address))
        if allocation.stream is not None and self.streams.is_open(allocation.stream) and not self.is_full:
            data = allocation.relay.data_to_send()
            if data:
                self._events.append(SendStream(allocation.stream, data))
