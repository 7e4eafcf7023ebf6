"""A UDP socket that connections of webrtc-direct share: who a datagram is for, one timer for each, and back pressure.

Everything happens in callbacks of the loop; no task is made for a packet. A connection is known by the address its peer
sends from. What comes from elsewhere is judged by `admission.py` where the socket listens, and is lost where it does
not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.machine import DRAIN_LIMIT, Address, Instant, Transmit
from zwerm.libp2p.transports.webrtc_direct.events import Event
from zwerm.libp2p.transports.webrtc_direct.session import Session
from zwerm.net.alarm import Alarm
from zwerm.net.demultiplex import Traffic
from zwerm.net.shared_udp import UdpPorts
from zwerm.net.udp import Batch

ROUNDS: Final = 16  # times that events may bring new outputs before others on the loop have their turn
TRAFFIC: Final = (Traffic.STUN, Traffic.DTLS)

OnStranger = Callable[[Sequence[bytes], Address, Address], None]  # datagrams, from, to


class Port:
    """One socket and the connections on it."""

    def __init__(self, ports: UdpPorts, address: Address, on_stranger: OnStranger | None = None) -> None:
        """Bind.

        Raises:
            TransportError: the address is not ours, or the port is taken.
        """
        self._is_everywhere = address[0] in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        self._socket = ports.open(address, TRAFFIC)
        self._socket.on_batch = self._receive
        self._socket.on_writable = self._writable
        self._on_stranger = on_stranger
        self._drivers: dict[Address, Driver] = {}
        self._blocked: set[Driver] = set()
        self._is_closing = False  # when the last connection is gone

    @property
    def address(self) -> Address:
        return self._socket.address

    @property
    def drivers(self) -> Sequence[Driver]:
        return tuple(self._drivers.values())

    def __len__(self) -> int:
        return len(self._drivers)

    def attach(self, session: Session, remote: Address, on_event: Callable[[Event], None]) -> Driver:
        """Drive `session`, whose peer is at `remote`, until it has ended."""
        driver = self._drivers[remote] = Driver(self, session, remote, on_event)
        return driver

    def deliver(self, datagrams: Sequence[bytes], source: Address, local: Address) -> None:
        """Hand datagrams to the connection with `source`."""
        driver = self._drivers.get(source)
        if driver is not None:
            driver.receive(datagrams, local)

    def send(self, transmit: Transmit) -> None:
        """Send at once, whatever waits."""
        if not self._socket.is_closed:
            self._socket.send(transmit if self._is_everywhere else transmit._replace(source=None))

    def send_for(self, driver: Driver, transmit: Transmit) -> bool:
        """Send; False when the socket is full now: the driver is called when there is room."""
        self.send(transmit)
        if self._socket.is_full:
            self._blocked.add(driver)
            return False
        return True

    @property
    def is_full(self) -> bool:
        return self._socket.is_full

    def detach(self, driver: Driver) -> None:
        """Forget a connection that has ended."""
        if self._drivers.get(driver.remote) is driver:
            del self._drivers[driver.remote]
        self._blocked.discard(driver)
        if self._is_closing and not self._drivers:
            self._socket.close()

    def close_when_idle(self) -> None:
        """Take no strangers any more, and let go of the socket with the last connection."""
        self._on_stranger = None
        self._is_closing = True
        if not self._drivers:
            self._socket.close()

    def _receive(self, batch: Batch) -> None:
        driver = self._drivers.get(batch.source)
        local = self.address if batch.destination is None else (batch.destination, self.address[1])
        if driver is not None:
            driver.receive(batch.datagrams, local)
        elif self._on_stranger is not None:
            self._on_stranger(batch.datagrams, batch.source, local)

    def _writable(self) -> None:
        blocked, self._blocked = self._blocked, set()
        for driver in blocked:
            driver.pump()


class Driver:
    """One session on a port (law 1 of `zwerm.core.machine`)."""

    def __init__(self, port: Port, session: Session, remote: Address, on_event: Callable[[Event], None]) -> None:
        self.session = session
        self.remote = remote
        self._port = port
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._loop, self._wake, time.monotonic)
        self._soon: asyncio.Handle | None = None
        self._is_draining = False
        self._is_over = False

    @property
    def now(self) -> Instant:
        """The instant to call commands with: not the loop's, which in uvloop counts in milliseconds."""
        return time.monotonic()

    def receive(self, datagrams: Sequence[bytes], local: Address) -> None:
        self.session.receive_datagrams(datagrams, self.remote, self.now, local=local)
        self.pump()

    def pump_soon(self) -> None:
        """Pump when the loop comes round: what is written until then goes out together."""
        if self._soon is None and not self._is_draining and not self._is_over:
            self._soon = self._loop.call_soon(self._pump_now)

    def pump(self) -> None:
        """Carry out what the session has to say, and set the timer anew."""
        if self._is_draining or self._is_over:
            return
        self._is_draining = True
        try:
            for _ in range(ROUNDS):
                if self._drain():
                    break
            else:
                self._again()
        finally:
            self._is_draining = False
        if not self._is_over:
            self._alarm.set(self.session.next_timeout())

    def finish(self) -> None:
        """The session has ended: say its last words and let go."""
        if self._is_over:
            return
        self._is_over = True
        while (transmit := self.session.next_transmit()) is not None:
            self._port.send(transmit)
        self._alarm.set(None)
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._port.detach(self)

    def _again(self) -> None:
        if self._soon is None:
            self._soon = self._loop.call_soon(self._pump_now)

    def _pump_now(self) -> None:
        self._soon = None
        self.pump()

    def _drain(self) -> bool:
        """Take one round of outputs; return whether that was all.

        Events go first: what they make their owner send goes out with the acknowledgement of what brought them.
        """
        session = self.session
        for _ in range(DRAIN_LIMIT):
            event = session.next_event()
            if event is None:
                break
            self._on_event(event)
            if self._is_over:
                return True
        if self._port.is_full:
            return True
        for _ in range(DRAIN_LIMIT):
            transmit = session.next_transmit()
            if transmit is None:
                return not session.has_events
            if not self._port.send_for(self, transmit):
                return True
        return False

    def _wake(self) -> None:
        if not self._is_over:
            self.session.handle_timeout(self.now)
            self.pump()
