"""Drives one machine as its real driver would: datagrams and time in, datagrams out, one timer.

It obeys law 1 of `zwerm.core.machine` to the letter, so a machine that works only when somebody drains it in another
order fails here.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from tests.sim.clock import Call, VirtualClock
from tests.sim.network import Socket
from tests.sim.pipe import Pipe
from zwerm.core.machine import Address, DatagramMachine, StreamMachine, drain, drain_stream

EventT = TypeVar("EventT")


class Driver(Generic[EventT]):
    """A datagram machine on a socket. After a command of the caller's own, `pump`."""

    def __init__(self, clock: VirtualClock, machine: DatagramMachine[EventT], socket: Socket) -> None:
        self.machine = machine
        self.events: list[EventT] = []  # oldest first; the caller may take from it
        self.unclaimed = 0  # datagrams that the machine said are not for it
        self._clock = clock
        self._socket = socket
        self._timer: Call | None = None
        socket.on_receive = self._receive
        self.pump()

    def pump(self) -> None:
        """Carry out what the machine has to say, and set the timer anew."""
        while True:
            drained = drain(self.machine)
            for transmit in drained.transmits:
                for datagram in transmit.datagrams():
                    self._socket.send(datagram, transmit.destination)
            self.events += drained.events
            if drained.is_whole:
                break
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if drained.timeout is None else self._clock.call_at(drained.timeout, self._wake)

    def _receive(self, data: bytes, source: Address) -> None:
        if not self.machine.receive_datagram(data, source, self._clock.now):
            self.unclaimed += 1
        self.pump()

    def _wake(self) -> None:
        self.machine.handle_timeout(self._clock.now)
        self.pump()


class StreamDriver(Generic[EventT]):
    """A stream machine between two pipes: the one it writes to, the one it reads from."""

    def __init__(self, clock: VirtualClock, machine: StreamMachine[EventT], way_out: Pipe, way_in: Pipe) -> None:
        self.machine = machine
        self.events: list[EventT] = []  # oldest first; the caller may take from it
        self._clock = clock
        self._way_out = way_out
        self._timer: Call | None = None
        way_in.on_data = self._receive
        way_in.on_eof = self._receive_eof
        self.pump()

    def pump(self) -> None:
        """Carry out what the machine has to say, and set the timer anew."""
        drained = drain_stream(self.machine)
        if drained.data:
            self._way_out.send(drained.data)
        self.events += drained.events
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if drained.timeout is None else self._clock.call_at(drained.timeout, self._wake)

    def _receive(self, data: bytes) -> None:
        self.machine.receive_data(data, self._clock.now)
        self.pump()

    def _receive_eof(self) -> None:
        self.machine.receive_eof(self._clock.now)
        self.pump()

    def _wake(self) -> None:
        self.machine.handle_timeout(self._clock.now)
        self.pump()
