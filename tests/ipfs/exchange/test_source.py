"""What is here at once, what is not from others: one list of blocks, read ahead, in sessions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.hosts import hosts
from tests.net.sockets import until
from zwerm.ipfs.bitswap.aio import Bitswap
from zwerm.ipfs.bitswap.config import ClientConfig
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.exchange.failure import FetchFailed
from zwerm.ipfs.exchange.retrieval import AHEAD_FIRST, AHEAD_MOST, Retrieval
from zwerm.ipfs.exchange.source import NetworkSource
from zwerm.ipfs.exchange.switch import SwitchedSource, offline
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

LEAVES = [Block.create(b"leaf %d " % number * 300) for number in range(90)]


def node_of(blocks: list[Block]) -> Block:
    data = PBNode(tuple(PBLink(block.cid, "", len(block.data)) for block in blocks)).serialize()
    return Block.create(data, multicodec.DAG_PB)


INNER = [node_of(LEAVES[start : start + 30]) for start in range(0, 90, 30)]
ROOT = node_of(INNER)
TREE = [ROOT, *INNER, *LEAVES]


@contextlib.asynccontextmanager
async def ann_and_bob(**config: float) -> AsyncIterator[tuple[NetworkSource, Bitswap]]:
    """Ann's source, who is connected to Bob."""
    with Hashers() as hashers:
        async with (
            hosts(2, connected=True) as swarms,
            Bitswap(swarms[0], MemoryBlockstore(), hashers, client=ClientConfig(**config)) as ann,  # type: ignore[arg-type]
            Bitswap(swarms[1], MemoryBlockstore(), hashers) as bob,
        ):
            ann._add(swarms[1].peer_id, knows_have=True)
            source = NetworkSource(LocalSource(ann.store), ann)
            try:
                yield source, bob
            finally:
                await source.close()


async def test_one_block_comes_from_another_and_then_from_here() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(TREE)
        assert not await source.has(ROOT.cid)
        assert await source.get(ROOT.cid) == ROOT.data
        assert await source.has(ROOT.cid)
        await bob.close()
        assert await source.get(ROOT.cid) == ROOT.data


async def test_a_list_that_is_partly_here_comes_in_order() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(LEAVES)
        source.bitswap.store.put([*LEAVES[:10], *LEAVES[40:50]])
        assert [data async for data in source.get_many(block.cid for block in LEAVES)] == [
            block.data for block in LEAVES
        ]
        assert source.bitswap.server.ledgers.of(bob.host.peer_id).blocks_received == 70


async def test_a_list_that_is_here_asks_nobody() -> None:
    async with ann_and_bob() as (source, _):
        source.bitswap.store.put(LEAVES)
        assert [data async for data in source.get_many(block.cid for block in LEAVES)] == [
            block.data for block in LEAVES
        ]
        assert source.retrievals == []


async def test_a_whole_tree_is_walked_in_one_session_and_nothing_comes_twice() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(TREE)
        with source.retrieving(ROOT.cid) as retrieval:
            found = {cid async for cid, _ in walk(source, [ROOT.cid])}
            progress = source.progress(retrieval)
        assert found == {block.cid for block in TREE}
        assert progress.blocks == len(TREE)
        assert progress.size == sum(len(block.data) for block in TREE)
        assert progress.duplicates == 0
        assert list(progress.shares) == [bob.host.peer_id]


