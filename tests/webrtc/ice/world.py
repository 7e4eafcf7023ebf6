"""Agents on a simulated network, with the signaling between them: the shell that `aio.py` is on real sockets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.sim.clock import Call, VirtualClock
from tests.sim.network import Host, Socket
from tests.webrtc.ice.small_turn import SmallTurnServer, StreamClient
from zwerm.core.machine import Address, drain
from zwerm.core.random import seeded
from zwerm.core.trace import Recorder
from zwerm.webrtc.ice.address_policy import LOOPBACK
from zwerm.webrtc.ice.agent import Agent
from zwerm.webrtc.ice.candidate import Candidate, TcpType
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.events import (
    CandidateGathered,
    CloseStream,
    ConnectionState,
    ConnectionStateChanged,
    DataReceived,
    Event,
    GatheringState,
    GatheringStateChanged,
    OpenStream,
    RegisterName,
    ResolveName,
    SelectedPairChanged,
    SendStream,
)
from zwerm.webrtc.ice.relay import MakeRelay

EventT = TypeVar("EventT")

CONNECTED = (ConnectionState.CONNECTED, ConnectionState.COMPLETED)
STUN = ("198.51.100.1", 3478)


class Air:
    """What hosts of one link share beside datagrams: multicast names and TCP."""

    def __init__(self, clock: VirtualClock, latency: float = 0.001) -> None:
        self.clock = clock
        self.latency = latency
        self.names: dict[str, str] = {}
        self.listening: dict[Address, Peer] = {}
        self.connections: dict[tuple[int, int], tuple[Peer, int]] = {}  # (id of a peer, stream) -> the other end
        self.servers: dict[Address, SmallTurnServer] = {}
        self.clients: dict[tuple[int, int], StreamClient] = {}
        self.may_connect: Callable[[Peer, Address], bool] = lambda peer, remote: True

    def later(self, action: Callable[[], object]) -> None:
        self.clock.call_later(self.latency, action)


class Peer:
    """One agent, its sockets, and what became of it."""

    def __init__(
        self,
        clock: VirtualClock,
        hosts: Sequence[Host],
        role: Role,
        config: Config | None = None,
        *,
        name: str = "peer",
        seed: int | str = 0,
        air: Air | None = None,
        make_relay: MakeRelay | None = None,
        **options: Any,
    ) -> None:
        self.clock = clock
        self.name = name
        self.air = air or Air(clock)
        self.events: list[Event] = []
        self.data: list[bytes] = []
        self.gathered: list[Candidate] = []
        self.trace = Recorder()
        self.signal: Callable[[CandidateGathered | GatheringStateChanged], None] = lambda event: None
        self.unclaimed: list[bytes] = []
        self.agent = Agent(
            role,
            config or Config(),
            random=seeded(seed, name),
            make_relay=make_relay,
            trace=self.trace.source(name),
            **options,
        )
        self.sockets: dict[Address, Socket] = {}
        self._timer: Call | None = None
        for host in hosts:
            self.add_host(host)

    def add_host(self, host: Host, port: int = 0) -> Address:
        socket = host.socket(port)
        address = socket.address
        self.sockets[address] = socket

        def receive(data: bytes, source: Address) -> None:
            if not self.agent.receive_datagram(data, source, self.clock.now, local=address):
                self.unclaimed.append(data)
            self.pump()

        socket.on_receive = receive
        self.agent.add_local_address(address, self.clock.now)
        self.pump()
        return address

    def add_tcp(self, host: Host, port: int, tcp_type: TcpType) -> None:
        address = (host.address, port)
        self.agent.add_local_address(address, self.clock.now, tcp_type=tcp_type)
        if tcp_type is not TcpType.ACTIVE:
            self.air.listening[address] = self
        self.pump()

    def remove_host(self, address: Address) -> None:
        self.sockets.pop(address).close()
        self.agent.remove_local_address(address, self.clock.now)
        self.pump()

    def do(self, command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Give the agent a command, with the time, and carry out what follows."""
        result = command(*arguments, self.clock.now, **options)
        self.pump()
        return result

    def gather(self) -> None:
        self.do(self.agent.gather)

    def send(self, data: bytes) -> bool:
        sent: bool = self.do(self.agent.send, data)
        return sent

    def states(self) -> list[ConnectionState]:
        return [event.state for event in self.events if isinstance(event, ConnectionStateChanged)]

    def told(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def pair_types(self) -> tuple[str, str] | None:
        pairs = self.told(SelectedPairChanged)
        return (str(pairs[-1].local.type), str(pairs[-1].remote.type)) if pairs else None

    @property
    def is_connected(self) -> bool:
        return self.agent.state in CONNECTED

    def pump(self) -> None:
        while True:
            drained = drain(self.agent)
            for transmit in drained.transmits:
                socket = self.sockets.get(transmit.source) if transmit.source else None
                if socket is not None:
                    socket.send(transmit.data, transmit.destination)
            for event in drained.events:
                self._take(event)
            if not drained.transmits and not drained.events:
                break
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if drained.timeout is None else self.clock.call_at(drained.timeout, self._wake)

    def _wake(self) -> None:
        self.agent.handle_timeout(self.clock.now)
        self.pump()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        match event:
            case DataReceived(data, _):
                self.data.append(data)
            case CandidateGathered(candidate):
                self.gathered.append(candidate)
                self.signal(event)
            case GatheringStateChanged():
                self.signal(event)
            case RegisterName(name, host):
                self.air.names[name] = host
                self.air.later(lambda: self.do(self.agent.name_registered, name))
            case ResolveName(name):
                self.air.later(lambda: self.do(self.agent.name_resolved, name, self.air.names.get(name)))
            case OpenStream(stream, local, remote):
                self.air.later(lambda: self._connect(stream, local, remote))
            case SendStream(stream, data):
                self._write(stream, data)
            case CloseStream(stream):
                other = self.air.connections.pop((id(self), stream), None)
                if other is not None:
                    self.air.connections.pop((id(other[0]), other[1]), None)
                    self.air.later(lambda: other[0].do(other[0].agent.stream_closed, other[1]))

    def _connect(self, stream: int, local: Address, remote: Address) -> None:
        allowed = self.air.may_connect(self, remote)
        server = self.air.servers.get(remote)
        if server is not None and allowed:

            def write(data: bytes) -> None:
                self.air.later(lambda: self.do(lambda now: self.agent.receive_stream_data(stream, data, now)))

            self.air.clients[id(self), stream] = StreamClient(server, ("203.0.113.99", 1_024 + stream), write)
            self.do(lambda now: self.agent.stream_opened(stream, now))
            return
        listener = self.air.listening.get(remote) if allowed else None
        number = None
        if listener is not None:
            source = (local[0], local[1] or 40_000 + stream)
            number = listener.do(listener.agent.stream_accepted, remote, source)
        if listener is None or number is None:
            self.do(self.agent.stream_closed, stream)
            return
        self.air.connections[id(self), stream] = (listener, number)
        self.air.connections[id(listener), number] = (self, stream)
        self.do(self.agent.stream_opened, stream)

    def _write(self, stream: int, data: bytes) -> None:
        client = self.air.clients.get((id(self), stream))
        if client is not None:
            self.air.later(lambda: client.receive(data))
        other = self.air.connections.get((id(self), stream))
        if other is not None:
            peer, number = other
            half = len(data) // 2  # TCP cuts where it likes
            self.air.later(lambda: peer.do(peer.agent.receive_stream_data, number, data[:half]))
            self.air.later(lambda: peer.do(peer.agent.receive_stream_data, number, data[half:]))


@dataclasses.dataclass
class Signaling:
    """Carries descriptions and candidates between two peers, each way after `delay`."""

    left: Peer
    right: Peer
    delay: float = 0.01
    lite: tuple[bool, bool] = (False, False)

    def __post_init__(self) -> None:
        self._trickle(self.left, self.right)
        self._trickle(self.right, self.left)

    def carry(self, message: Callable[[], object]) -> None:
        """Deliver a description, a candidate or the end of them after `delay`."""
        self.left.clock.call_later(self.delay, message)

    def _trickle(self, source: Peer, target: Peer) -> None:
        def signal(event: CandidateGathered | GatheringStateChanged) -> None:
            if isinstance(event, CandidateGathered):
                candidate = Candidate.from_text(str(event.candidate))
                self.carry(
                    lambda: target.do(lambda now: target.agent.add_remote_candidate(candidate, now, ufrag=event.ufrag))
                )
            elif event.state is GatheringState.COMPLETE:
                ufrag = source.agent.local_credentials.ufrag
                self.carry(lambda: target.do(lambda now: target.agent.end_of_candidates(now, ufrag=ufrag)))

        source.signal = signal

    def describe(self, source: Peer, target: Peer) -> None:
        """Bring the credentials of `source` to `target`."""
        credentials, options = source.agent.local_credentials, source.agent.options
        lite = self.lite[0] if source is self.left else self.lite[1]
        self.carry(lambda: target.do(lambda now: target.agent.set_remote(credentials, now, lite=lite, options=options)))

    def offer_answer(self, offerer: Peer | None = None) -> None:
        """The offerer gathers and offers; the answerer answers when that comes, and gathers."""
        offerer = offerer or self.left
        answerer = self.right if offerer is self.left else self.left
        clock = offerer.clock
        self.describe(offerer, answerer)
        offerer.gather()

        def answer() -> None:
            self.describe(answerer, offerer)
            answerer.gather()

        clock.call_later(self.delay, answer)


def run_until(clock: VirtualClock, condition: Callable[[], bool], limit: float) -> float:
    """Run the clock until `condition` holds, and return how long that took."""
    start = clock.now
    while not condition():
        due = clock.next_call()
        assert due is not None, f"nothing is left to happen after {clock.now - start} s"
        assert due <= start + limit, f"not within {limit} s"
        clock.step()
    return clock.now - start


def loopback() -> Config:
    return Config(allowed_networks=LOOPBACK)
