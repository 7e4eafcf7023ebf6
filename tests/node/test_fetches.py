"""What is said of a retrieval while it goes on, and just after."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of, two_nodes
from tests.node.test_network_routing import until
from zwerm.ipfs.exchange.switch import begin_request
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.fetches import Phase, Rates, fetches, transport_name

pytestmark = pytest.mark.slow


async def test_who_gave_what_is_told_by_the_tag_of_who_asked(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = await bob.node.add(os.urandom(600_000))
        begin_request(offline=False, tag="mine")
        root = await ann.node.source.get(cid)
        (fetch,) = fetches(network_of(ann.node), "mine")
        assert (fetch.root, fetch.phase, fetch.blocks, fetch.size) == (cid, Phase.RECEIVING, 1, len(root))
        (giver,) = fetch.givers
        assert (giver.name, giver.is_peer, giver.blocks) == (str(bob.node.identity), True, 1)
        assert giver.address is not None
        assert transport_name(giver.address) == "tcp"
        assert fetches(network_of(ann.node), "another") == []
        assert fetches(network_of(ann.node)) == []  # nobody waits for it now


async def test_who_is_asked_is_told_while_nothing_came(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = CID.of(b"given later")
        begin_request(offline=False, tag="waiting")
        getting = asyncio.create_task(ann.node.source.get(cid))
        network = network_of(ann.node)
        await until(lambda: any(fetch.asked for fetch in fetches(network)))
        (fetch,) = fetches(network, "waiting")
        assert (fetch.phase, fetch.blocks, list(fetch.asked)) == (Phase.ASKING, 0, [bob.node.identity])
        await bob.node.add(b"given later")
        assert await getting == b"given later"


def test_a_rate_is_that_since_the_last_look() -> None:
    rates = Rates()
    rates.turn()
    assert rates.rate("peer", 2.0, 100) == 50.0
    rates.turn()
    assert rates.rate("peer", 3.0, 400) == 300.0
    assert rates.rate("newcomer", 3.0, 30) == 10.0
    rates.turn()
    assert rates.rate("peer", 3.0, 400) == 0.0


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/ip4/192.0.2.1/tcp/4001", "tcp"),
        ("/ip4/192.0.2.1/udp/4001/quic-v1", "quic-v1"),
        ("/ip4/192.0.2.1/tcp/4001/ws", "ws"),
    ],
)
def test_transports_are_named_as_people_know_them(address: str, name: str) -> None:
    assert transport_name(Multiaddr.from_text(address)) == name
