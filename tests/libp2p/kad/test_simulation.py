"""Thousands of nodes on virtual time: what is provided is found, in few hops, also among the dead and the lying.

A sample of what `python -m benchmarks dht` measures, and of what `-m full` runs with 100,000 nodes.
"""

import dataclasses
import math
import statistics

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.dht import CONFIG, DhtNetwork, World, address_of, greedy_hops, peer_of
from zwerm.core.random import seeded
from zwerm.libp2p.kad.dht import Dht, Request
from zwerm.libp2p.kad.key import key_of
from zwerm.libp2p.kad.query import Found, Result

WORLDS = {
    "1,000 nodes": World(1_000, seed=1),
    "1,000, a fifth dead": World(1_000, seed=2, dead=0.2),
    "1,000, a fifth hostile": World(1_000, seed=3, hostile=0.2),
    "1,000 that stay half an hour": World(1_000, seed=4, session=1_800.0),
    "10,000 nodes": World(10_000, seed=5),
}
LARGE = {
    "100,000 nodes": World(100_000, seed=6),
    "100,000, a fifth dead": World(100_000, seed=7, dead=0.2),
    "100,000, a fifth hostile": World(100_000, seed=8, hostile=0.2),
}


def check(world: World, lookups: int) -> None:
    network = DhtNetwork(world)
    ideal = DhtNetwork(dataclasses.replace(world, dead=0.0, hostile=0.0, session=math.inf))
    random = seeded(world.seed, "look-ups")
    hops, greedy, providers_found, nearest_found = [], [], 0, 0
    for _ in range(lookups):
        key = b"\x12\x20" + random.randbytes(32)
        provider, seeker = network.resident(network.honest(random)), network.resident(network.honest(random))
        stored = network.run(provider, provider.dht.provide(key, network.clock.now))
        assert stored.stored >= 10, f"seed {world.seed}"
        closest = network.run(seeker, seeker.dht.find_closest(key, network.clock.now))
        nearest_found += network.nearest(key_of(key))[0] in [peer.peer for peer in closest.closest]
        hops.append(closest.hops)
        greedy.append(greedy_hops(ideal, seeker.index, key_of(key)))
        query = seeker.dht.find_providers(key, network.clock.now, count=1)
        network.run(seeker, query)
        providers_found += any(isinstance(event, Found) and event.query == query for event in seeker.events)
    assert providers_found == lookups, f"seed {world.seed}"
    assert nearest_found >= lookups * 0.95, f"seed {world.seed}"
    assert statistics.median(hops) <= statistics.median(greedy) + 1
    assert statistics.median(hops) <= 5


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_what_is_provided_is_found_at_most_a_hop_above_the_greedy_walk(name: str) -> None:
    check(WORLDS[name], lookups=12)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_hundred_thousand_nodes(name: str) -> None:
    check(LARGE[name], lookups=100)


def test_a_run_repeats_by_its_seed() -> None:
    def run() -> tuple[Result, float]:
        network = DhtNetwork(World(300, seed=9, dead=0.1))
        resident = network.resident(network.honest(seeded(9)))
        return network.run(resident, resident.dht.find_closest(b"a name", 0.0)), network.clock.now

    assert run() == run()


@pytest.mark.slow
def test_the_size_of_the_network_is_learnt_and_makes_providing_fast() -> None:
    """Optimistic provide: told when most of the records are stored, while the rest of the walk goes on."""
    network = DhtNetwork(World(1_000, seed=10, dead=0.1))
    node = network.resident(network.honest(seeded(10)))
    for number in range(20):
        network.run(node, node.dht.find_closest(b"%d" % number, network.clock.now))
    assert node.dht.size.estimate(network.clock.now) == pytest.approx(900, rel=0.3)

    def provide(is_optimistic: bool) -> float:
        begun = network.clock.now
        for number in range(5):
            key = b"provided %d %d" % (number, is_optimistic)
            done = network.run(node, node.dht.provide(key, network.clock.now, is_optimistic=is_optimistic))
            assert done.stored >= (10 if is_optimistic else 17)
        return network.clock.now - begun

    assert provide(is_optimistic=True) < provide(is_optimistic=False) / 1.5


class Village:
    """Nodes that join through one another, refresh, come and go: no table is filled by the simulation."""

    def __init__(self, size: int, seed: int) -> None:
        self.clock = VirtualClock()
        self.random = seeded(seed, "village")
        self.nodes: dict[object, Dht] = {}
        self.events: list[object] = []
        self.count = 0
        for _ in range(size):
            self.join()
            self.clock.run_for(1.0)

    def join(self) -> Dht:
        peer, addresses = peer_of(self.random), (address_of(self.count),)
        self.count += 1
        dht = Dht(peer, CONFIG, random=seeded(self.count), addresses_of=lambda who: addresses if who == peer else ())
        for known in self.random.sample(list(self.nodes.values()), min(2, len(self.nodes))):
            dht.add_server(known.local, known._addresses_of(known.local), self.clock.now)
        self.nodes[peer] = dht
        dht.start_refreshing(self.clock.now)
        self.pump(dht)
        return dht

    def pump(self, dht: Dht) -> None:
        if dht.local not in self.nodes:
            return
        while (request := dht.next_request(self.clock.now)) is not None:
            self.clock.call_later(0.05, lambda request=request: self.carry(dht, request))
        while (event := dht.next_event()) is not None:
            self.events.append(event)
        if (timeout := dht.next_timeout()) is not None:
            self.clock.call_at(timeout, lambda: self.wake(dht, timeout))

    def wake(self, dht: Dht, when: float) -> None:
        if dht.next_timeout() == when:
            dht.handle_timeout(self.clock.now)
            self.pump(dht)

    def carry(self, sender: Dht, request: Request) -> None:
        asked = self.nodes.get(request.peer)
        if asked is None:
            sender.receive_failure(request.number, "gone", self.clock.now)
        else:
            answer = asked.receive_request(sender.local, request.data, self.clock.now) or b""
            asked.add_server(sender.local, sender._addresses_of(sender.local), self.clock.now)  # as identify does
            sender.receive_response(request.number, answer, self.clock.now)
        self.pump(sender)


@pytest.mark.slow
def test_a_village_that_fills_its_own_tables_finds_the_nearest_while_nodes_come_and_go() -> None:
    village = Village(30, seed=11)
    for _ in range(15):
        village.clock.run_for(60.0)
        gone = village.random.choice(list(village.nodes))
        del village.nodes[gone]
        village.join()
    village.clock.run_for(60.0)
    seeker = village.random.choice(list(village.nodes.values()))
    query = seeker.find_closest(b"a name", village.clock.now)
    village.pump(seeker)
    village.clock.run_for(60.0)
    found = next(event for event in village.events if isinstance(event, Result) and event.query == query)
    truth = sorted(village.nodes, key=lambda peer: key_of(peer.multihash) ^ key_of(b"a name"))
    truth.remove(seeker.local)
    assert [peer.peer for peer in found.closest][:10] == truth[:10]
    dead = {contact.node.peer for dht in village.nodes.values() for contact in dht.table} - set(village.nodes)
    assert len(dead) <= 12  # those of the last refresh interval
