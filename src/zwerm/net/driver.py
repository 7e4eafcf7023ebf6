"""Drives a datagram machine on a real socket: bytes and time in, bytes and events out (`docs/sans-io.md`).

The laws of `zwerm.core.machine` are kept here, in one place, for every protocol: one mutation, then drain, the timeout
last; one timer; no task for a packet. `tests/sim/driver.py` does the same on a virtual network, so a machine that runs
there runs here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from zwerm.core.machine import DRAIN_LIMIT, BatchDatagramMachine, DatagramMachine, Instant, drain
from zwerm.net.alarm import Alarm
from zwerm.net.udp import Batch, UdpSocket, ignore_batch, ignore_writable

ROUNDS: Final = 16  # times that events may bring new outputs before others on the loop have their turn

EventT = TypeVar("EventT")


class Driver(Generic[EventT]):
    """One machine on one socket.

    After a command of the caller's own, `pump`. Commands may be called, and `pump` as well, from `on_event`: what they
    bring is carried out when the callback has returned.
    """

    def __init__(
        self,
        machine: DatagramMachine[EventT],
        socket: UdpSocket,
        on_event: Callable[[EventT], None],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Attach to the socket, and carry out what the machine has to say already.

        The machine was made with the loop's `time()` as its `now`. The socket stays the caller's to close.
        """
        self.machine = machine
        self.unclaimed = 0  # datagrams that the machine said are not for it
        self._socket = socket
        self._on_event = on_event
        self._loop = loop or asyncio.get_running_loop()
        self._batch_machine: BatchDatagramMachine[EventT] | None = (
            machine if hasattr(machine, "receive_datagrams") else None  # type: ignore[assignment]
        )
        self._alarm = Alarm(self._loop, self._wake)
        self._continuation: asyncio.Handle | None = None
        self._is_draining = False
        self._is_closed = False
        socket.on_batch = self._receive
        socket.on_writable = self.pump
        self.pump()

    @property
    def now(self) -> Instant:
        """The instant to call commands with."""
        return self._loop.time()

    def pump(self) -> None:
        """Carry out what the machine has to say, and set the timer anew."""
        if self._is_closed or self._is_draining:
            return
        self._is_draining = True
        try:
            for _ in range(ROUNDS):
                if self._drain():
                    break
            else:
                if self._continuation is None:  # let others on the loop have their turn
                    self._continuation = self._loop.call_soon(self._continue)
        finally:
            self._is_draining = False
        if self._continuation is None and not self._is_closed:
            self._alarm.set(self.machine.next_timeout())

    def _drain(self) -> bool:
        """Take one round of outputs; return whether that was all, as callbacks may have called commands."""
        machine, socket = self.machine, self._socket
        room = DRAIN_LIMIT
        while room and not socket.is_full and (transmit := machine.next_transmit()) is not None:
            if not socket.is_closed:
                socket.send(transmit)
            room -= 1
        is_quiet = True
        while room and (event := machine.next_event()) is not None:
            is_quiet = False
            self._on_event(event)
            if self._is_closed:
                return True
            room -= 1
        return is_quiet and room > 0

    def _continue(self) -> None:
        self._continuation = None
        self.pump()

    def _receive(self, batch: Batch) -> None:
        self._finish_draining()
        now, source, datagrams = self._loop.time(), batch.source, batch.datagrams
        if self._batch_machine is not None:
            self.unclaimed += len(datagrams) - self._batch_machine.receive_datagrams(datagrams, source, now)
            self.pump()
            return
        for datagram in datagrams:
            if self._is_closed:
                return
            self.unclaimed += not self.machine.receive_datagram(datagram, source, now)
            self.pump()
            self._finish_draining()

    def _wake(self) -> None:
        self._finish_draining()
        if not self._is_closed:
            self.machine.handle_timeout(self._loop.time())
            self.pump()

    def _finish_draining(self) -> None:
        """Law 1: before the next mutation the machine is empty, or the socket is full."""
        while self._continuation is not None and not self._is_closed:
            self._continuation.cancel()
            self._continuation = None
            self.pump()

    def close(self) -> None:
        """Carry out what is left, once, and let go of socket and machine. No event comes afterwards; twice is harmless.

        A machine that says goodbye is told to before: `machine.close(); driver.close()`.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if not self._socket.is_closed:
            for transmit in drain(self.machine).transmits:
                self._socket.send(transmit)
        self._alarm.set(None)
        if self._continuation is not None:
            self._continuation.cancel()
            self._continuation = None
        if self._socket.on_batch == self._receive:
            self._socket.on_batch = ignore_batch
            self._socket.on_writable = ignore_writable
