"""A UDP socket that QUIC connections share: who a packet is for by its connection ID, a timer for each, back pressure.

Everything happens in callbacks of the loop; no task is made for a packet. What carries no connection ID that is known
is judged by `admission.py` where the socket listens, and is lost where it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from zwerm.core.machine import Address, Transmit
from zwerm.libp2p.transports.quic.events import ConnectionIdIssued, ConnectionIdRetired, Event
from zwerm.libp2p.transports.quic.packet import destination_untrusted
from zwerm.libp2p.transports.session_driver import SessionDriver
from zwerm.net.demultiplex import Traffic
from zwerm.net.shared_udp import UdpPorts
from zwerm.net.udp import Batch

if TYPE_CHECKING:
    from zwerm.libp2p.transports.quic.session import Session

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

    def has_room(self, driver: Driver) -> bool:
        """Whether the socket takes something; if not, the driver is called when it does."""
        if self._socket.is_full:
            self._blocked[driver] = None
        return not self._socket.is_full

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


class Driver(SessionDriver["Session", Event]):
    """One session on a port."""

    def __init__(self, port: Port, session: Session, remote: Address, on_event: Callable[[Event], None]) -> None:
        super().__init__(session, on_event)
        self.remote = remote
        self.ids: set[bytes] = set()  # of packets that are for it
        self._local: Address | None = None  # where packets came to, where the socket has several addresses
        self._port = port

    def receive(self, datagrams: Sequence[bytes], source: Address, local: Address) -> None:
        if self._port.is_everywhere:
            self._local = local
        self.session.receive_datagrams(datagrams, source, self.now)
        self.pump()

    def _tell(self, event: Event) -> None:
        match event:
            case ConnectionIdIssued(connection_id):
                self._port.know(connection_id, self)
            case ConnectionIdRetired(connection_id):
                self._port.forget(connection_id, self)
            case _:
                self._on_event(event)

    def _has_room(self) -> bool:
        return self._port.has_room(self)

    def _send(self, transmit: Transmit) -> bool:
        if self._local is not None:
            transmit = transmit._replace(source=self._local)
        return self._port.send_for(self, transmit)

    def _let_go(self) -> None:
        self._port.detach(self)
