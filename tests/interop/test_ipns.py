"""Names between a whole node and Helia, by the DHT: each publishes, the other follows, and follows the change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.daemon.rpc.networked import address_of, network_of
from tests.node.test_network_routing import until
from tests.peers.lines import LinePeer
from zwerm.node.node import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

FIRST = "/ipfs/bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
SECOND = "/ipfs/bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"


async def test_names_of_one_are_followed_by_the_other(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with LinePeer.node("helia_ipns.mjs") as helia:

        async def ask(question: object) -> object:
            answer = await loop.run_in_executor(None, helia.ask, question)
            return answer["result"]

        told = await loop.run_in_executor(None, helia.answer)
        async with Node(tmp_path, profile="test", online=True) as node:
            rpc = Rpc(node)
            await ask({"connect": address_of(node)})
            lan = network_of(node).ways.lan
            assert lan is not None
            await until(lambda: len(lan.dht.table))
            assert told["peer"] in [str(peer) for _, peer in lan.contacts()]

            theirs = await ask({"publish": FIRST})
            assert (await rpc.call("name/resolve", theirs))["Path"] == FIRST
            await ask({"publish": SECOND})
            assert (await rpc.call("name/resolve", theirs, nocache=True))["Path"] == SECOND

            ours = (await rpc.call("name/publish", FIRST, resolve=False))["Name"]
            assert await ask({"resolve": ours}) == FIRST
            await rpc.call("name/publish", SECOND, resolve=False)
            assert await ask({"resolve": ours}) == SECOND
