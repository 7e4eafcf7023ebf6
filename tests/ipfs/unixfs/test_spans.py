"""Spans: the same bytes as reading gives, without reading the leaves, and every lie of an inner node found."""

from __future__ import annotations

import dataclasses
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs.builder import FileBuilder
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.profile import DEFAULT, Layout
from zwerm.ipfs.unixfs.reader import open_file
from zwerm.ipfs.unixfs.spans import spans
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

DATA = os.urandom(1000)
SMALL = dataclasses.replace(DEFAULT, chunker="size-16", max_links=3)
PROFILES = {
    "raw leaves": SMALL,
    "wrapped leaves": dataclasses.replace(SMALL, raw_leaves=False),
    "trickle": dataclasses.replace(SMALL, layout=Layout.TRICKLE),
    "one block": DEFAULT,
}


def build(profile) -> tuple[LocalSource, CID]:
    store = MemoryBlockstore()
    builder = FileBuilder(store, profile)
    builder.write(DATA)
    return LocalSource(store), builder.finish().cid


async def joined(source: LocalSource, cid: CID, start: int, end: int) -> bytes:
    found = b""
    async for span in spans(source, await open_file(source, cid), start, end):
        data = span.data
        if data is None:
            leaf = await source.get(span.cid)
            assert len(leaf) == span.leaf
            data = leaf[span.offset : span.offset + span.size]
        assert len(data) == span.size
        found += data
    return found


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
async def test_any_range_is_what_reading_gives(profile) -> None:
    source, cid = build(profile)
    for start in range(0, 1000, 61):
        for end in (start, start + 1, start + 16, start + 47, 1000, 2000):
            assert await joined(source, cid, start, end) == DATA[start:end]


@given(st.integers(0, 1000), st.integers(0, 1100), st.sampled_from(sorted(PROFILES)))
@settings(max_examples=50, deadline=None)
async def test_random_ranges(start: int, end: int, name: str) -> None:
    source, cid = build(PROFILES[name])
    assert await joined(source, cid, start, end) == DATA[start : max(end, start)]


async def test_leaves_are_not_read() -> None:
    source, cid = build(SMALL)
    leaves = [span.cid async for span in spans(source, await open_file(source, cid))]
    source.store.delete(leaves)
    assert [span.cid async for span in spans(source, await open_file(source, cid))] == leaves


async def test_a_missing_inner_node_is_said() -> None:
    source, cid = build(SMALL)
    root = await open_file(source, cid)
    source.store.delete([root.node.links[0].cid])
    with pytest.raises(BlockNotFound):
        [span async for span in spans(source, root)]


async def test_a_child_that_is_larger_than_its_parent_says_is_a_lie() -> None:
    source, cid = build(SMALL)
    message = UnixFSData(DataType.FILE, None, 10, (10,)).serialize()
    lying = Block.create(dag_pb.PBNode((PBLink(cid, "", 10),), message).serialize(), multicodec.DAG_PB)
    source.store.put([lying])
    with pytest.raises(WireError, match="its parent says 10"):
        [span async for span in spans(source, await open_file(source, lying.cid))]


async def test_a_negative_start_is_refused() -> None:
    source, cid = build(SMALL)
    with pytest.raises(LocalProtocolError):
        [span async for span in spans(source, await open_file(source, cid), -1)]
