"""A UDP socket that connections of webrtc-direct share: who a datagram is for, one timer for each, and back pressure.

Everything happens in callbacks of the loop; no task is made for a packet. A connection is known by the address its peer
sends from. What comes from elsewhere is judged by `admission.py` where the socket listens, and is lost where it does
not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.machine import Address, Transmit
from zwerm.libp2p.transports.session_driver import SessionDriver
from zwerm.libp2p.transports.webrtc_direct.events import Event
from zwerm.libp2p.transports.webrtc_direct.session import Session
from zwerm.net.demultiplex import Traffic
from zwerm.net.shared_udp import UdpPorts
from zwerm.net.udp import Batch

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

    def has_room(self, driver: Driver) -> bool:
        """Whether the socket takes something; if not, the driver is called when it does."""
        if self._socket.is_full:
            self._blocked.add(driver)
        return not self._socket.is_full

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


class Driver(SessionDriver[Session, Event]):
    """One session on a port."""

    def __init__(self, port: Port, session: Session, remote: Address, on_event: Callable[[Event], None]) -> None:
        super().__init__(session, on_event)
        self.remote = remote
        self._port = port

    def receive(self, datagrams: Sequence[bytes], local: Address) -> None:
        self.session.receive_datagrams(datagrams, self.remote, self.now, local=local)
        self.pump()

    def _has_room(self) -> bool:
        return self._port.has_room(self)

    def _send(self, transmit: Transmit) -> bool:
        return self._port.send_for(self, transmit)

    def _let_go(self) -> None:
        self._port.detach(self)
