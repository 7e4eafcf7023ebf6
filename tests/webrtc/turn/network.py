"""A TURN server on the virtual network, and clients and peers around it."""

from __future__ import annotations

from tests.sim.clock import Call, VirtualClock
from tests.sim.driver import Driver
from tests.sim.network import Network, Socket, Wan
from zwerm.core.machine import Address, DatagramMachine
from zwerm.core.random import seeded
from zwerm.webrtc.stun.address import family_of
from zwerm.webrtc.stun.attributes import ERROR_CODE, REQUESTED_TRANSPORT, Attribute
from zwerm.webrtc.stun.message import Message, Method, request
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.authentication import Authentication
from zwerm.webrtc.turn.client import TurnClient
from zwerm.webrtc.turn.config import AllocationConfig
from zwerm.webrtc.turn.credentials import Credential, Users
from zwerm.webrtc.turn.events import Event
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.config import FiveTuple, RelayHost, TurnServerConfig
from zwerm.webrtc.turn.server.opening import OpenRelay
from zwerm.webrtc.turn.server.server import TurnServer

SERVER: Address = ("198.51.100.1", 3478)
RELAY_IPV6 = "2001:db8::1"
PEER: Address = ("203.0.113.7", 7_000)
ALICE = Credential("alice", "wonder")
BOB = Credential("bob", "builder")
UDP = REQUESTED_TRANSPORT(17)
TRANSACTION_ID = bytes(range(12))
USERS = Users("zwerm", {"alice": "wonder", "bob": "builder"})
POLICY = PeerPolicy([parse_network("203.0.113.0/24"), parse_network("2001:db8:1::/48")])
UNIX_TIME = 1_700_000_000.0


def config(**changes: object) -> TurnServerConfig:
    values: dict[str, object] = {
        "listening": (SERVER,),
        "relays": (RelayHost(SERVER[0]), RelayHost(RELAY_IPV6)),
        "ports": range(50_000, 51_000),
        "peers": POLICY,
    }
    return TurnServerConfig(**(values | changes))  # type: ignore[arg-type]


class TurnHost:
    """Carries out what a TURN server says, on sockets of the virtual network."""

    def __init__(self, wan: Wan, server_config: TurnServerConfig, users: Users = USERS) -> None:
        self.clock = wan.clock
        self.server = TurnServer(
            server_config, users, now=self.clock.now, random=seeded("turn server"), unix_offset=UNIX_TIME
        )
        self.hosts = {relay.local: wan.host(relay.local) for relay in server_config.relays}
        self.taken_ports: set[int] = set()  # where opening a socket fails
        self.opened: list[Address] = []
        self.whole: list[bytes] = []  # what nobody may fragment
        self._sockets: dict[Address, Socket] = {}
        self._timer: Call | None = None
        for address in server_config.listening:
            self._open(address).on_receive = lambda data, source, local=address: self._receive(data, source, local)  # type: ignore[misc]

    @property
    def relays(self) -> list[Address]:
        """Relay sockets that are open."""
        return [address for address in self._sockets if address[1] >= 50_000]

    def pump(self) -> None:
        while (event := self.server.next_event()) is not None:
            if not isinstance(event, OpenRelay):
                self._sockets.pop(event.local).close()
            elif event.local[1] in self.taken_ports:
                self.server.relay_failed(event.local, self.clock.now)
            else:
                self.opened.append(event.local)
                self._open(event.local).on_receive = lambda data, source, relay=event.local: self._from_peer(
                    relay, data, source
                )  # type: ignore[misc]
                self.server.relay_opened(event.local, self.clock.now)
        while (transmit := self.server.next_transmit()) is not None:
            assert transmit.source is not None
            for data in transmit.datagrams():
                self._sockets[transmit.source].send(data, transmit.destination)
        while (transmit := self.server.next_whole()) is not None:
            assert transmit.source is not None
            self.whole.append(transmit.data)
            self._sockets[transmit.source].send(transmit.data, transmit.destination)
        if self._timer is not None:
            self._timer.cancel()
        due = self.server.next_timeout()
        self._timer = None if due is None else self.clock.call_at(due, self._wake)

    def _open(self, address: Address) -> Socket:
        socket = self._sockets[address] = self.hosts[address[0]].socket(address[1])
        return socket

    def _receive(self, data: bytes, source: Address, local: Address) -> None:
        self.server.receive_from_client([data], FiveTuple(Transport.UDP, source, local), self.clock.now)
        self.pump()

    def _from_peer(self, relay: Address, data: bytes, source: Address) -> None:
        self.server.receive_from_peer(relay, [data], source, self.clock.now)
        self.pump()

    def _wake(self) -> None:
        self.server.handle_timeout(self.clock.now)
        self.pump()


