"""`swarm/filters`: kept in the configuration, in force at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.daemon.rpc.networked import address_of, network_of, two_nodes
from zwerm.daemon.rpc.errors import CommandError
from zwerm.node.node import Node

LOOPBACK = "/ip4/127.0.0.0/ipcidr/8"
TEN = "/ip4/10.0.0.0/ipcidr/8"


async def test_ranges_are_added_listed_and_removed(rpc: Rpc) -> None:
    assert await rpc.call("swarm/filters") == {"Strings": []}
    assert await rpc.call("swarm/filters/add", "/ip4/10.1.2.3/ipcidr/8", LOOPBACK, TEN) == {"Strings": [TEN, LOOPBACK]}
    assert await rpc.call("swarm/filters/add", TEN) == {"Strings": []}
    assert await rpc.call("config", "Swarm.AddrFilters") == {"Key": "Swarm.AddrFilters", "Value": [TEN, LOOPBACK]}
    assert await rpc.call("swarm/filters/rm", TEN, "/ip4/192.0.2.0/ipcidr/24") == {"Strings": [TEN]}
    assert await rpc.call("swarm/filters") == {"Strings": [LOOPBACK]}
    await rpc.call("swarm/filters/add", TEN)
    assert await rpc.call("swarm/filters/rm", "all") == {"Strings": [LOOPBACK, TEN]}
    assert await rpc.call("swarm/filters") == {"Strings": []}


async def test_what_is_no_range_is_refused(rpc: Rpc) -> None:
    for path in ("swarm/filters/add", "swarm/filters/rm"):
        with pytest.raises(CommandError, match=r"invalid address filter: '/ip4/10\.0\.0\.1' is not a range"):
            await rpc.call(path, "/ip4/10.0.0.1")
    with pytest.raises(Exception, match=r"network.filters: '/ip4/10.0.0.1' is not a range"):
        await rpc.call("config", "network.filters", '["/ip4/10.0.0.1"]', json=True)


async def test_a_range_is_in_force_at_once_and_again_after_a_start(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        (connection,) = network_of(ann.node).swarm.connections
        await ann.call("swarm/filters/add", LOOPBACK)
        async with asyncio.timeout(10):
            await connection.watch
        with pytest.raises(CommandError, match="which is filtered"):
            await ann.call("swarm/connect", address_of(bob.node))
        await ann.call("swarm/filters/rm", "all")
        await ann.call("swarm/connect", address_of(bob.node))
        await ann.call("swarm/filters/add", LOOPBACK)
    async with Node(tmp_path / "ann", profile="test", online=True) as again:
        with pytest.raises(CommandError, match="which is filtered"):
            await Rpc(again).call(
                "swarm/connect", "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
            )
