"""Networks, hosts and sockets: an internet (`Wan`), homes behind translators (`Lan`), homes behind homes.

    wan = Wan(clock, seed=7)
    server = wan.host("198.51.100.1")
    home = wan.lan(Nat(("203.0.113.1",), SYMMETRIC), profile=CELLULAR)
    phone = home.host("192.168.0.2", profile=WIFI).socket()
    phone.send(b"hello", server.socket(3478).address)

Each host hangs on its network by two links, up and down; the network between is perfect. A `Lan` hangs on the outside
in the same way, so a datagram from home passes the host's link up, the translator, the home's link up and the
receiver's link down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from tests.sim.clock import VirtualClock
from tests.sim.link import Link
from tests.sim.nat import Nat
from tests.sim.profile import PERFECT, Profile
from zwerm.core.machine import Address

FIRST_EPHEMERAL_PORT: Final = 49_152  # RFC 6335 section 6
MAX_HOPS: Final = 16  # networks a datagram passes, so that one sent in a circle of translators ends


class Datagram(NamedTuple):
    """What travels."""

    source: Address
    destination: Address
    data: bytes
    hops: int = 0  # networks passed


class Interface:
    """Where a host or a translator hangs on a network: a link up and a link down."""

    def __init__(self, network: Network, receive: Callable[[Datagram], None], profile: Profile, seed: str) -> None:
        self.up = Link(network.clock, network.route, profile, seed=f"{seed}/up")
        self.down = Link(network.clock, receive, profile, seed=f"{seed}/down")
        self._profiles = (profile, profile)
        self._is_cut = False

    def send(self, datagram: Datagram) -> None:
        self.up.send(datagram, len(datagram.data))

    def deliver(self, datagram: Datagram) -> None:
        self.down.send(datagram, len(datagram.data))

    def cut(self) -> None:
        """Lose everything both ways until `mend`; what is on its way arrives."""
        if not self._is_cut:
            self._is_cut, self._profiles = True, (self.up.profile, self.down.profile)
            self.up.profile = self.down.profile = Profile(loss=1.0)

    def mend(self) -> None:
        """Undo `cut`."""
        if self._is_cut:
            self._is_cut = False
            self.up.profile, self.down.profile = self._profiles


class Network:
    """Hosts that reach each other by address. What it does not know goes outside, where there is one."""

    def __init__(self, clock: VirtualClock, *, seed: int | str = 0) -> None:
        self.clock = clock
        self.dropped: Counter[str] = Counter()  # datagrams that no link lost: why they came nowhere
        self._seed = f"{seed}"
        self._interfaces: dict[str, Interface] = {}

    def host(self, address: str, *, profile: Profile = PERFECT) -> Host:
        """Add a host of one address."""
        host = Host(address)
        host.interface = self.attach((address,), host.receive, profile)
        return host

    def lan(self, nat: Nat, *, profile: Profile = PERFECT) -> Lan:
        """Add a network behind `nat`, which hangs on this one by links of `profile`."""
        return Lan(self, nat, profile=profile, seed=f"{self._seed}/{nat.addresses[0]}")

    def attach(self, addresses: tuple[str, ...], receive: Callable[[Datagram], None], profile: Profile) -> Interface:
        """Give `addresses` to whoever takes datagrams by `receive`."""
        taken = [address for address in addresses if address in self._interfaces]
        if taken:
            raise ValueError(f"address {taken[0]} is taken")
        interface = Interface(self, receive, profile, f"{self._seed}/{addresses[0]}")
        self._interfaces |= dict.fromkeys(addresses, interface)
        return interface

    def detach(self, address: str) -> None:
        """Take a host away. What is on its way to it is dropped when it arrives here."""
        del self._interfaces[address]

    def route(self, datagram: Datagram) -> None:
        """Bring a datagram that came up one link to the link down to its destination."""
        interface = self._interfaces.get(datagram.destination[0])
        if interface is not None:
            interface.deliver(datagram)
        elif datagram.hops >= MAX_HOPS:
            self.dropped["too many networks"] += 1
        else:
            self._route_outside(datagram._replace(hops=datagram.hops + 1))

    def _route_outside(self, datagram: Datagram) -> None:
        self.dropped[f"no host {datagram.destination[0]}"] += 1


class Wan(Network):
    """The network that has no outside."""


class Lan(Network):
    """A network behind a translator."""

    def __init__(self, outside: Network, nat: Nat, *, profile: Profile = PERFECT, seed: int | str = 0) -> None:
        super().__init__(outside.clock, seed=seed)
        self.nat = nat
        self.uplink = outside.attach(nat.addresses, self._receive_from_outside, profile)

    def _route_outside(self, datagram: Datagram) -> None:
        source = self.nat.outbound(datagram.source, datagram.destination, self.clock.now)
        if source is None:
            self.dropped["no port left"] += 1
            return
        datagram = datagram._replace(source=source)
        if datagram.destination[0] not in self.nat.addresses:
            self.uplink.send(datagram)
        elif self.nat.kind.hairpinning:
            self._receive_from_outside(datagram)
        else:
            self.dropped["no hairpinning"] += 1

    def _receive_from_outside(self, datagram: Datagram) -> None:
        inside = self.nat.inbound(datagram.source, datagram.destination, self.clock.now)
        if inside is None:
            self.dropped["filtered"] += 1
            return
        self.route(datagram._replace(destination=inside, hops=datagram.hops + 1))


class Host:
    """A machine with one address and sockets on its ports."""

    interface: Interface  # set when it is attached

    def __init__(self, address: str) -> None:
        self.address = address
        self.refused = 0  # datagrams to ports where nobody listens
        self._sockets: dict[int, Socket] = {}

    def socket(self, port: int = 0) -> Socket:
        """Open a socket; port 0 asks for a free one."""
        if port == 0:
            port = next(number for number in range(FIRST_EPHEMERAL_PORT, 65_536) if number not in self._sockets)
        if port in self._sockets:
            raise ValueError(f"port {port} of {self.address} is taken")
        socket = self._sockets[port] = Socket(self, port)
        return socket

    def close(self, socket: Socket) -> None:
        del self._sockets[socket.address[1]]

    def receive(self, datagram: Datagram) -> None:
        socket = self._sockets.get(datagram.destination[1])
        if socket is None:
            self.refused += 1
        else:
            socket.receive(datagram)


class Socket:
    """A UDP socket. Datagrams go to `on_receive`, or wait in `received` while there is none."""

    def __init__(self, host: Host, port: int) -> None:
        self.address: Address = (host.address, port)
        self.on_receive: Callable[[bytes, Address], None] | None = None
        self.received: list[tuple[bytes, Address]] = []
        self._host = host

    def send(self, data: bytes, destination: Address) -> None:
        self._host.interface.send(Datagram(self.address, destination, data))

    def receive(self, datagram: Datagram) -> None:
        if self.on_receive is None:
            self.received.append((datagram.data, datagram.source))
        else:
            self.on_receive(datagram.data, datagram.source)

    def close(self) -> None:
        """Free the port. What arrives from now on is refused."""
        self._host.close(self)
