"""A DHT of thousands of nodes in one process, on virtual time.

Every node is the real machine, and what passes between them are the real bytes. What is modelled is the world around:
who is there when, how far one is from another, and who lies. A node comes to life when somebody first asks it, with a
table as its last refresh left it: each bucket `k` of those that were there then, drawn by the seed. So a hundred
thousand nodes cost what the look-ups touch.
"""

from __future__ import annotations

import bisect
import dataclasses
import enum
import math
from collections import Counter
from typing import Final

from tests.sim.clock import Call, VirtualClock
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError
from zwerm.core.machine import Instant
from zwerm.core.random import Random, seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.address_scope import Scope
from zwerm.libp2p.kad.config import KadConfig
from zwerm.libp2p.kad.dht import Dht, Event, Request
from zwerm.libp2p.kad.key import BITS, Key, key_of
from zwerm.libp2p.kad.message import Message, MessageType, Peer
from zwerm.libp2p.kad.query import Result
from zwerm.libp2p.kad.routing_table import Node

CONFIG: Final = KadConfig(scope=Scope.ANY, peers_per_group=0)
DIAL_TIMEOUT: Final = 5.0  # seconds until a peer that is gone is given up
NEAREST, FARTHEST = 0.01, 0.15  # seconds one way


class Lie(enum.Enum):
    """What a hostile node does with a question."""

    INVENT = "names peers next to the key that do not exist"
    COLLUDE = "names other hostile nodes only"
    GARBAGE = "sends bytes that are no message"
    SILENCE = "never answers"


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """Who is there."""

    size: int
    seed: int = 0
    dead: float = 0.0  # share of the nodes that has gone since all tables were refreshed
    hostile: float = 0.0  # share of the nodes that lies
    session: float = math.inf  # seconds that a node stays, on average; as many come as go
    refresh: float = 600.0  # seconds between the refreshes of a table


def peer_of(random: Random) -> PeerId:
    return PeerId(b"\x12\x20" + random.randbytes(32))


def address_of(number: int) -> bytes:
    """`/ip4/.../tcp/4001`, another one for each node."""
    return b"\x04" + (0x20000000 + number * 257).to_bytes(4, "big") + b"\x06\x0f\xa1"


class Resident:
    """A node that has come to life."""

    __slots__ = ("call", "dht", "events", "filled", "index")

    def __init__(self, index: int, dht: Dht) -> None:
        self.index = index
        self.filled = 0.0  # when its table was made, as a refresh would have
        self.dht = dht
        self.events: list[Event] = []
        self.call: Call | None = None


