"""A node's routing: nodes of the local network find content and names through the DHT, and say what they have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from zwerm.ipfs.providing import providing as providing_module
from zwerm.node.network_routing import NodeRouting
from zwerm.node.node import Node

pytestmark = pytest.mark.slow


def open_node(path: Path, **overrides: object) -> Node:
    return Node(path, profile="test", overrides=overrides, online=True)


def ways_of(node: Node) -> NodeRouting:
    assert node.network is not None
    return node.network.ways


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- tables and stores tell nobody
            await asyncio.sleep(0.02)


def contacts(node: Node) -> int:
    """How many the table of the local network's DHT holds."""
    return len(ways_of(node).lan.dht.table)


async def connect(node: Node, other: Node) -> None:
    await node.network.swarm.connect(other.identity, other.network.swarm.addresses)


async def test_what_was_added_is_found_by_a_third_and_fetched(tmp_path: Path) -> None:
    async with open_node(tmp_path / "a") as alice, open_node(tmp_path / "b") as bob, open_node(tmp_path / "c") as carol:
        await connect(alice, bob)
        await until(lambda: contacts(alice) and contacts(bob))
        cid = await alice.add(b"something that only alice has")
        await until(lambda: ways_of(bob).lan.dht.providers.keys)
        await connect(carol, bob)
        await until(lambda: contacts(carol))
        async with asyncio.timeout(20):
            found = [provider async for provider in ways_of(carol).routing.find_providers(cid)]
        assert alice.identity in {provider.peer for provider in found}
        async with asyncio.timeout(30):
            assert b"".join([chunk async for chunk in carol.cat(cid)]) == b"something that only alice has"


async def test_a_peer_is_found_through_another(tmp_path: Path) -> None:
    async with open_node(tmp_path / "a") as alice, open_node(tmp_path / "b") as bob, open_node(tmp_path / "c") as carol:
        await connect(alice, bob)
        await connect(carol, bob)
        await until(lambda: contacts(bob) == 2 and contacts(carol))
        async with asyncio.timeout(20):
            assert set(await ways_of(carol).routing.find_peer(alice.identity)) == set(alice.network.swarm.addresses)


async def test_what_the_node_had_is_taken_up_when_it_starts(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test") as node:
        await node.add(bytes(600_000))
    async with open_node(tmp_path) as node:
        providing = ways_of(node).providing
        await until(lambda: providing.statistics().keys >= 4)
        assert providing.statistics().pending == 0


async def test_only_roots_are_told_when_that_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providing_module, "RETRY", 0.05)
    async with open_node(tmp_path, **{"provide.strategy": "roots"}) as node:
        await node.add(bytes(600_000))
        await until(lambda: ways_of(node).providing.statistics().keys)
        assert ways_of(node).providing.statistics().keys == 1


async def test_a_node_may_keep_out_of_the_dhts_and_tell_nothing(tmp_path: Path) -> None:
    async with open_node(tmp_path, **{"routing.dht": "off"}) as node:
        assert ways_of(node).dhts == ()
        assert ways_of(node).active_dht is None
        assert ways_of(node).routing.routers == []
    async with open_node(tmp_path, **{"provide.strategy": "none"}) as node:
        assert ways_of(node).providing is None
        assert ways_of(node).active_dht is ways_of(node).lan


async def test_a_client_answers_nobody(tmp_path: Path) -> None:
    async with open_node(tmp_path, **{"routing.dht": "client"}) as node:
        assert [kad.is_server for kad in ways_of(node).dhts] == [False, False]
