"""Walks: a step at a time over what is here, over what must be here, and over what can be fetched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ipfs.pins.dags import Tree, leaves, node
from zwerm.core.errors import StorageError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore import LocalSource, MemoryBlockstore
from zwerm.ipfs.pins import walks
from zwerm.ipfs.pins.marks import Marks
from zwerm.multiformats import multicodec

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
