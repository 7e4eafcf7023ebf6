"""Blocks that wait for the store, and which of them a root still needs."""

from __future__ import annotations

import pytest

from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.mfs.workspace import Workspace
from zwerm.multiformats import multicodec

LEAF = Block.create(b"leaf")
OTHER = Block.create(b"other")
NODE = Block.create(PBNode((PBLink(LEAF.cid, "a", 4),)).serialize(), multicodec.DAG_PB)


async def test_a_block_is_found_here_first_and_then_in_the_source() -> None:
    store = MemoryBlockstore()
    store.put([OTHER])
    workspace = Workspace(LocalSource(store))
    workspace.put([LEAF, LEAF])
    assert workspace.size == 4
    assert [data async for data in workspace.get_many([LEAF.cid, OTHER.cid])] == [b"leaf", b"other"]
    assert await workspace.has(LEAF.cid)
    assert await workspace.has(OTHER.cid)
    assert not await workspace.has(NODE.cid)
    with pytest.raises(BlockNotFound):
        await workspace.get(NODE.cid)


def test_only_what_a_root_leads_to_is_wanted() -> None:
    workspace = Workspace(LocalSource(MemoryBlockstore()))
    workspace.put([LEAF, OTHER, NODE])
    assert workspace.reachable(NODE.cid) == [NODE, LEAF]
    workspace.keep(workspace.reachable(NODE.cid))
    assert sorted(workspace.all()) == sorted([NODE, LEAF])
    workspace.forget([LEAF, OTHER])
    assert (workspace.all(), workspace.size) == ([NODE], len(NODE.data))
    workspace.clear()
    assert (workspace.all(), workspace.size) == ([], 0)
