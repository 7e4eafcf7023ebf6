"""A UDP socket that QUIC connections share: who a packet is for by its connection ID, a timer for each, back pressure.

Everything happens in callbacks of the loop; no task is made for a packet. What carries no connection ID that is known
is judged by `admission.py` where the socket listens, and is lost where it does not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from zwerm.core.machine import DRAIN_LIMIT, Address, Instant, Transmit
from zwerm.libp2p.transports.quic.events import ConnectionIdIssued, ConnectionIdRetired, Event
from zwerm.libp2p.transports.quic.packet import destination_untrusted
from zwerm.net.alarm import Alarm
from zwerm.net.demultiplex import Traffic
from zwerm.net.shared_udp import UdpPorts
from zwerm.net.udp import Batch

if TYPE_CHECKING:
    from zwerm.libp2p.transports.quic.session import Session

ROUNDS: Final = 16  # times that events may bring new outputs before others on the loop have their turn
TRAFFIC: Final = (Traffic.QUIC, Traffic.TURN_CHANNEL)  # nobody here has a TURN server: RFC 9443 section 3

OnStranger = Callable[[bytes, Address, Address], None]  # datagram, from, to


class Port:
    """One socket and the connections on it."""

    def __init__(self, ports: UdpPorts, address: Address, on_stranger: OnStranger | None = None) -> None:
        """Bind.

        Raises:
            TransportError: the address is not ours, or the port is taken.
        """
        self.is_everywhere = address[0] in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        self._socket = ports.open(address, TRAFFIC)
        self._socket.on_batch = self._receive
        self._socket.on_writable = self._writable
        self._on_stranger = on_stranger
        self._by_id: dict[bytes, Driver] = {}
        self._drivers: dict[Driver, None] = {}
        self._blocked: dict[Driver, None] = {}
        self._is_closing = False  # when the last connection is gone

    @property
    def address(self) -> Address:
        return self._socket.address

    @property
    def drivers(self) -> Sequence[Driver]:
        return tuple(self._drivers)

    @property
    def is_closing(self) -> bool:
        return self._is_closing

    @property
    def is_full(self) -> bool:
        return self._socket.is_full

    def __len__(self) -> int:
        return len(self._drivers)

    def attach(self, session: Session, remote: Address, on_event: Callable[[Event], None]) -> Driver:
        """Drive `session`, whose peer is at `remote` as far as is known, until it has ended."""
        driver = Driver(self, session, remote, on_event)
        self._drivers[driver] = None
        return driver

    def know(self, connection_id: bytes, driver: Driver) -> None:
        """Hand packets with this connection ID to `driver`."""
        self._by_id.setdefault(connection_id, driver)
        driver.ids.add(connection_id)

    def forget(self, connection_id: bytes, driver: Driver) -> None:
        driver.ids.discard(connection_id)
        if self._by_id.get(connection_id) is driver:
            del self._by_id[connection_id]

    def send(self, transmit: Transmit) -> None:
        """Send at once, whatever waits."""
        if not self._socket.is_closed:
            self._socket.send(transmit)

    def send_for(self, driver: Driver, transmit: Transmit) -> bool:
        """Send; False when the socket is full now: the driver is called when there is room."""
        self.send(transmit)
        if self._socket.is_full:
            self._blocked[driver] = None
            return False
        return True

    def block(self, driver: Driver) -> None:
        """Call `driver` when the socket has room."""
        self._blocked[driver] = None

    def detach(self, driver: Driver) -> None:
        """Forget a connection that has ended."""
        for connection_id in tuple(driver.ids):
            self.forget(connection_id, driver)
        self._drivers.pop(driver, None)
        self._blocked.pop(driver, None)
        self._close_if_idle()

    def mark_closing(self) -> None:
        """Let go of the socket with the last connection, which is still to come."""
        self._is_closing = True

    def close_when_idle(self) -> None:
        """Take no strangers any more, and let go of the socket with the last connection."""
        self._on_stranger = None
        self._is_closing = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._is_closing and not self._drivers:
            self._socket.close()

    def _receive(self, batch: Batch) -> None:
        """Hand on what came, in runs that are for one connection."""
        datagrams, source = batch.datagrams, batch.source
        local = self.address if batch.destination is None else (batch.destination, self.address[1])
        run: list[bytes] = []
        owner: Driver | None = None
        for data in datagrams:
            known = self._by_id.get(destination_untrusted(data) or b"")
            if known is not owner and run and owner is not None:
                owner.receive(run, source, local)
                run = []
            owner = known
            if known is not None:
                run.append(data)
            elif self._on_stranger is not None:
                self._on_stranger(data, source, local)
        if run and owner is not None:
            owner.receive(run, source, local)

    def _writable(self) -> None:
        blocked, self._blocked = self._blocked, {}
        for driver in blocked:
            driver.pump()


class Driver:
    """One session on a port (law 1 of `zwerm.core.machine`)."""

    def __init__(self, port: Port, session: Session, remote: Address, on_event: Callable[[Event], None]) -> None:
        self.session = session
        self.remote = remote
        self.ids: set[bytes] = set()  # of packets that are for it
        self._local: Address | None = None  # where packets came to, where the socket has several addresses
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

    def receive(self, datagrams: Sequence[bytes], source: Address, local: Address) -> None:
        if self._port.is_everywhere:
            self._local = local
        self.session.receive_datagrams(datagrams, source, self.now)
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
            self._port.send(transmit._replace(source=self._local))
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
            match event:
                case ConnectionIdIssued(connection_id):
                    self._port.know(connection_id, self)
                case ConnectionIdRetired(connection_id):
                    self._port.forget(connection_id, self)
                case _:
                    self._on_event(event)
            if self._is_over:
                return True
        if self._port.is_full:
            self._port.block(self)
            return True
        for _ in range(DRAIN_LIMIT):
            transmit = session.next_transmit()
            if transmit is None:
                return not session.has_events
            if self._local is not None:
                transmit = transmit._replace(source=self._local)
            if not self._port.send_for(self, transmit):
                return True
        return False

    def _wake(self) -> None:
        if not self._is_over:
            self.session.handle_timeout(self.now)
            self.pump()