class DhtNetwork:
    """The world, its clock, and the nodes that were needed so far."""

    def __init__(self, world: World, config: KadConfig = CONFIG) -> None:
        self.clock = VirtualClock()
        self.world = world
        self.config = config
        self.messages: Counter[MessageType] = Counter()
        random = seeded(world.seed, "population")
        peers = [peer_of(random) for _ in range(world.size)]
        nodes = [Node(peer, (address_of(number),)) for number, peer in enumerate(peers)]
        self.nodes = sorted(nodes, key=lambda node: node.key)
        self.keys = [node.key for node in self.nodes]
        self.index = {node.peer: index for index, node in enumerate(self.nodes)}
        churns = math.isfinite(world.session)
        self.joined = [-random.expovariate(1 / world.session) if churns else -math.inf for _ in nodes]
        self.left = [random.expovariate(1 / world.session) if churns else math.inf for _ in nodes]
        everybody = range(world.size)
        for index in random.sample(everybody, int(world.size * world.dead)):
            self.left[index] = 0.0
        self.hostile = frozenset(random.sample(everybody, int(world.size * world.hostile)))
        self._liars = sorted(self.hostile)
        self._random = seeded(world.seed, "network")
        self._residents: dict[int, Resident] = {}

    def is_alive(self, index: int, when: Instant) -> bool:
        return self.joined[index] <= when < self.left[index]

    def honest(self, random: Random) -> int:
        """Draw a node that is there and tells the truth."""
        while True:
            index = random.randrange(self.world.size)
            if index not in self.hostile and self.is_alive(index, self.clock.now):
                return index

    def nearest(self, target: Key, count: int = 1, *, honest: bool = True) -> list[PeerId]:
        """The truth: who is nearest to a key of those who are there."""
        at = bisect.bisect_left(self.keys, target)
        window = self.nodes[max(0, at - 64 - count * 4) : at + 64 + count * 4]
        there = [
            node
            for node in window
            if self.is_alive(self.index[node.peer], self.clock.now)
            and not (honest and self.index[node.peer] in self.hostile)
        ]
        return [node.peer for node in sorted(there, key=lambda node: node.key ^ target)[:count]]

    def table_of(self, index: int) -> list[Node]:
        """The contacts of a node as its last refresh left them, bucket by bucket."""
        world, own = self.world, self.keys[index]
        random = seeded(world.seed, "table", index)
        when = self.clock.now - random.uniform(0.0, world.refresh) - 1e-9
        contacts: list[Node] = []
        for shared in range(BITS):
            low, high = self._bucket(own, shared)
            if low == high:
                if not self._has_neighbours(own, shared):
                    break
                continue
            count = high - low
            if count <= 3 * self.config.k:
                there = [other for other in range(low, high) if self.is_alive(other, when)]
                drawn = random.sample(there, min(self.config.k, len(there)))
            else:
                chosen: dict[int, None] = {}
                for _ in range(count):
                    other = random.randrange(low, high)
                    if self.is_alive(other, when):
                        chosen[other] = None
                    if len(chosen) == self.config.k:
                        break
                drawn = list(chosen)
            contacts += [self.nodes[other] for other in drawn]
        return contacts

    def resident(self, index: int) -> Resident:
        resident = self._residents.get(index)
        if resident is None:
            node = self.nodes[index]
            own = {node.peer: node.addresses}
            dht = Dht(
                node.peer,
                self.config,
                random=seeded(self.world.seed, "node", index),
                addresses_of=lambda peer: own.get(peer, ()),
            )
            resident = self._residents[index] = Resident(index, dht)
            self._fill(resident)
        elif self.clock.now - resident.filled > self.world.refresh:
            for contact in list(resident.dht.table):
                resident.dht.remove_server(contact.node.peer, self.clock.now)
            self._fill(resident)
        return resident

    def _fill(self, resident: Resident) -> None:
        resident.filled = self.clock.now
        for contact in self.table_of(resident.index):
            resident.dht.table.add(contact, self.clock.now)

    def run(self, resident: Resident, query: int, limit: float = 300.0) -> Result:
        """Let time pass until a query has ended."""
        self.pump(resident)
        end = self.clock.now + limit
        while self.clock.now <= end:
            for event in resident.events:
                if isinstance(event, Result) and event.query == query:
                    return event
            if not self.clock.step():
                break
        raise AssertionError(f"query {query} has not ended by {self.clock.now} s (seed {self.world.seed})")

    def pump(self, resident: Resident) -> None:
        """One mutation, then drain."""
        dht = resident.dht
        while (request := dht.next_request(self.clock.now)) is not None:
            self._carry(resident, request)
        while (event := dht.next_event()) is not None:
            resident.events.append(event)
        if resident.call is not None:
            resident.call.cancel()
        timeout = dht.next_timeout()
        if timeout is not None:
            resident.call = self.clock.call_at(timeout, lambda: self._wake(resident))

    def _wake(self, resident: Resident) -> None:
        resident.dht.handle_timeout(self.clock.now)
        self.pump(resident)

    def _carry(self, sender: Resident, request: Request) -> None:
        delay = self._random.uniform(NEAREST, FARTHEST)
        self.clock.call_later(delay, lambda: self._arrive(sender, request, delay))

    def _arrive(self, sender: Resident, request: Request, delay: float) -> None:
        index = self.index.get(request.peer)
        if index is None or not self.is_alive(index, self.clock.now):
            wait = DIAL_TIMEOUT - delay
            self.clock.call_later(wait, lambda: self._fail(sender, request, "nobody answers"))
            return
        asked = Message.parse(request.data)
        self.messages[asked.type] += 1
        try:
            if index in self.hostile:
                answer = self._lie(index, asked)
                if answer is None:
                    return
            else:
                source = self.nodes[sender.index].peer
                answer = self.resident(index).dht.receive_request(source, request.data, self.clock.now) or b""
        except (RemoteProtocolError, ResourceLimitError) as error:
            reason = str(error)
            self.clock.call_later(delay, lambda: self._fail(sender, request, reason))
            return
        self.clock.call_later(delay, lambda: self._answer(sender, request, answer))

    def _answer(self, sender: Resident, request: Request, answer: bytes) -> None:
        sender.dht.receive_response(request.number, answer, self.clock.now)
        self.pump(sender)

    def _fail(self, sender: Resident, request: Request, reason: str) -> None:
        sender.dht.receive_failure(request.number, reason, self.clock.now)
        self.pump(sender)

    def _lie(self, index: int, asked: Message) -> bytes | None:
        lies = list(Lie)
        match lies[index % len(lies)]:
            case Lie.SILENCE:
                return None
            case Lie.GARBAGE:
                return self._random.randbytes(200)
            case Lie.COLLUDE:
                target = key_of(asked.key)
                near = sorted(
                    self._random.sample(self._liars, min(200, len(self._liars))), key=lambda at: self.keys[at] ^ target
                )
                named = [Peer(self.nodes[other].peer, self.nodes[other].addresses) for other in near[: self.config.k]]
            case Lie.INVENT:
                target = key_of(asked.key)
                invented = [peer_of(self._random) for _ in range(500)]
                invented.sort(key=lambda peer: key_of(peer.multihash) ^ target)
                named = [Peer(peer, (address_of(1),)) for peer in invented[: self.config.k]]
        return Message(asked.type, asked.key, closer=named).serialize()

    def _bucket(self, own: Key, shared: int) -> tuple[int, int]:
        """The indices of those that share exactly so many bits with `own`."""
        width = BITS - shared - 1
        start = ((own >> width) ^ 1) << width
        return bisect.bisect_left(self.keys, start), bisect.bisect_left(self.keys, start + (1 << width))

    def _has_neighbours(self, own: Key, shared: int) -> bool:
        width = BITS - shared - 1
        start = (own >> width) << width
        return bisect.bisect_left(self.keys, start + (1 << width)) - bisect.bisect_left(self.keys, start) > 1


def greedy_hops(network: DhtNetwork, source: int, target: Key) -> int:
    """Requests in a row of a walk that always asks the one nearest, over tables without a dead or a lying contact."""
    best = min(network.table_of(source), key=lambda node: node.key ^ target)
    hops = 1
    while True:
        nearer = min(network.table_of(network.index[best.peer]), key=lambda node: node.key ^ target)
        if nearer.key ^ target >= best.key ^ target:
            return hops
        best = nearer
        hops += 1
