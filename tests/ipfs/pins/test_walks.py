"""Walks: a step at a time over what is here, over what must be here, and over what can be fetched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ipfs.pins.dags import Tree, leaves, node
from tests.ipfs.unixfs.blocks import Blocks
from zwerm.core.errors import StorageError
from zwerm.ipfs.block import Block, BlockNotFound, HashMismatch
from zwerm.ipfs.blockstore import LocalSource, MemoryBlockstore
from zwerm.ipfs.pins import walks
from zwerm.ipfs.pins.marks import Marks
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

TREE = Tree()


@pytest.fixture
def marks() -> Iterator[Marks]:
    marks = Marks()
    yield marks
    marks.close()


@pytest.fixture
def store() -> MemoryBlockstore:
    store = MemoryBlockstore()
    store.put(TREE.blocks)
    return store


def test_a_step_returns_what_is_new_and_the_end_is_none(store: MemoryBlockstore, marks: Marks) -> None:
    marks.add([TREE.root.cid])
    seen = {TREE.root.cid}
    while (new := walks.step(store, marks)) is not None:
        assert seen.isdisjoint(new)
        seen.update(new)
    assert seen == {item.cid for item in TREE.blocks}


def test_below_what_cannot_be_read_there_is_nothing(store: MemoryBlockstore, marks: Marks) -> None:
    not_what_it_says = Block.create(b"\xff no protobuf", multicodec.DAG_PB)
    root = node([TREE.left, not_what_it_says])
    store.put([root, not_what_it_says])
    store.delete([TREE.left.cid])
    marks.add([root.cid])
    while walks.step(store, marks) is not None:
        pass
    assert marks.count == 3


@pytest.mark.parametrize("partial", [False, True])
def test_a_strict_walk_stops_where_something_is_hidden(store: MemoryBlockstore, marks: Marks, partial: bool) -> None:
    store.delete([TREE.left.cid])
    marks.add([TREE.root.cid])
    assert walks.strict_step(store, marks, partial=partial)
    if partial:
        while walks.strict_step(store, marks, partial=True):
            pass
        assert marks.count == 1 + 2 + 4
    else:
        with pytest.raises(StorageError, match="below a pin, is not here; see `pin verify`"):
            walks.strict_step(store, marks, partial=False)


def test_a_check_reads_leaves_too(store: MemoryBlockstore, marks: Marks) -> None:
    store._blocks[TREE.leaves[0].cid.multihash] = (b"rot", 0)
    store.delete([TREE.leaves[5].cid])
    marks.add([TREE.root.cid])
    bad = []
    while (found := walks.check_step(store, marks)) is not None:
        bad += found
    assert {item.cid for item in bad} == {TREE.leaves[0].cid, TREE.leaves[5].cid}


async def test_completing_a_wide_dag_tells_how_far_it_is() -> None:
    store = MemoryBlockstore()
    wide = node([node(leaves(start, start + 10), str(start)) for start in range(0, 1_000, 10)])
    store.put([wide, *(node(leaves(start, start + 10), str(start)) for start in range(0, 1_000, 10))])
    store.put(leaves(0, 1_000))
    told: list[int] = []
    await walks.complete(LocalSource(store), store, [wide.cid], told.append)
    assert told[-1] == 1_101
    assert len(told) > 2


def test_a_strict_walk_stops_at_a_block_that_is_not_what_it_says(store: MemoryBlockstore, marks: Marks) -> None:
    broken = Block.create(b"\xff no protobuf", multicodec.DAG_PB)
    store.put([broken])
    marks.add([broken.cid])
    with pytest.raises(StorageError, match="nothing can be collected"):
        walks.strict_step(store, marks, partial=True)


def test_a_check_names_blocks_that_cannot_be_parsed_and_goes_on(store: MemoryBlockstore, marks: Marks) -> None:
    broken = Block.create(b"\xff no protobuf", multicodec.DAG_PB)
    store.put([broken])
    marks.add([broken.cid, TREE.root.cid])
    bad = []
    while (found := walks.check_step(store, marks)) is not None:
        bad += found
    assert [item.cid for item in bad] == [broken.cid]
    assert marks.count == 1 + len(TREE.blocks)


class Elsewhere(Blocks):
    """What other nodes have; nothing of it is in the store yet."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self.put(blocks)


async def test_what_is_missing_is_fetched_and_what_is_here_is_not() -> None:
    store, others = MemoryBlockstore(), Elsewhere(TREE.blocks)
    store.put([TREE.left, TREE.leaves[0]])
    await walks.complete(others, store, [TREE.root.cid])
    assert all(store.get(item.cid, verify=True) == item.data for item in TREE.blocks)
    assert {TREE.left.cid, TREE.leaves[0].cid}.isdisjoint(others.asked)
    assert len(others.asked) == len(set(others.asked)) == len(TREE.blocks) - 2


async def test_a_source_that_stores_what_it_gives_is_not_doubled() -> None:
    store, others = MemoryBlockstore(), Elsewhere(TREE.blocks)

    class Keeping(Elsewhere):
        async def get(self, cid: CID) -> bytes:
            data = await others.get(cid)
            store.put([Block(cid, data)])
            return data

    await walks.complete(Keeping([]), store, [TREE.root.cid])
    assert sorted(store.multihashes()) == sorted(item.cid.multihash for item in TREE.blocks)


async def test_other_bytes_than_were_asked_for_are_never_stored() -> None:
    store, liar = MemoryBlockstore(), Elsewhere(TREE.blocks)
    liar.data[TREE.leaves[5].cid] = b"something else"
    with pytest.raises(HashMismatch):
        await walks.complete(liar, store, [TREE.root.cid])
    assert not store.has(TREE.leaves[5].cid)


async def test_what_nobody_has_is_named() -> None:
    store, others = MemoryBlockstore(), Elsewhere(TREE.blocks)
    del others.data[TREE.right.cid]
    with pytest.raises(BlockNotFound) as caught:
        await walks.complete(others, store, [TREE.root.cid])
    assert caught.value.cid == TREE.right.cid


async def test_below_an_identity_block_there_may_be_others() -> None:
    store, others = MemoryBlockstore(), Elsewhere(TREE.blocks)
    inline = CID.of(node([TREE.leaves[1]]).data, multicodec.DAG_PB, multicodec.IDENTITY)
    await walks.complete(others, store, [inline])
    assert others.asked == [TREE.leaves[1].cid]
    assert list(store.multihashes()) == [TREE.leaves[1].cid.multihash]
