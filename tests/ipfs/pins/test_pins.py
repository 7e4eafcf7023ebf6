"""Pins: what they promise, what they say, and what stands against them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from tests.conformance.check_blockstore import block
from tests.ipfs.pins.dags import Tree, leaves, node
from zwerm.ipfs.block import Block, BlockNotFound, HashMismatch
from zwerm.ipfs.blockstore import LocalSource, MemoryBlockstore, PackBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.pins import NotPinned, Pin, PinConflict, PinKind, Pins
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

TREE = Tree()


@pytest.fixture(autouse=True)
def _blocks(store: PackBlockstore) -> None:
    store.put([*TREE.blocks, TREE.document])


async def listed(pins: Pins, kind: PinKind | None = None, name: str | None = None) -> list[tuple[CID, PinKind, str]]:
    return [(pin.cid, pin.kind, pin.name) async for pin in pins.list(kind, name)]


async def test_a_pin_is_there_after_a_restart(store: PackBlockstore, pins: Pins, source: LocalSource) -> None:
    await pins.add(source, TREE.root.cid, name="holiday")
    assert pins.find(TREE.root.cid) == Pin(TREE.root.cid, PinKind.RECURSIVE, "holiday")
    again = Pins(store.database, store)
    assert again.find(TREE.root.cid) == Pin(TREE.root.cid, PinKind.RECURSIVE, "holiday")


async def test_listing_names_each_kind_once(pins: Pins, source: LocalSource) -> None:
    await pins.add(source, TREE.root.cid, name="root")
    await pins.add(source, TREE.leaves[0].cid, recursive=False, name="leaf")
    await pins.add(source, TREE.right.cid)
    recursive = {(TREE.root.cid, PinKind.RECURSIVE, "root"), (TREE.right.cid, PinKind.RECURSIVE, "")}
    direct = [(TREE.leaves[0].cid, PinKind.DIRECT, "leaf")]
    indirect = {(item.cid, PinKind.INDIRECT, "") for item in [TREE.left, *TREE.leaves[1:]]}
    everything = await listed(pins)
    assert set(everything[:2]) == recursive
    assert everything[2:3] == direct
    assert set(everything[3:]) == indirect
    assert len(everything) == 3 + len(indirect)
    assert set(await listed(pins, PinKind.RECURSIVE)) == recursive
    assert await listed(pins, PinKind.DIRECT) == direct
    assert set(await listed(pins, PinKind.INDIRECT)) == indirect
    assert await listed(pins, name="oo") == [(TREE.root.cid, PinKind.RECURSIVE, "root")]


async def test_cids_are_listed_as_they_were_pinned_and_linked(store: PackBlockstore, pins: Pins) -> None:
    child = node([], "child", version=0)
    parent = node([child], "parent", version=0)
    store.put([child, parent])
    await pins.add(LocalSource(store), parent.cid)
    assert [str(cid)[:2] for cid, _, _ in await listed(pins)] == ["Qm", "Qm"]
    assert pins.find(parent.cid.to_v1()) == Pin(parent.cid, PinKind.RECURSIVE)


async def test_many_pins_are_listed_a_page_at_a_time(store: PackBlockstore, pins: Pins) -> None:
    many = [block(number, 10) for number in range(2_500)]
    store.put(many)
    with store.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO pins VALUES (?, ?, 1, 'recursive', '', 0)", [(cid.multihash, cid.codec) for cid, _ in many]
        )
    pages = list(pins.pages(PinKind.RECURSIVE))
    assert [len(page) for page in pages] == [1_000, 1_000, 500]
    assert {pin.cid for page in pages for pin in page} == {cid for cid, _ in many}
    assert len(await listed(pins)) == 2_500


async def test_check_says_what_keeps_a_block(pins: Pins, source: LocalSource) -> None:
    assert await pins.check(TREE.root.cid) is None
    await pins.add(source, TREE.right.cid)
    await pins.add(source, TREE.leaves[0].cid, recursive=False)
    assert await pins.check(TREE.right.cid) == Pin(TREE.right.cid, PinKind.RECURSIVE)
    assert await pins.check(TREE.leaves[0].cid) == Pin(TREE.leaves[0].cid, PinKind.DIRECT)
    assert await pins.check(TREE.leaves[5].cid) == Pin(TREE.leaves[5].cid, PinKind.INDIRECT, via=TREE.right.cid)
    assert await pins.check(TREE.leaves[1].cid) is None


async def test_pinning_again_changes_name_and_kind(pins: Pins, source: LocalSource) -> None:
    await pins.add(source, TREE.root.cid, recursive=False, name="first")
    await pins.add(source, TREE.root.cid, name="second")
    assert pins.find(TREE.root.cid) == Pin(TREE.root.cid, PinKind.RECURSIVE, "second")
    with pytest.raises(PinConflict, match=f"{TREE.root.cid} already pinned recursively"):
        await pins.add(source, TREE.root.cid, recursive=False)
    await pins.add(source, TREE.root.cid, name="third")
    assert pins.find(TREE.root.cid) == Pin(TREE.root.cid, PinKind.RECURSIVE, "third")


async def test_unpinning(pins: Pins, source: LocalSource) -> None:
    await pins.add(source, TREE.root.cid)
    with pytest.raises(NotPinned, match="not pinned or pinned indirectly"):
        await pins.remove(TREE.left.cid)
    with pytest.raises(PinConflict, match="is pinned recursively"):
        await pins.remove(TREE.root.cid, recursive=False)
    await pins.remove(TREE.root.cid)
    assert await listed(pins) == []
    with pytest.raises(NotPinned):
        await pins.remove(TREE.root.cid)


async def test_update_moves_the_pin_with_its_name(pins: Pins, source: LocalSource) -> None:
    await pins.add(source, TREE.left.cid, name="mine")
    await pins.update(source, TREE.left.cid, TREE.root.cid)
    assert await listed(pins, PinKind.RECURSIVE) == [(TREE.root.cid, PinKind.RECURSIVE, "mine")]
    await pins.update(source, TREE.root.cid, TREE.right.cid, unpin=False)
    assert len(await listed(pins, PinKind.RECURSIVE)) == 2
    await pins.update(source, TREE.root.cid, TREE.root.cid)
    assert pins.find(TREE.root.cid) is not None
    with pytest.raises(NotPinned, match="'from' cid was not recursively pinned already"):
        await pins.update(source, TREE.left.cid, TREE.root.cid)


async def test_a_dag_that_is_not_whole_is_not_pinned(store: PackBlockstore, pins: Pins, source: LocalSource) -> None:
    store.delete([TREE.leaves[4].cid])
    with pytest.raises(BlockNotFound) as missing:
        await pins.add(source, TREE.root.cid)
    assert missing.value.cid == TREE.leaves[4].cid
    assert await listed(pins) == []
    await pins.add(source, TREE.left.cid)


class Network:
    """A source that has blocks which the store has not, and may lie."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = {item.cid.multihash: item.data for item in blocks}
        self.asked: list[bytes] = []

    async def get(self, cid: CID) -> bytes:
        self.asked.append(cid.multihash)
        await asyncio.sleep(0)
        if cid.multihash not in self.blocks:
            raise BlockNotFound(cid)
        return self.blocks[cid.multihash]

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        for cid in cids:
            yield await self.get(cid)

    async def has(self, cid: CID) -> bool:
        return cid.multihash in self.blocks


