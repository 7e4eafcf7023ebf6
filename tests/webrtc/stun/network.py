"""A STUN server with two addresses on the virtual network, and a client behind whatever stands before it."""

from tests.sim.clock import VirtualClock
from tests.sim.driver import Driver
from tests.sim.nat import Nat, NatKind
from tests.sim.network import Host, Socket, Wan
from tests.sim.profile import PERFECT, Profile
from zwerm.core.machine import Address
from zwerm.core.random import seeded
from zwerm.webrtc.stun.discovery import Discovered, NatDiscovery
from zwerm.webrtc.stun.server import ServerConfig, StunServer

PRIMARY = ("198.51.100.1", 3478)
ALTERNATE = ("198.51.100.2", 3479)


class ServerHost:
    """Carries out what a STUN server on up to four sockets says."""

    def __init__(self, wan: Wan, config: ServerConfig) -> None:
        self.server = StunServer(config)
        hosts: dict[str, Host] = {}
        self.sockets: dict[Address, Socket] = {}
        for address in config.sockets():
            host = hosts.get(address[0]) or hosts.setdefault(address[0], wan.host(address[0]))
            socket = self.sockets[address] = host.socket(address[1])
            socket.on_receive = lambda data, source, local=address: self.receive(data, source, local)  # type: ignore[misc]

    def receive(self, data: bytes, source: Address, local: Address) -> None:
        self.server.receive_datagram(data, source, 0.0, local)
        while (transmit := self.server.next_transmit()) is not None:
            assert transmit.source is not None
            self.sockets[transmit.source].send(transmit.data, transmit.destination)


def discover(
    kind: NatKind | None,
    config: ServerConfig | None,
    *,
    profile: Profile = PERFECT,
    seed: int = 0,
    addresses: tuple[str, ...] = ("203.0.113.1",),
) -> tuple[Discovered, float]:
    """Run a discovery to its end; what it found, and how long it took."""
    clock = VirtualClock()
    wan = Wan(clock, seed=seed)
    if config is not None:
        ServerHost(wan, config)
    if kind is None:
        socket = wan.host("203.0.113.9", profile=profile).socket(5_000)
    else:
        home = wan.lan(Nat(addresses, kind, seed=seed), profile=profile)
        socket = home.host("192.168.0.2").socket(5_000)
    machine = NatDiscovery(PRIMARY, socket.address, now=clock.now, random=seeded(seed, "discovery"))
    driver: Driver[Discovered] = Driver(clock, machine, socket)
    while not driver.events and clock.step():
        pass
    assert len(driver.events) == 1
    return driver.events[0], clock.now
