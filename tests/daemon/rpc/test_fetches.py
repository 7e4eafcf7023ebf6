"""`stats/fetches`: what comes from others now."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.daemon.rpc.networked import two_nodes
from zwerm.multiformats.cid import CID


async def test_a_node_without_a_network_fetches_nothing(rpc: Rpc) -> None:
    assert await rpc.items("stats/fetches") == [{"Fetches": []}]


@pytest.mark.slow
async def test_polling_shows_a_fetch_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = CID.of(b"given later")
        getting = asyncio.create_task(ann.node.source.get(cid))
        looks = await ann.call("stats/fetches", poll=True, interval="5ms")
        async for look in looks:
            if look["Fetches"] and look["Fetches"][0]["Asked"]:
                break
        (fetch,) = look["Fetches"]
        assert (fetch["Root"], fetch["Phase"], fetch["From"]) == (str(cid), "asking", [])
        assert fetch["Asked"] == [str(bob.node.identity)]
        await bob.node.add(b"given later")
        assert await getting == b"given later"
        async for look in looks:
            if not look["Fetches"]:
                break
        await looks.aclose()