async def test_pinning_fetches_what_is_missing_and_nothing_else(store: PackBlockstore, pins: Pins) -> None:
    store.delete(item.cid for item in (TREE.root, TREE.right, TREE.leaves[5]))
    network = Network(TREE.blocks)
    seen: list[int] = []
    await pins.add(network, TREE.root.cid, progress=seen.append)
    assert set(network.asked) == {item.cid.multihash for item in (TREE.root, TREE.right, TREE.leaves[5])}
    assert len(network.asked) == 3
    assert all(store.get(cid, verify=True) == data for cid, data in TREE.blocks)
    assert seen[-1] == len(TREE.blocks)
    assert seen == sorted(seen)


async def test_what_a_source_gives_is_verified(store: PackBlockstore, pins: Pins) -> None:
    store.delete([TREE.leaves[0].cid])
    network = Network(TREE.blocks)
    network.blocks[TREE.leaves[0].cid.multihash] = b"something else"
    with pytest.raises(HashMismatch):
        await pins.add(network, TREE.root.cid)
    assert await listed(pins) == []


async def test_a_cancelled_pin_is_none(store: PackBlockstore, pins: Pins) -> None:
    class Stuck(Network):
        async def get(self, cid: CID) -> bytes:
            reached.set()
            await asyncio.Event().wait()
            return await super().get(cid)

    reached = asyncio.Event()
    store.delete([TREE.leaves[0].cid])
    adding = asyncio.create_task(pins.add(Stuck([]), TREE.root.cid))
    await reached.wait()
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await listed(pins) == []
    assert store.threshold() == store._holds.epoch  # no hold was left open


async def test_links_inside_identity_cids_are_followed(store: PackBlockstore, pins: Pins, source: LocalSource) -> None:
    hidden = leaves(50, 51)[0]
    inner = Block.create(node([hidden]).data[:128], multicodec.DAG_PB, multicodec.IDENTITY)
    outer = node([inner], "outer")
    store.put([outer])
    with pytest.raises(BlockNotFound) as missing:
        await pins.add(source, outer.cid)
    assert missing.value.cid == hidden.cid
    store.put([hidden])
    await pins.add(source, outer.cid)
    assert (await pins.check(hidden.cid)) == Pin(hidden.cid, PinKind.INDIRECT, via=outer.cid)


async def test_verify_names_every_pin_that_a_bad_block_breaks(
    store: PackBlockstore, pins: Pins, source: LocalSource, tmp_path: Path
) -> None:
    other = node([TREE.left], "other")
    store.put([other])
    for root in (TREE.root, TREE.right, other):
        await pins.add(source, root.cid)
    assert all([status.ok async for status in pins.verify()])
    for path in (tmp_path / "blocks").iterdir():
        data = bytearray(path.read_bytes())
        at = data.find(TREE.leaves[0].data)
        if at >= 0:
            data[at] ^= 1
            path.write_bytes(data)
    store.delete([TREE.leaves[5].cid])
    found = {status.cid: {bad.cid: bad.error for bad in status.bad} async for status in pins.verify()}
    assert set(found[TREE.root.cid]) == {TREE.leaves[0].cid, TREE.leaves[5].cid}
    assert set(found[other.cid]) == {TREE.leaves[0].cid}
    assert set(found[TREE.right.cid]) == {TREE.leaves[5].cid}
    assert "is damaged on disk" in found[other.cid][TREE.leaves[0].cid]
    assert "is not here" in found[TREE.right.cid][TREE.leaves[5].cid]


async def test_pins_work_on_a_store_in_memory(tmp_path: Path) -> None:
    store = MemoryBlockstore()
    store.put(TREE.blocks)
    database = Database(tmp_path / "pins.sqlite")
    pins = Pins(database, store)
    await pins.add(LocalSource(store), TREE.root.cid)
    assert len(await listed(pins)) == len(TREE.blocks)
    database.close()
