"""Many routers on virtual time, joined by links with latency; some may be hostile."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable

from tests.libp2p.hosts import seeded_key
from zwerm.core.random import Random, seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.config import GOSSIPSUB_1_2, GossipsubConfig, ScoreConfig
from zwerm.libp2p.gossipsub.event import Delivered, DialWanted, Misbehaved
from zwerm.libp2p.gossipsub.message import Rpc
from zwerm.libp2p.gossipsub.router import Gossipsub

Filter = Callable[["Network", PeerId, PeerId, bytes], bytes | None]


class Network:
    """Routers by peer ID, and what is on its way between them."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.rng: Random = seeded("gossipsub network", seed)
        self.seed = seed
        self.nodes: dict[PeerId, Gossipsub] = {}
        self.links: set[frozenset[PeerId]] = set()
        self.delivered: dict[PeerId, list[Delivered]] = {}
        self.dials: list[tuple[PeerId, DialWanted]] = []
        self.misbehaved: list[tuple[PeerId, Misbehaved]] = []
        self.follow_dials = False
        self.outgoing: dict[PeerId, Filter] = {}  # what a hostile node's frames become; None: dropped
        self.rate = float("inf")  # bytes a second that a node can send
        self._busy_until: dict[PeerId, float] = {}
        self.frames = 0
        self.copies = 0  # of messages, on the wire
        self._queue: list[tuple[float, int, PeerId, PeerId, bytes]] = []
        self._order = itertools.count()

    def add(
        self,
        number: int,
        *,
        config: GossipsubConfig | None = None,
        scores: ScoreConfig | None = None,
        **more: object,
    ) -> PeerId:
        key = seeded_key(number)
        node = Gossipsub(key, config, scores, now=self.now, random=seeded("node", self.seed, number), **more)  # type: ignore[arg-type]
        self.nodes[node.peer_id] = node
        self.delivered[node.peer_id] = []
        return node.peer_id

    def connect(self, one: PeerId, other: PeerId, protocol: str = GOSSIPSUB_1_2, address: str = "") -> None:
        """`one` dials `other`."""
        if one == other or frozenset((one, other)) in self.links:
            return
        self.links.add(frozenset((one, other)))
        addresses = (address,) if address else ()
        self.nodes[one].add_peer(other, protocol, self.now, is_outbound=True)
        self.nodes[other].add_peer(one, protocol, self.now, is_outbound=False, addresses=addresses)
        self._drain(one)
        self._drain(other)

    def disconnect(self, one: PeerId, other: PeerId) -> None:
        self.links.discard(frozenset((one, other)))
        for here, there in ((one, other), (other, one)):
            self.nodes[here].remove_peer(there, self.now)
            self._drain(here)

    def connect_at_random(self, peers: Iterable[PeerId], degree: int) -> None:
        """Let each dial `degree` others."""
        everybody = list(peers)
        for peer in everybody:
            for other in self.rng.sample([one for one in everybody if one != peer], degree):
                self.connect(peer, other)

    def do(self, peer: PeerId, action: Callable[[Gossipsub], object]) -> None:
        """Act on one node, and carry out what comes of it."""
        action(self.nodes[peer])
        self._drain(peer)

    def send(self, source: PeerId, target: PeerId, rpc: Rpc) -> None:
        """Put a frame of a hostile node's own making on the wire."""
        self._post(source, target, rpc.serialize())

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            arrival = self._queue[0][0] if self._queue else float("inf")
            timers = {peer: node.next_timeout() for peer, node in self.nodes.items()}
            due = min((time for time in timers.values() if time is not None), default=float("inf"))
            when = min(arrival, due)
            if when > end:
                self.now = end
                return
            self.now = max(self.now, when)
            if arrival <= due:
                _, _, source, target, data = heapq.heappop(self._queue)
                if frozenset((source, target)) in self.links:
                    self.nodes[target].receive(source, data, self.now)
                    self._drain(target)
            else:
                for peer, time in timers.items():
                    if time is not None and time <= self.now:
                        self.nodes[peer].handle_timeout(self.now)
                        self._drain(peer)

    def reached(self, data: bytes) -> set[PeerId]:
        """Who got a message with this data."""
        return {peer for peer, events in self.delivered.items() if any(event.message.data == data for event in events)}

    def _drain(self, peer: PeerId) -> None:
        node = self.nodes[peer]
        while (transmit := node.next_transmit()) is not None:
            target, data = transmit
            change = self.outgoing.get(peer)
            changed = data if change is None else change(self, peer, target, data)
            if changed:
                self._post(peer, target, changed)
        while (event := node.next_event()) is not None:
            if isinstance(event, Delivered):
                self.delivered[peer].append(event)
            elif isinstance(event, DialWanted):
                self.dials.append((peer, event))
                if self.follow_dials and event.peer in self.nodes:
                    self.connect(peer, event.peer)
            elif isinstance(event, Misbehaved):
                self.misbehaved.append((peer, event))

    def _post(self, source: PeerId, target: PeerId, data: bytes) -> None:
        latency = self.rng.uniform(0.01, 0.1)
        self.frames += 1
        self.copies += len(Rpc.parse(data).messages)
        sent = max(self.now, self._busy_until.get(source, 0.0)) + len(data) / self.rate
        self._busy_until[source] = sent
        heapq.heappush(self._queue, (sent + latency, next(self._order), source, target, data))
