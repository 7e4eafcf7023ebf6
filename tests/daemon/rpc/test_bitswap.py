"""`bitswap/*` and fetching by the commands that read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of, two_nodes
from zwerm.core.random import seeded
from zwerm.ipfs.block import BlockNotFound

CONTENT = seeded("content").randbytes(1_000_000)


async def test_what_another_has_is_read_and_counted(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = str(await bob.node.add(CONTENT))
        assert await ann.data("cat", cid) == CONTENT
        stat = await ann.call("bitswap/stat")
        assert stat["BlocksReceived"] == 5
        assert stat["DataReceived"] > len(CONTENT)
        assert (stat["DupBlksReceived"], stat["Wantlist"]) == (0, [])
        assert stat["Peers"] == [str(bob.node.identity)]
        assert stat == await ann.call("stats/bitswap")
        async with asyncio.timeout(10):
            while (await bob.call("bitswap/stat"))["BlocksSent"] < 5:  # noqa: ASYNC110 -- it is told nobody
                await asyncio.sleep(0.01)
        ledger = await ann.call("bitswap/ledger", str(bob.node.identity))
        assert ledger["Recv"] == stat["DataReceived"]
        assert (ledger["Peer"], ledger["Sent"], ledger["Exchanged"]) == (str(bob.node.identity), 0, 5)


async def test_what_is_waited_for_is_on_the_wantlists_of_both(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = await bob.node.add(b"later" * 1_000, only_hash=True)
        waiting = asyncio.create_task(ann.data("cat", str(cid)))
        wanted = {"Keys": [{"/": str(cid)}]}
        peer = str(ann.node.identity)
        async with asyncio.timeout(10):
            while await bob.call("bitswap/wantlist", peer=peer) != wanted:  # noqa: ASYNC110 -- it is told nobody
                await asyncio.sleep(0.01)
        assert await ann.call("bitswap/wantlist") == await ann.call("bitswap/wantlist", peer=peer) == wanted
        await bob.node.add(b"later" * 1_000)
        assert await waiting == b"later" * 1_000


async def test_a_request_that_stays_offline_asks_nobody_and_the_next_one_does(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = str(await bob.node.add(CONTENT))
        with pytest.raises(BlockNotFound, match=r"is not here$"):
            await ann.data("cat", cid, offline=True)
        assert network_of(ann.node).bitswap.count.messages_received == 0
        assert await ann.data("cat", cid) == CONTENT


async def test_folders_are_listed_pinned_and_walked_from_another(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    for number in range(20):
        (folder / "below" / f"{number}.txt").write_text(f"file {number}" * 500)
    async with two_nodes(tmp_path) as (ann, bob):
        cid = str(await bob.node.add(folder))
        (listed,) = (await ann.items("ls", cid))[0]["Objects"]
        assert [link["Name"] for link in listed["Links"]] == ["below"]
        assert (await ann.items("pin/add", cid))[-1] == {"Pins": [cid]}
        assert await ann.data("cat", f"{cid}/below/7.txt") == b"file 7" * 500
        assert network_of(ann.node).bitswap.client.duplicates == 0
