"""Places: the same bytes as reading gives, straight out of the pack, and none that does not match its hash."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.rot import rot
from zwerm.core.errors import WireError
from zwerm.ipfs.block import Block, BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore import LocalSource, PackBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs.builder import FileBuilder
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.placed import placed, read
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.unixfs.reader import open_file
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

KIB = 1024
DATA = os.urandom(6_000 * KIB)


class Opened(NamedTuple):
    """A store as it is found after a start: nothing in it has been read."""

    store: PackBlockstore
    source: LocalSource


@pytest.fixture
def reopen(tmp_path: Path) -> Iterator[Callable[[], Opened]]:
    opened: list[PackBlockstore] = []

    def close() -> None:
        while opened:
            store = opened.pop()
            store.close()
            store.database.close()

    def open_again() -> Opened:
        close()
        store = PackBlockstore(tmp_path / "blocks", Database(tmp_path / "index.sqlite"))
        opened.append(store)
        return Opened(store, LocalSource(store))

    yield open_again
    close()


def build(store: PackBlockstore, profile: Profile = DEFAULT, data: bytes = DATA) -> CID:
    builder = FileBuilder(store, profile)
    builder.write(data)
    cid = builder.finish().cid
    store.sync()
    return cid


async def joined(opened: Opened, cid: CID, start: int = 0, end: int = len(DATA), *, verify: bool = False) -> bytes:
    found = bytearray()
    file = await open_file(opened.source, cid)
    async with aclosing(placed(opened.store, opened.source, file, start, end, verify=verify)) as runs:
        async for run in runs:
            span, location = run
            if location is None:
                found += await read(opened.source, span)
            else:
                found += os.pread(location.descriptor, span.size, location.offset + span.offset)
    return bytes(found)


@pytest.mark.parametrize("verify", [False, True], ids=["once", "each time"])
async def test_any_range_is_what_reading_gives(reopen: Callable[[], Opened], verify: bool) -> None:
    cid = build(reopen().store)
    opened = reopen()
    for _ in range(2):  # unread, then known
        assert await joined(opened, cid, verify=verify) == DATA
        for start, end in ((0, 0), (0, 1), (300 * KIB, 301 * KIB), (1_048_575, 1_048_577), (5_000 * KIB, 6_000 * KIB)):
            assert await joined(opened, cid, start, end, verify=verify) == DATA[start:end]


async def test_bytes_that_lie_in_inner_nodes_come_along(reopen: Callable[[], Opened]) -> None:
    store = reopen().store
    leaves = [Block.create(DATA[:1000]), Block.create(DATA[1000:3000])]
    message = UnixFSData(DataType.FILE, b"own", filesize=3003, blocksizes=(1000, 2000)).serialize()
    links = [PBLink(leaf.cid, "", len(leaf.data)) for leaf in leaves]
    root = Block.create(dag_pb.PBNode(tuple(links), message).serialize(), multicodec.DAG_PB)
    store.put([*leaves, root])
    store.sync()
    assert await joined(reopen(), root.cid, 0, 3003) == b"own" + DATA[:3000]


@pytest.mark.parametrize("known", [False, True], ids=["unread", "read before"])
async def test_a_rotten_leaf_ends_the_runs_behind_what_is_right(
    reopen: Callable[[], Opened], tmp_path: Path, known: bool
) -> None:
    opened = reopen()
    cid = build(opened.store)
    if not known:
        opened = reopen()
    assert not known or await joined(opened, cid) == DATA
    bad = 3 * 1024 * KIB
    rot(tmp_path / "blocks", DATA[bad : bad + 64])
    found = 0

    async def send() -> None:
        nonlocal found
        file = await open_file(opened.source, cid)
        async with aclosing(placed(opened.store, opened.source, file, 0, len(DATA))) as runs:
            async for span, location in runs:
                assert location is not None
                data = os.pread(location.descriptor, span.size, location.offset + span.offset)
                assert data == DATA[found : found + span.size]
                found += span.size

    with pytest.raises(CorruptBlock):
        await send()
    assert found == bad
    assert await joined(opened, cid, 0, bad) == DATA[:bad]
    after = bad + 1024 * KIB
    assert await joined(opened, cid, after, len(DATA)) == DATA[after:]
    with pytest.raises(CorruptBlock):
        await joined(opened, cid, bad + 10, bad + 11)


async def test_a_missing_leaf_and_a_lying_node_are_told_where_they_are_due(reopen: Callable[[], Opened]) -> None:
    opened = reopen()
    leaf = Block.create(DATA[:1000])
    absent = Block.create(DATA[1000:2000])

    def node(sizes: tuple[int, int]) -> Block:
        message = UnixFSData(DataType.FILE, None, filesize=sum(sizes), blocksizes=sizes).serialize()
        links = (PBLink(leaf.cid, "", 1000), PBLink(absent.cid, "", 1000))
        return Block.create(dag_pb.PBNode(links, message).serialize(), multicodec.DAG_PB)

    honest, lying = node((1000, 1000)), node((999, 1000))
    opened.store.put([leaf, honest, lying])
    assert await joined(opened, honest.cid, 0, 1000) == DATA[:1000]
    with pytest.raises(BlockNotFound):
        await joined(opened, honest.cid, 0, 1001)
    with pytest.raises(WireError, match="its parent says 999"):
        await joined(opened, lying.cid, 0, 999)


async def test_leaving_early_ends_every_hold(reopen: Callable[[], Opened]) -> None:
    cid = build(reopen().store)
    opened = reopen()
    file = await open_file(opened.source, cid)
    runs = placed(opened.store, opened.source, file, 0, len(DATA))
    for _ in range(3):
        await anext(runs)
    assert opened.store._holds.oldest() is not None
    await runs.aclose()
    assert opened.store._holds.oldest() is None
