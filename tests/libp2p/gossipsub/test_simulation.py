"""Tens of routers on virtual time: meshes form and mend, messages reach everybody, and attackers do not stop them."""

from __future__ import annotations

import pytest

from tests.libp2p.gossipsub.simulation import Network
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.config import FLOODSUB, GOSSIPSUB_1_0, GossipsubConfig, ScoreConfig
from zwerm.libp2p.gossipsub.message import IHave, Message, Rpc

TOPIC = "news"


def network(count: int, seed: int = 1, *, degree: int = 6, config: GossipsubConfig | None = None) -> Network:
    """Routers that all want the topic, after half a minute."""
    net = Network(seed)
    peers = [net.add(number, config=config) for number in range(count)]
    net.connect_at_random(peers, degree)
    for peer in peers:
        net.do(peer, lambda node: node.subscribe(TOPIC, net.now))
    net.run(30)
    return net


def peers(net: Network) -> list[PeerId]:
    return list(net.nodes)


def publish(net: Network, peer: PeerId, data: bytes) -> None:
    net.do(peer, lambda node: node.publish(TOPIC, data, net.now))


def test_meshes_form_within_their_bounds_and_agree() -> None:
    net = network(40)
    for peer, node in net.nodes.items():
        members = node.mesh.members(TOPIC)
        assert 5 <= len(members) <= 12
        assert all(peer in net.nodes[member].mesh.members(TOPIC) for member in members)


@pytest.mark.parametrize("flood", [True, False], ids=["flood publishing", "mesh only"])
@pytest.mark.parametrize("seed", range(3))
def test_a_message_reaches_everybody_once(seed: int, flood: bool) -> None:
    net = network(40, seed, config=GossipsubConfig(flood_publish=flood))
    for number in range(5):
        publish(net, peers(net)[number], b"%d" % number)
    net.run(3)
    for events in net.delivered.values():
        assert sorted(event.message.data for event in events) == [b"0", b"1", b"2", b"3", b"4"]


def test_large_messages_are_sent_fewer_times_with_idontwant() -> None:
    copies = []
    for threshold in (1_024, 10**9):
        net = network(30, 5, degree=10, config=GossipsubConfig(idontwant_threshold=threshold, flood_publish=False))
        net.copies, net.rate = 0, 125_000
        for number in range(10):
            publish(net, peers(net)[number], bytes([number]) * 4_096)
            net.run(2)
        assert all(len(events) == 10 for events in net.delivered.values())
        copies.append(net.copies)
    assert copies[0] < copies[1]


def test_who_lost_every_message_gets_them_by_gossip() -> None:
    net = network(20, 7)
    victim = peers(net)[0]

    def no_messages(_net: Network, _source: PeerId, target: PeerId, data: bytes) -> bytes:
        rpc = Rpc.parse(data)
        if target == victim and not asked:
            rpc.messages = []
        return rpc.serialize()

    asked: list[bool] = []

    def watch(_net: Network, _source: PeerId, _target: PeerId, data: bytes) -> bytes:
        if Rpc.parse(data).iwant:
            asked.append(True)
        return data

    net.outgoing = dict.fromkeys(peers(net)[1:], no_messages)
    net.outgoing[victim] = watch
    publish(net, peers(net)[5], b"lost on the way")
    net.run(5)
    assert asked
    assert victim in net.reached(b"lost on the way")


def test_a_mesh_mends_when_members_go() -> None:
    net = network(30, 3, degree=8)
    gone = peers(net)[:10]
    for peer in gone:
        for link in [link for link in net.links if peer in link]:
            net.disconnect(*link)
    net.run(10)
    left = peers(net)[10:]
    publish(net, left[0], b"still here")
    net.run(3)
    assert net.reached(b"still here") >= set(left)


def test_somebody_who_does_not_want_the_topic_can_publish_and_gets_nothing() -> None:
    net = network(20, 2, config=GossipsubConfig(flood_publish=False))
    stranger = net.add(100, config=GossipsubConfig(flood_publish=False))
    for peer in peers(net)[:8]:
        net.connect(stranger, peer)
    net.run(1)
    publish(net, stranger, b"from outside")
    net.run(3)
    assert net.reached(b"from outside") == set(peers(net)) - {stranger}
    assert len(net.nodes[stranger].mesh.fanout[TOPIC]) == 6
    net.run(70)
    assert TOPIC not in net.nodes[stranger].mesh.fanout


@pytest.mark.parametrize("protocol", [FLOODSUB, GOSSIPSUB_1_0])
def test_older_peers_take_part(protocol: str) -> None:
    net = network(15, 4)
    old = net.add(100)
    net.connect(peers(net)[0], old, protocol)
    net.connect(peers(net)[1], old, protocol)
    net.do(old, lambda node: node.subscribe(TOPIC, net.now))
    net.run(3)
    publish(net, peers(net)[9], b"to the old")
    net.run(3)
    assert old in net.reached(b"to the old")
    publish(net, old, b"from the old")
    net.run(3)
    assert len(net.reached(b"from the old")) == 16