class Client:
    """A TURN client on the virtual network."""

    def __init__(
        self,
        network: Network,
        host: str,
        *,
        credential: Credential = ALICE,
        allocation: AllocationConfig | None = None,
        port: int = 0,
        server: Address = SERVER,
    ) -> None:
        self.clock = network.clock
        self.socket = network.host(host).socket(port)
        self.machine = TurnClient(
            server, credential, now=self.clock.now, random=seeded("client", host, port), config=allocation
        )
        machine: DatagramMachine[Event] = self.machine
        self.driver: Driver[Event] = Driver(self.clock, machine, self.socket)

    @property
    def relayed(self) -> Address:
        return self.machine.relayed[0]

    def send(self, data: bytes, peer: Address) -> None:
        self.machine.send(data, peer, self.clock.now)
        self.driver.pump()

    def permit(self, *hosts: str) -> None:
        self.machine.permit(hosts, self.clock.now)
        self.driver.pump()

    def bind(self, peer: Address) -> None:
        self.machine.bind_channel(peer, self.clock.now)
        self.driver.pump()

    def close(self) -> None:
        self.machine.close(self.clock.now)
        self.driver.pump()

    def take(self) -> list[Event]:
        """Let a second pass; the events until then."""
        self.clock.run_for(1.0)
        events, self.driver.events = self.driver.events, []
        return events


class Raw:
    """A client that says whatever the test wants."""

    def __init__(self, lab: Lab, host: str, credential: Credential = ALICE) -> None:
        self.socket = lab.wan.host(host).socket(4_000)
        self.authentication = Authentication(credential)
        self._lab = lab
        self._random = seeded("raw", host)

    def send(self, data: bytes) -> None:
        self.socket.send(data, SERVER)
        self._lab.clock.run_for(0.0)

    def take(self) -> list[bytes]:
        received, self.socket.received = self.socket.received, []
        return [data for data, _ in received]

    def ask(self, method: Method, *attributes: Attribute, transaction_id: bytes | None = None) -> Message | None:
        """Send a request, sealed once the server has asked for it; the answer, or None."""
        message = request(method, transaction_id or self._random.randbytes(12), *attributes)
        self.send(self.authentication.seal(message))
        answers = self.take()
        return Message.parse(answers[-1]) if answers else None

    def log_in(self) -> None:
        """Have a nonce."""
        challenge = self.ask(Method.REFRESH)
        assert challenge is not None
        self.authentication.receive_challenge(challenge)

    def allocate(self, *attributes: Attribute) -> Message | None:
        if not self.authentication.is_challenged:
            self.log_in()
        return self.ask(Method.ALLOCATE, *(attributes or (REQUESTED_TRANSPORT(17),)))


def code_of(response: Message | None) -> int:
    """The error code, 0 for success, -1 for no answer."""
    if response is None:
        return -1
    error = response.find(ERROR_CODE)
    return error.code if error is not None else 0


class Lab:
    """A server, a client that has its allocation, and a peer."""

    def __init__(self, users: Users = USERS, **changes: object) -> None:
        self.clock = VirtualClock()
        self.wan = Wan(self.clock)
        self.host = TurnHost(self.wan, config(**changes), users)
        self.peer = self.wan.host(PEER[0]).socket(PEER[1])

    def raw(self, host: str = "192.0.2.20", credential: Credential = ALICE) -> Raw:
        return Raw(self, host, credential)

    def client(self, host: str = "192.0.2.9", **options: object) -> Client:
        client = Client(self.wan, host, **options)  # type: ignore[arg-type]
        self.clock.run_for(1.0)
        return client


def family(address: Address) -> int:
    return family_of(address[0])


def allocated(lab: Lab, host: str = "192.0.2.20", credential: Credential = ALICE) -> Raw:
    raw = lab.raw(host, credential)
    assert code_of(raw.allocate()) == 0
    return raw
