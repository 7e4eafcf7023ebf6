"""Whether others can get something now: the reason is the first thing that does not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of, two_nodes
from tests.node.test_network_routing import contacts, until
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.availability import Standing, availability, is_near
from zwerm.node.node import Node

pytestmark = pytest.mark.slow

OUTSIDE = Multiaddr.from_text("/ip4/1.2.3.4/tcp/4001")
RELAYED = Multiaddr.from_text(f"/ip4/1.2.3.4/tcp/4001/p2p/{PeerId.of(PrivateKey.generate().public)}/p2p-circuit")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node that told its one neighbour what it has, though by addresses of this machine only."""
    async with two_nodes(tmp_path) as (ann, bob):
        await until(lambda: contacts(ann.node) and contacts(bob.node))
        yield ann.node


async def provided(node: Node) -> CID:
    cid = await node.add(b"for others", pin=False)
    await network_of(node).ways.routing.provide(cid)
    return cid


def judge(node: Node, address: Multiaddr, *, reached: bool) -> None:
    """Let enough others say whether an address leads here."""
    reachability = network_of(node).reach.reachability
    reachability.keep([*reachability.verdicts, address])
    for _ in range(3):
        reachability.record(address, PeerId.of(PrivateKey.generate().public), reached=reached)


async def test_what_is_told_by_near_addresses_only_is_reached_from_this_network_only(node: Node) -> None:
    found = availability(node, await provided(node))
    assert (found.standing, found.is_here, found.is_told) == (Standing.NEAR, True, True)
    assert found.peers == 1
    assert found.addresses
    assert all(each.is_near for each in found.addresses)


async def test_others_who_reach_an_address_settle_it(node: Node) -> None:
    cid = await provided(node)
    network_of(node).swarm.add_external_address(OUTSIDE)
    assert availability(node, cid).standing is Standing.UNSURE
    judge(node, OUTSIDE, reached=True)
    found = availability(node, cid)
    assert (found.standing, found.is_public) == (Standing.REACHABLE, True)
    assert [each.is_reachable for each in found.addresses if not each.is_near] == [True]


async def test_others_who_tried_in_vain_settle_it_too_unless_a_relay_helps(node: Node) -> None:
    cid = await provided(node)
    swarm = network_of(node).swarm
    swarm.add_external_address(OUTSIDE)
    judge(node, OUTSIDE, reached=False)
    assert availability(node, cid).standing is Standing.CLOSED
    swarm.add_external_address(RELAYED)
    assert availability(node, cid).standing is Standing.RELAYED


async def test_what_was_not_told_yet_is_about_to_be(node: Node) -> None:
    cid = await provided(node)
    network = network_of(node)
    network.swarm.add_external_address(RELAYED)
    assert network.ways.providing is not None
    network.ways.providing._pending.add(cid.multihash)
    found = availability(node, cid)
    assert (found.standing, found.is_told, found.is_pending) == (Standing.PENDING, False, True)


async def test_what_is_not_here_is_missing(node: Node) -> None:
    found = availability(node, CID.of(b"elsewhere"))
    assert (found.standing, found.is_here, found.is_told) == (Standing.MISSING, False, False)


@pytest.mark.parametrize(
    ("overrides", "standing"),
    [
        ({}, Standing.ALONE),
        ({"provide.strategy": "none"}, Standing.UNTOLD),
        ({"routing.dht": "off"}, Standing.UNTOLD),
    ],
    ids=["nobody known", "told to nobody", "in no DHT"],
)
async def test_a_node_by_itself_says_what_keeps_it(
    tmp_path: Path, overrides: dict[str, str], standing: Standing
) -> None:
    async with Node(tmp_path, profile="test", overrides=overrides, online=True) as node:
        assert availability(node, await node.add(b"by itself")).standing is standing


async def test_where_only_roots_are_told_the_rest_is_not(tmp_path: Path) -> None:
    overrides = {"provide.strategy": "roots"}
    async with (
        Node(tmp_path / "one", profile="test", overrides=overrides, online=True) as node,
        Node(tmp_path / "other", profile="test", online=True) as other,
    ):
        address = network_of(other).swarm.listen_addresses[0]
        await network_of(node).swarm.connect(other.identity, [address])
        assert availability(node, await node.add(b"not pinned", pin=False)).standing is Standing.LISTED


async def test_a_node_without_a_network_is_offline(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test") as node:
        found = availability(node, await node.add(b"kept to itself"))
        assert (found.standing, found.is_here) == (Standing.OFFLINE, True)


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("/ip4/127.0.0.1/tcp/4001", True),
        ("/ip4/192.168.1.9/udp/4001/quic-v1", True),
        ("/ip6/fe80::1/tcp/4001", True),
        ("/ip4/1.2.3.4/tcp/4001", False),
        ("/dns4/node.example/tcp/4001", False),
    ],
)
def test_near_is_this_machine_and_its_own_network(address: str, near: bool) -> None:
    assert is_near(Multiaddr.from_text(address)) is near


def test_a_standing_is_good_bad_or_open() -> None:
    assert [each for each in Standing if each.is_good] == [Standing.REACHABLE, Standing.RELAYED]
    assert [each for each in Standing if each.is_open] == [Standing.UNSURE, Standing.PENDING]