def test_peer_exchange_leads_a_crowd_of_newcomers_from_one_peer_to_many() -> None:
    net = Network(9)
    net.follow_dials = True
    generous = ScoreConfig(accept_px_threshold=0.0)
    hub = net.add(0, scores=generous)
    others = [net.add(number, scores=generous) for number in range(1, 31)]
    for peer in (hub, *others):
        net.do(peer, lambda node: node.subscribe(TOPIC, net.now))
    for peer in others:
        net.connect(peer, hub)
    net.run(20)
    assert net.dials
    assert len(net.nodes[hub].mesh.members(TOPIC)) <= 12
    assert sum(len(net.nodes[peer].mesh.members(TOPIC)) >= 2 for peer in others) >= 25


def sybils(net: Network, count: int, degree: int) -> list[PeerId]:
    """Nodes that want to be in every mesh and pass nothing on."""

    def silent(_net: Network, _source: PeerId, _target: PeerId, data: bytes) -> bytes:
        rpc = Rpc.parse(data)
        rpc.messages, rpc.ihave = [], []
        return rpc.serialize()

    honest = peers(net)
    found = []
    for number in range(1_000, 1_000 + count):
        sybil = net.add(number)
        net.outgoing[sybil] = silent
        for other in net.rng.sample(honest, degree):
            net.connect(sybil, other, address="203.0.113.66")
        net.do(sybil, lambda node: node.subscribe(TOPIC, net.now))
        found.append(sybil)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_with_a_fifth_of_sybils_that_pass_nothing_on_messages_still_reach_everybody(seed: int) -> None:
    net = network(40, seed, degree=8)
    honest = peers(net)
    sybils(net, 10, 20)
    net.run(20)
    for number in range(10):
        publish(net, honest[number], b"message %d" % number)
        net.run(4)
        assert net.reached(b"message %d" % number) >= set(honest)


def test_forged_authors_are_cut_off_and_their_messages_go_nowhere() -> None:
    net = network(20, 6)
    honest = peers(net)
    [attacker] = sybils(net, 1, 10)
    net.run(2)
    victims = [peer for peer in honest if frozenset((attacker, peer)) in net.links]
    forged = [
        Message(TOPIC, b"forged", honest[0].multihash, number.to_bytes(8, "big"), b"x" * 64).serialize()
        for number in range(20)
    ]
    for victim in victims:
        for message in forged:
            net.send(attacker, victim, Rpc(messages=[message]))
    net.run(2)
    assert not net.reached(b"forged")
    for victim in victims:
        assert net.nodes[victim].scores.score(attacker) < ScoreConfig().graylist_threshold
        assert attacker not in net.nodes[victim].mesh.members(TOPIC)
    publish(net, honest[0], b"genuine")
    net.run(3)
    assert net.reached(b"genuine") >= set(honest)


def test_a_flood_of_gossip_about_nothing_is_answered_little_and_ends_in_the_graylist() -> None:
    net = network(20, 8)
    honest = peers(net)
    [attacker] = sybils(net, 1, 10)
    net.run(2)
    victim = next(peer for peer in honest if frozenset((attacker, peer)) in net.links)
    asked = []

    def watch(_net: Network, _source: PeerId, target: PeerId, data: bytes) -> bytes:
        if target == attacker:
            asked.extend(Rpc.parse(data).iwant)
        return data

    net.outgoing[victim] = watch
    for second in range(12):
        for burst in range(20):
            ids = tuple(b"%d %d %d" % (second, burst, number) for number in range(1_000))
            net.send(attacker, victim, Rpc(ihave=[IHave(TOPIC, ids)]))
        net.run(1)
    assert len(asked) <= 12 * 5_000
    assert net.nodes[victim].scores.score(attacker) < ScoreConfig().graylist_threshold
    before = len(asked)
    net.send(attacker, victim, Rpc(ihave=[IHave(TOPIC, (b"more",))]))
    net.run(1)
    assert len(asked) == before
    publish(net, honest[0], b"still served")
    net.run(3)
    assert net.reached(b"still served") >= set(honest)


def test_replayed_messages_are_delivered_once_and_do_not_travel_again() -> None:
    net = network(20, 10)
    honest = peers(net)
    publish(net, honest[0], b"once")
    net.run(3)
    encoded = net.delivered[honest[1]][0].message.encoded
    [attacker] = sybils(net, 1, 10)
    net.run(1)
    before = net.copies
    for victim in [peer for peer in honest if frozenset((attacker, peer)) in net.links]:
        for _ in range(50):
            net.send(attacker, victim, Rpc(messages=[encoded]))
    net.run(3)
    assert net.copies == before + 10 * 50
    assert all(sum(event.message.data == b"once" for event in net.delivered[peer]) == 1 for peer in honest)