@pytest.mark.parametrize("way", ["read", "gathered"])
async def test_a_block_that_comes_while_it_is_looked_up_is_not_asked_for_again(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ann_and_bob() as (source, bob):
        store, leaf, loop = source.bitswap.store, LEAVES[0], asyncio.get_running_loop()
        has, looked, came = store.has, asyncio.Event(), threading.Event()

        def look_slowly(cid: CID) -> bool:
            found = has(cid)
            if threading.current_thread() is not threading.main_thread():
                loop.call_soon_threadsafe(looked.set)
                came.wait(10)
            return found

        monkeypatch.setattr(store, "has", look_slowly)
        with source.retrieving(leaf.cid) as retrieval:
            source.bitswap.prefetch(retrieval.number, [leaf.cid])
            reading = asyncio.create_task(read(source, leaf) if way == "read" else source.gather([leaf.cid]))
            await looked.wait()
            bob.store.put([leaf])
            bob.blocks_put({leaf.cid.multihash: len(leaf.data)})
            await until(lambda: not source.bitswap.client.is_wanted(leaf.cid.multihash))
            came.set()
            await reading
            assert source.progress(retrieval).blocks == 1
        assert has(leaf.cid)


async def read(source: NetworkSource, block: Block) -> None:
    assert [data async for data in source.get_many([block.cid])] == [block.data]


async def test_who_watches_is_told_of_every_block() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(LEAVES)
        sizes: list[int] = []
        with source.retrieving(LEAVES[0].cid, lambda each: sizes.append(source.progress(each).size)) as retrieval:
            assert source.retrievals == [retrieval]
            async for _ in source.get_many(block.cid for block in LEAVES):
                pass
        assert len(sizes) == len(LEAVES)
        assert sizes == sorted(sizes)
        assert source.retrievals == []


async def test_a_list_that_is_given_up_takes_its_wants_back() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(LEAVES[:1])
        async with contextlib.aclosing(source.get_many(block.cid for block in LEAVES)) as blocks:
            assert await anext(blocks) == LEAVES[0].data
            assert source.bitswap.client.wantlist
        assert source.bitswap.client.wantlist == []


async def test_a_block_that_nobody_has_is_an_error_where_it_is_due() -> None:
    async with ann_and_bob(patience=0.2) as (source, bob):
        bob.store.put(LEAVES[:3])
        blocks = source.get_many(block.cid for block in LEAVES[:5])
        assert [await anext(blocks) for _ in range(3)] == [block.data for block in LEAVES[:3]]
        with pytest.raises(FetchFailed, match=str(LEAVES[3].cid)):
            await anext(blocks)


async def test_tasks_have_retrievals_of_their_own() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(LEAVES)

        async def get(cid: CID) -> None:
            await source.get(cid)
            current = source._retrieval(cid)
            assert current.root == cid
            numbers.add(current.number)

        numbers: set[int] = set()
        await asyncio.gather(*(asyncio.create_task(get(block.cid)) for block in LEAVES[:5]))
        assert len(numbers) == 5


async def test_retrievals_that_nobody_uses_make_room_for_new_ones() -> None:
    async with ann_and_bob(sessions=3) as (source, bob):
        bob.store.put(LEAVES)
        for block in LEAVES[:10]:
            await asyncio.create_task(source.get(block.cid))
        assert len(source._retrievals) <= 3


def test_reading_ahead_begins_small_and_grows_with_its_use() -> None:
    retrieval = Retrieval(1, ROOT.cid, 0.0, None)
    retrieval.follow(block.cid for block in LEAVES)
    first = retrieval.next_ahead()
    assert first == [block.cid for block in LEAVES[:AHEAD_FIRST]]
    assert retrieval.next_ahead() == []
    for cid in first:
        retrieval.use(cid)
    assert len(retrieval.next_ahead()) == AHEAD_FIRST + 2 * AHEAD_FIRST
    retrieval.follow(CID.of(b"%d" % number) for number in range(100_000))
    for _ in range(1_000):
        for cid in retrieval.next_ahead():
            retrieval.use(cid)
    assert len(retrieval._ahead) <= AHEAD_MOST
    assert len(retrieval._links) <= 8_192


# The node's source


async def test_the_source_of_a_node_asks_others_only_while_there_are_and_who_stays_offline_never() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(LEAVES)
        switched = SwitchedSource(source.local)
        with pytest.raises(BlockNotFound, match=r"is not here$"):
            await switched.get(LEAVES[0].cid)
        switched.online = source
        with offline(), pytest.raises(BlockNotFound, match=r"is not here$"):
            await switched.get(LEAVES[0].cid)
        assert await switched.get(LEAVES[0].cid) == LEAVES[0].data
        assert [data async for data in switched.get_many([LEAVES[1].cid])] == [LEAVES[1].data]
        assert await switched.has(LEAVES[1].cid)


async def test_leaves_are_gathered_into_the_store_without_being_handed_out() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(LEAVES)
        source.bitswap.store.put(LEAVES[:20])
        switched = SwitchedSource(source.local)
        await switched.gather([block.cid for block in LEAVES])  # nobody to ask
        assert not await source.has(LEAVES[20].cid)
        switched.online = source
        heard: list[Retrieval] = []
        with source.retrieving(ROOT.cid, heard.append) as retrieval:
            await switched.gather([block.cid for block in LEAVES])
            assert source.progress(retrieval).blocks == len(heard) == 70
        assert all(source.bitswap.store.get(block.cid) == block.data for block in LEAVES)


async def test_inner_nodes_are_gathered_and_read_ahead_of() -> None:
    async with ann_and_bob() as (source, bob):
        bob.store.put(TREE)
        with source.retrieving(ROOT.cid) as retrieval:
            await source.gather([block.cid for block in INNER])
            assert len(retrieval.next_ahead()) + len(retrieval._ahead) > 0
        assert [await source.has(block.cid) for block in INNER] == [True] * 3


async def test_what_cannot_be_gathered_is_said() -> None:
    async with ann_and_bob(patience=0.2, search_after=0.1) as (source, bob):
        bob.store.put(LEAVES[:1])
        with pytest.raises(FetchFailed):
            await source.gather([block.cid for block in LEAVES[:2]])
        assert source.bitswap.client.wantlist == []
