"""The collector removes what nothing keeps and nothing else, whatever goes on beside it, stopped and resumed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.ipfs.pins.dags import Tree, document, leaves, node
from zwerm.core.errors import StorageError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore import LocalSource, MemoryBlockstore, PackBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.pins import Collector, Phase, Pins, Progress
from zwerm.ipfs.pins.collector import Collection
from zwerm.multiformats.cid import CID

TREE = Tree()


def present(store: PackBlockstore, blocks: Iterable[Block]) -> list[bool]:
    return [store.has(item.cid) for item in blocks]


async def test_only_what_is_kept_stays(store: PackBlockstore, pins: Pins, source: LocalSource) -> None:
    store.put([*TREE.blocks, TREE.document, *leaves(10, 60)])
    await pins.add(source, TREE.left.cid)
    await pins.add(source, TREE.document.cid, recursive=False)
    root = node(leaves(20, 25), "a root that is no pin")
    store.put([root])
    before = store.statistics().packs
    removed = await Collector(store, pins, lambda: [root.cid]).collect()
    kept = [TREE.left, *TREE.leaves[:4], TREE.document, root, *leaves(20, 25)]
    assert set(store.multihashes()) == {item.cid.multihash for item in kept}
    assert removed.blocks == 2 + 2 + 45  # two nodes and two leaves of the tree
    assert removed.size == 45 * 100 + 2 * 100 + len(TREE.root.data) + len(TREE.right.data)
    assert store.statistics().packs < before


async def test_nothing_kept_nothing_left(store: PackBlockstore, pins: Pins) -> None:
    store.put(TREE.blocks)
    assert (await Collector(store, pins, list).collect()).blocks == len(TREE.blocks)
    assert list(store.multihashes()) == []
    assert (await Collector(store, pins, list).collect()).blocks == 0


async def test_every_codec_with_links_is_followed(store: PackBlockstore, pins: Pins, source: LocalSource) -> None:
    top = document([document([TREE.root]), node([document(leaves(30, 33))])])
    inner = [document([TREE.root]), node([document(leaves(30, 33))]), document(leaves(30, 33)), *leaves(30, 33)]
    store.put([top, *inner, *TREE.blocks])
    await pins.add(source, top.cid)
    assert (await Collector(store, pins, list).collect()).blocks == 0


async def test_progress_names_what_goes(store: PackBlockstore, pins: Pins, source: LocalSource) -> None:
    store.put([*TREE.blocks, *leaves(10, 1_200)])
    await pins.add(source, TREE.root.cid)
    told: list[Progress] = []
    await Collector(store, pins, list).collect(told.append)
    assert [key for step in told for key in step.keys] == sorted(item.cid.multihash for item in leaves(10, 1_200))
    assert told[-1].marked == len(TREE.blocks)
    assert told[-1].removed == (1_190, 119_000)
    assert [phase for phase in Phase if phase in {step.phase for step in told}] == list(Phase)


async def test_a_stopped_collection_goes_on_where_it_was(
    store: PackBlockstore, pins: Pins, source: LocalSource
) -> None:
    garbage = leaves(10, 2_500)
    store.put([*TREE.blocks, *garbage])
    await pins.add(source, TREE.root.cid)
    collector = Collector(store, pins, list)
    removed = 0
    stops = 0
    while True:
        stop = asyncio.Event()
        collecting = asyncio.create_task(collector.collect(lambda _, stop=stop: stop.set()))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({collecting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if collecting.done():
            break
        collecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await collecting
        assert collector.unfinished
        stops += 1
        if stops == 1:
            store.put(leaves(5_000, 5_010))  # newer than the threshold
    removed = (await collecting).blocks
    assert stops
    assert removed == len(garbage)
    assert not collector.unfinished
    assert set(store.multihashes()) == {item.cid.multihash for item in [*TREE.blocks, *leaves(5_000, 5_010)]}
    await collector.close()


async def test_a_collector_forgets_an_unfinished_collection_when_it_is_closed(
    store: PackBlockstore, pins: Pins
) -> None:
    store.put(leaves(0, 3_000))
    collector = Collector(store, pins, list)
    stop = asyncio.Event()
    collecting = asyncio.create_task(collector.collect(lambda _: stop.set()))
    await stop.wait()
    collecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await collecting
    await collector.close()
    assert not collector.unfinished


def is_late(item: Block) -> bool:
    """Whether a sweep, which goes by multihash, meets a block in its second half."""
    return item.cid.digest[0] >= 0x80


async def test_a_root_that_comes_during_the_sweep_is_kept(store: PackBlockstore, pins: Pins) -> None:
    """As when files are copied to a folder of the mutable files: nothing is put, only a root changes."""
    below = [item for item in leaves(10_000, 10_020) if is_late(item)]
    root = next(item for item in (node(below, f"{number}") for number in range(100)) if is_late(item))
    store.put([root, *below, *leaves(10, 3_000)])
    roots: list[CID] = []

    def watch(progress: Progress) -> None:
        if progress.removed.blocks and not roots:
            assert all(present(store, [root, *below]))
            roots.append(root.cid)

    await Collector(store, pins, lambda: list(roots)).collect(watch)
    assert roots
    assert set(store.multihashes()) == {item.cid.multihash for item in [root, *below]}


async def test_a_pin_that_comes_during_the_sweep_is_kept(
    store: PackBlockstore, pins: Pins, source: LocalSource
) -> None:
    store.put([*TREE.blocks, *leaves(10, 20)])
    collection = Collection(store, pins, list)
    while collection.phase is Phase.MARKING:
        collection.step()
    await pins.add(source, TREE.root.cid)  # which puts nothing, and whose hold has ended
    while collection.step():
        pass
    collection.close()
    assert set(store.multihashes()) == {item.cid.multihash for item in TREE.blocks}


@pytest.mark.parametrize("missing", ["left", "document"])
async def test_a_pin_that_is_not_whole_stops_it_before_anything_goes(
    store: PackBlockstore, pins: Pins, source: LocalSource, missing: str
) -> None:
    top = document([TREE.document])
    store.put([*TREE.blocks, TREE.document, top, *leaves(10, 20)])
    await pins.add(source, top.cid)
    await pins.add(source, TREE.root.cid)
    gone: Block = getattr(TREE, missing)
    store.delete([gone.cid])
    with pytest.raises(StorageError, match=f"nothing can be collected: {gone.cid}, below a pin, is not here"):
        await Collector(store, pins, list).collect()
    assert all(present(store, leaves(10, 20)))


async def test_other_roots_may_be_partly_absent_but_not_damaged(
    store: PackBlockstore, pins: Pins, tmp_path: Path
) -> None:
    store.put([TREE.root, TREE.left, *TREE.leaves[:4], *leaves(10, 20)])
    collector = Collector(store, pins, lambda: [TREE.root.cid])
    assert (await collector.collect()).blocks == 10
    assert all(present(store, [TREE.root, TREE.left, *TREE.leaves[:4]]))
    store.put(leaves(10, 20))
    store.sync()
    for path in (tmp_path / "blocks").iterdir():
        data = bytearray(path.read_bytes())
        at = data.find(TREE.left.data)
        if at >= 0:
            data[at] ^= 1
            path.write_bytes(data)
    with pytest.raises(StorageError, match=r"nothing can be collected: .* is damaged on disk"):
        await collector.collect()
    assert all(present(store, leaves(10, 20)))


async def test_after_a_lost_index_it_asks_first(store: PackBlockstore, pins: Pins) -> None:
    store.put(leaves(0, 5))
    store.sync()
    with store.database.transaction() as connection:
        store._index.set_state(connection, "rebuilt", 1)
    collector = Collector(store, pins, list)
    with pytest.raises(StorageError, match="the pins were lost with it"):
        await collector.collect()
    assert all(present(store, leaves(0, 5)))
    assert (await collector.collect(even_without_pins=True)).blocks == 5
    store.put(leaves(0, 5))
    assert (await collector.collect()).blocks == 5


async def test_adding_and_pinning_beside_collections_loses_nothing(
    store: PackBlockstore, pins: Pins, source: LocalSource
) -> None:
    """The same blocks over and over: found again while they are garbage, pinned at the end of a hold, unpinned."""
    ended = threading.Event()
    trees = [node(leaves(start, start + 30), f"{start}") for start in range(0, 120, 15)]

    async def collect() -> int:
        removed = 0
        while not ended.is_set():
            removed += (await Collector(store, pins, list).collect()).blocks
        return removed

    def build(tree: Block, start: int) -> None:
        with store.hold():
            store.put(leaves(start, start + 30))
            store.put([tree])
            pins.record(tree.cid)

    async def work() -> None:
        for _ in range(4):
            for number, tree in enumerate(trees):
                await asyncio.to_thread(build, tree, number * 15)
                if number % 2:
                    await pins.add(source, tree.cid, name="again")
                for item in [tree, *leaves(number * 15, number * 15 + 30)]:
                    assert store.get(item.cid, verify=True) == item.data
                if number >= 2:
                    await pins.remove(trees[number - 2].cid)
            for tree in trees[-2:]:
                await pins.remove(tree.cid)
        ended.set()

    collecting = asyncio.create_task(collect())
    try:
        await work()
    finally:
        ended.set()
        removed = await collecting
    assert removed > 100


async def test_two_callers_wait_for_each_other(store: PackBlockstore, pins: Pins) -> None:
    store.put(leaves(0, 1_000))
    collector = Collector(store, pins, list)
    first, second = await asyncio.gather(collector.collect(), collector.collect())
    assert (first.blocks, second.blocks) == (1_000, 0)


async def test_a_store_in_memory_can_be_collected(tmp_path: Path) -> None:
    store = MemoryBlockstore()
    store.put([*TREE.blocks, *leaves(10, 20)])
    database = Database(tmp_path / "pins.sqlite")
    pins = Pins(database, store)
    await pins.add(LocalSource(store), TREE.root.cid)
    assert await Collector(store, pins, list).collect() == (10, 1_000)
    database.close()
