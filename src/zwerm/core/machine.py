"""The machine contract: a protocol is a value that turns inputs into outputs. Theory in `docs/sans-io.md`.

A machine opens no socket, reads no clock and draws no randomness of its own: bytes, instants and a random source come
in as arguments, bytes, events and the next deadline go out. Whoever holds a machine, a driver on a real socket or a
test on a virtual network, obeys the same laws:

1. *One mutation, then drain.* After every call that takes `now`, and after every command, take transmits and events
   until each gives None, and the timeout last: it may have moved while draining.
2. `now` is monotonic seconds, a float. Never a wall clock, never milliseconds; a machine never reads a clock.
3. `handle_timeout` early, or twice, changes nothing. Late is allowed. Time never goes back.
4. Nothing raises on what a peer sent. A broken peer becomes an event that names the cause; a broken caller gets a
   `LocalProtocolError` at once, and nothing was changed.
5. Everything a peer can grow has a limit in the config dataclass, and a test that hits it.
6. Deadlines live in one `TimerTable`, keyed by an enum whose members say in one line what fires.
7. Transitions that are a table in the RFC are a table in the code.

`tests/conformance/check_machine.py` holds a machine against laws 1 to 5 as far as they can be seen from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

Instant: TypeAlias = float  # seconds on a monotonic clock; only differences mean anything
Address: TypeAlias = tuple[str, int]  # a numeric IP address as text, and a port

DRAIN_LIMIT: Final = 1_024  # outputs taken by one `drain`, so that a busy machine does not starve its neighbours

EventT = TypeVar("EventT")
EventT_co = TypeVar("EventT_co", covariant=True)


class Transmit(NamedTuple):
    """What the caller is to send: one datagram, or a run of equal ones for one system call (GSO)."""

    data: bytes
    destination: Address
    segment_size: int | None = None  # bytes in each datagram but the last, which may be shorter; None: one datagram
    source: Address | None = None  # local address to send from; None leaves it to the socket

    def datagrams(self) -> Iterator[bytes]:
        """Split into datagrams, for a network that cannot take a run at once."""
        if self.segment_size is None or len(self.data) <= self.segment_size:
            yield self.data
            return
        for start in range(0, len(self.data), self.segment_size):
            yield self.data[start : start + self.segment_size]


class Machine(Protocol[EventT_co]):
    """What every machine has: time in, events and the next deadline out."""

    def handle_timeout(self, now: Instant) -> None:
        """Advance to `now`. Early, or twice, changes nothing."""
        ...

    def next_event(self) -> EventT_co | None: ...

    def next_timeout(self) -> Instant | None:
        """When to call `handle_timeout` at the latest; None when nothing waits for time. Ask last."""
        ...


class DatagramMachine(Machine[EventT_co], Protocol[EventT_co]):
    """A protocol over datagrams: STUN, ICE, DTLS, SCTP, TURN."""

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        """Offer an untrusted datagram; return whether it was meant for this machine. Never raises."""
        ...

    def next_transmit(self) -> Transmit | None: ...


class BatchDatagramMachine(DatagramMachine[EventT_co], Protocol[EventT_co]):
    """A datagram machine with a hot path of its own for what one system call read (recvmmsg, GRO)."""

    def receive_datagrams(self, datagrams: Sequence[bytes], source: Address, now: Instant) -> int:
        """Offer datagrams of one source, in the order they came; return how many were meant for this machine.

        The outcome is that of one `receive_datagram` for each without draining in between.
        """
        ...


class StreamMachine(Machine[EventT_co], Protocol[EventT_co]):
    """A protocol over an ordered stream of bytes: noise, yamux, multistream, TURN over TCP."""

    def receive_data(self, data: bytes, now: Instant) -> None:
        """Take untrusted bytes, cut anywhere. Never raises."""
        ...

    def receive_eof(self, now: Instant) -> None:
        """The peer will send no more. Twice is harmless."""
        ...

    def data_to_send(self) -> bytes:
        """Take everything there is to send; empty when there is nothing."""
        ...


class Drained(NamedTuple, Generic[EventT]):
    """What came out of one mutation, in order."""

    transmits: list[Transmit]
    events: list[EventT]
    timeout: Instant | None

    @property
    def is_whole(self) -> bool:
        """Whether the machine is empty now. Otherwise carry this out, and drain again before the next mutation."""
        return len(self.transmits) + len(self.events) < DRAIN_LIMIT


class DrainedStream(NamedTuple, Generic[EventT]):
    """What came out of one mutation of a stream machine."""

    data: bytes
    events: list[EventT]
    timeout: Instant | None


def drain(machine: DatagramMachine[EventT]) -> Drained[EventT]:
    """Take outputs as law 1 wants it: transmits and events, at most `DRAIN_LIMIT` in all, then the timeout."""
    transmits: list[Transmit] = []
    events: list[EventT] = []
    room = DRAIN_LIMIT
    while room and (transmit := machine.next_transmit()) is not None:
        transmits.append(transmit)
        room -= 1
    while room and (event := machine.next_event()) is not None:
        events.append(event)
        room -= 1
    return Drained(transmits, events, machine.next_timeout())


def drain_stream(machine: StreamMachine[EventT]) -> DrainedStream[EventT]:
    """Take outputs as law 1 wants it: the bytes, every event, then the timeout."""
    data = machine.data_to_send()
    events: list[EventT] = []
    while (event := machine.next_event()) is not None:
        events.append(event)
    return DrainedStream(data, events, machine.next_timeout())
