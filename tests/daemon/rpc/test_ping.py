"""`ping`, and `id` of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.rpc.networked import address_of, two_nodes
from zwerm.daemon.rpc.errors import CommandError


async def test_a_peer_is_pinged(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        items = await ann.items("ping", str(bob.node.identity), count=1)
        assert [item["Text"] for item in items[:2]] == [f"PING {bob.node.identity}.", ""]
        assert items[1]["Success"]
        assert items[-1]["Text"].startswith("Average latency: ")


async def test_a_peer_that_is_not_connected_is_looked_up_first(tmp_path: Path) -> None:
    async with two_nodes(tmp_path, connected=False) as (ann, bob):
        items = await ann.items("ping", address_of(bob.node), count=1)
        assert items[0]["Text"] == f"Looking up peer {bob.node.identity}"
        assert len(items) == 4


async def test_pings_of_nobody_of_this_node_or_of_no_count_are_refused(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        with pytest.raises(CommandError, match="greater than 0"):
            await ann.items("ping", str(bob.node.identity), count=0)
        with pytest.raises(CommandError, match="can't ping self"):
            await ann.items("ping", str(ann.node.identity))
        with pytest.raises(CommandError, match="peer lookup error"):
            await ann.items("ping", "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")


async def test_another_peer_says_who_it_is(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        told = await ann.call("id", str(bob.node.identity))
        own = await bob.call("id")
        assert (told["ID"], told["PublicKey"]) == (own["ID"], own["PublicKey"])
        assert address_of(bob.node) in told["Addresses"]
        assert address_of(bob.node) in own["Addresses"]
        assert "/ipfs/bitswap/1.2.0" in told["Protocols"]
        assert told["AgentVersion"].startswith("zwerm")
