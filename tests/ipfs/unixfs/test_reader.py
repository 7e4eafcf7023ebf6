"""Reading files: any range of any tree, and no lie of a block goes unnoticed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs.builder import FileBuilder
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotAFile, NotUnixFS
from zwerm.ipfs.unixfs.profile import Layout, Profile
from zwerm.ipfs.unixfs.reader import MAX_DEPTH, File, open_file, stat
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

FILE, RAW = DataType.FILE, DataType.RAW


def built(data: bytes, profile: Profile) -> tuple[Blocks, CID]:
    blocks = Blocks()
    builder = FileBuilder(blocks, profile)
    builder.write(data)
    return blocks, builder.finish().cid


async def read(blocks: Blocks, cid: CID, offset: int = 0, length: int | None = None) -> bytes:
    return await (await open_file(blocks, cid)).read(offset, length)


@given(
    st.binary(max_size=300),
    st.integers(0, 310),
    st.integers(0, 310),
    st.integers(1, 20),
    st.integers(2, 5),
    st.sampled_from(Layout),
    st.booleans(),
)
def test_any_range_of_any_tree_reads_as_a_slice(
    data: bytes, offset: int, length: int, size: int, width: int, kind: Layout, raw: bool
) -> None:
    blocks, cid = built(data, Profile(chunker=f"size-{size}", max_links=width, layout=kind, raw_leaves=raw))

    async def check() -> None:
        file = await open_file(blocks, cid)
        assert file.size == len(data)
        assert await file.read(offset, length) == data[offset : offset + length]
        assert await file.read(offset) == data[offset:]
        parts = [part async for part in file.stream(offset, offset + length)]
        assert b"".join(parts) == data[offset : offset + length]
        assert all(0 < len(part) <= size for part in parts)

    run(check())


def test_a_range_fetches_one_path_and_the_next_one_in_it_only_leaves() -> None:
    data = os.urandom(10_000)
    blocks, cid = built(data, Profile(chunker="size-10", max_links=10))

    async def check() -> None:
        file = await open_file(blocks, cid)
        blocks.asked.clear()
        assert await file.read(5555, 3) == data[5555:5558]
        assert len(blocks.asked) == 3  # two nodes and a leaf; the root is here
        blocks.asked.clear()
        assert await file.read(5535, 3) == data[5535:5538]
        assert len(blocks.asked) == 1  # the nodes are remembered

    run(check())


@pytest.mark.parametrize("raw", [True, False])
def test_small_reads_in_a_row_fetch_each_leaf_once(raw: bool) -> None:
    data = os.urandom(1000)
    blocks, cid = built(data, Profile(chunker="size-100", raw_leaves=raw))

    async def check() -> None:
        file = await open_file(blocks, cid)
        blocks.asked.clear()
        for offset in range(0, 1000, 10):
            assert await file.read(offset, 10) == data[offset : offset + 10]
        assert len(blocks.asked) == 10
        assert await file.read(990, 50) == data[990:]
        assert await file.read(5000, 50) == b""

    run(check())


def test_reads_at_the_same_time_do_not_disturb_each_other() -> None:
    data = os.urandom(5000)
    blocks, cid = built(data, Profile(chunker="size-10", max_links=3))

    async def check() -> None:
        file = await open_file(blocks, cid)
        parts = await asyncio.gather(*(file.read(start, 100) for start in range(0, 5000, 100)))
        assert b"".join(parts) == data

    run(check())


class ClosingBlocks(Blocks):
    """Notices whether every read-ahead is ended."""

    def __init__(self) -> None:
        super().__init__()
        self.open = 0

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        self.open += 1
        try:
            for cid in cids:
                yield await self.get(cid)
        finally:
            self.open -= 1


@pytest.mark.parametrize("parts", [0, 1, 7, 100])
def test_a_stream_that_is_not_read_to_its_end_ends_its_read_ahead(parts: int) -> None:
    blocks = ClosingBlocks()
    builder = FileBuilder(blocks, Profile(chunker="size-10", max_links=3))
    builder.write(bytes(range(250)) * 4)
    cid = builder.finish().cid

    async def check() -> None:
        file = await open_file(blocks, cid)
        async with contextlib.aclosing(file.stream()) as stream:
            for _ in range(parts):
                await anext(stream)
        assert blocks.open == 0

    run(check())


def test_a_missing_block_ends_the_stream_after_what_is_right() -> None:
    data = bytes(range(100))
    blocks, cid = built(data, Profile(chunker="size-10", max_links=3))
    del blocks.data[CID.of(data[50:60])]

    async def check() -> None:
        stream = (await open_file(blocks, cid)).stream()
        assert b"".join([await anext(stream) for _ in range(5)]) == data[:50]
        with pytest.raises(BlockNotFound):
            await anext(stream)

    run(check())


def test_a_node_may_hold_bytes_of_its_own_before_those_of_its_links() -> None:
    blocks = Blocks()
    leaf = blocks.raw(b"leaf")
    inner = blocks.node(UnixFSData(FILE, b"own ", 8, (4,)), [PBLink(leaf, "", 4)])
    root = blocks.node(UnixFSData(FILE, b"root ", 17, (8, 4)), [PBLink(inner, "", 8), PBLink(leaf, "", 4)])
    assert run(read(blocks, root)) == b"root own leafleaf"
    assert run(read(blocks, root, 3, 8)) == b"t own le"


def test_sizes_that_are_not_there_are_counted() -> None:
    blocks = Blocks()
    leaf = blocks.node(UnixFSData(RAW, b"leaf"))
    root = blocks.node(UnixFSData(FILE, blocksizes=(4,)), [PBLink(leaf)])
    assert run(read(blocks, root)) == b"leaf"


def parent(blocks: Blocks, child: CID, size: int, filesize: int | None = None) -> CID:
    """A file of one link that says `size` of it."""
    return blocks.node(
        UnixFSData(FILE, filesize=size if filesize is None else filesize, blocksizes=(size,)), [PBLink(child, "", 1)]
    )


def hostile() -> dict[str, tuple[Blocks, CID, str]]:
    """Files that lie, and what is to be said of each."""
    cases: dict[str, tuple[Blocks, CID, str]] = {}

    def add(name: str, make: object, reason: str) -> None:
        blocks = Blocks()
        cases[name] = (blocks, make(blocks), reason)  # type: ignore[operator]

    add("a leaf longer than said", lambda b: parent(b, b.raw(b"four"), 3), "holds 4 bytes of file, its parent says 3")
    add("a leaf shorter than said", lambda b: parent(b, b.raw(b"four"), 5), "holds 4 bytes of file, its parent says 5")
    add("a node longer than said", lambda b: parent(b, parent(b, b.raw(b"four"), 4), 3), "its parent says 3")
    add(
        "a filesize that is no sum",
        lambda b: parent(b, b.raw(b"four"), 4, 5),
        "says it holds 5 bytes, its parts hold 4",
    )
    add(
        "no sizes",
        lambda b: b.node(UnixFSData(FILE, filesize=4), [PBLink(b.raw(b"four"))]),
        "1 links and 0 block sizes",
    )
    add(
        "sizes and no links",
        lambda b: b.node(UnixFSData(FILE, filesize=4, blocksizes=(4,))),
        "0 links and 1 block sizes",
    )
    add(
        "more bytes than there are",
        lambda b: b.node(UnixFSData(FILE, blocksizes=(2**64 - 1, 2**64 - 1)), [PBLink(b.raw(b"x"))] * 2),
        "more than a file can",
    )
    add("a directory inside", lambda b: parent(b, b.node(UnixFSData(DataType.DIRECTORY)), 4), "links to a directory")
    add("a symlink inside", lambda b: parent(b, b.node(UnixFSData(DataType.SYMLINK, b"four")), 4), "links to a symlink")
    add("metadata inside", lambda b: parent(b, b.node(UnixFSData(DataType.METADATA, b"four")), 4), "metadata")
    add("no message inside", lambda b: parent(b, b.node(None), 4), "without data")
    add("no protobuf inside", lambda b: parent(b, put_as(b, b"\xff\xff", multicodec.DAG_PB), 4), "dag-pb")
    add("another codec inside", lambda b: parent(b, put_as(b, b"\xa0", multicodec.DAG_CBOR), 4), "is dag-cbor")
    add("a block that is no message", lambda b: b.node(b"\xff"), "varint")
    return cases


def put_as(blocks: Blocks, data: bytes, codec: int) -> CID:
    block = Block.create(data, codec)
    blocks.put([block])
    return block.cid


@pytest.mark.parametrize("name", hostile())
def test_a_file_that_lies_is_refused_as_such(name: str) -> None:
    blocks, cid, reason = hostile()[name]
    with pytest.raises(WireError, match=reason):
        run(read(blocks, cid))


def deep(blocks: Blocks, levels: int) -> CID:
    cid = blocks.raw(b"x")
    for _ in range(levels):
        cid = parent(blocks, cid, 1)
    return cid


def test_a_tree_of_many_levels_is_read_up_to_the_limit() -> None:
    blocks = Blocks()
    assert run(read(blocks, deep(blocks, MAX_DEPTH))) == b"x"
    with pytest.raises(WireError, match=f"more than {MAX_DEPTH} levels"):
        run(read(blocks, deep(blocks, MAX_DEPTH + 1)))


def test_a_file_folded_out_of_few_blocks_is_read_piece_by_piece() -> None:
    """Two links to the same child, sixty times: more bytes than all disks hold, in 61 blocks."""
    blocks = Blocks()
    cid, size = blocks.raw(b"xy"), 2
    for _ in range(60):
        cid = blocks.node(UnixFSData(FILE, blocksizes=(size, size)), [PBLink(cid, "", 1)] * 2)
        size *= 2

    async def check() -> None:
        file = await open_file(blocks, cid)
        assert file.size == 2**61
        blocks.asked.clear()
        assert await file.read(2**60 - 1, 4) == b"yxyx"
        assert len(blocks.asked) < 200

    run(check())


def test_links_without_bytes_are_not_followed() -> None:
    """Otherwise a bomb of empty nodes would keep a reader busy without giving it a byte."""
    blocks = Blocks()
    cid = blocks.node(UnixFSData(FILE, filesize=0))
    for _ in range(40):
        cid = blocks.node(UnixFSData(FILE, filesize=0, blocksizes=(0,) * 8), [PBLink(cid, "", 0)] * 8)
    assert run(read(blocks, cid)) == b""
    assert blocks.asked == [cid]


@given(st.data())
def test_a_damaged_tree_gives_an_error_or_the_right_bytes(choice: st.DataObject) -> None:
    data = bytes(range(200))
    blocks, cid = built(data, Profile(chunker="size-16", max_links=3, raw_leaves=False))
    victim = choice.draw(st.sampled_from(sorted(blocks.data)))
    damaged = bytearray(blocks.data[victim])
    damaged[choice.draw(st.integers(0, len(damaged) - 1))] ^= choice.draw(st.integers(1, 255))
    blocks.data[victim] = bytes(damaged)
    try:
        found = run(read(blocks, cid))
    except (WireError, NotUnixFS, BlockNotFound, NotAFile):
        return
    assert len(found) <= 2 * len(data)


def test_only_files_open() -> None:
    blocks = Blocks()
    for message, kind in (
        (UnixFSData(DataType.DIRECTORY), "a directory"),
        (UnixFSData(DataType.HAMT_SHARD), "a directory"),
        (UnixFSData(DataType.SYMLINK, b"x"), "a symlink"),
    ):
        with pytest.raises(NotAFile, match=kind):
            run(open_file(blocks, blocks.node(message)))
    for cid in (
        put_as(blocks, b"\xa0", multicodec.DAG_CBOR),
        blocks.node(None),
        blocks.node(UnixFSData(DataType.METADATA)),
    ):
        with pytest.raises(NotUnixFS, match="expected a file"):
            run(open_file(blocks, cid))


def test_an_offset_below_zero_is_the_callers_mistake() -> None:
    blocks, cid = built(b"x", Profile())
    with pytest.raises(LocalProtocolError, match="offset -1"):
        run(read(blocks, cid, -1))


def test_stat_describes_each_kind() -> None:
    blocks = Blocks()
    file = parent(blocks, blocks.raw(b"four"), 4)
    found = run(stat(blocks, file))
    assert (found.kind, found.size, found.blocks, found.total_size) == (Kind.FILE, 4, 1, len(blocks.data[file]) + 1)
    found = run(stat(blocks, blocks.raw(b"four")))
    assert (found.kind, found.size, found.blocks, found.total_size, found.mode) == (Kind.FILE, 4, 0, 4, None)
    link = blocks.node(UnixFSData(DataType.SYMLINK, b"\xffthere", mtime=Mtime(3)))
    found = run(stat(blocks, link))
    assert (found.kind, found.size, found.target, found.mtime) == (Kind.SYMLINK, 6, "\udcffthere", Mtime(3))
    directory = blocks.node(
        UnixFSData(DataType.DIRECTORY, mode=0o40700), [PBLink(file, "a", 10), PBLink(file, "b", 20)]
    )
    found = run(stat(blocks, directory))
    assert (found.kind, found.size, found.blocks, found.mode, found.sharded) == (Kind.DIRECTORY, 0, 2, 0o700, False)
    assert found.total_size == len(blocks.data[directory]) + 30
    assert run(stat(blocks, blocks.node(UnixFSData(DataType.HAMT_SHARD)))).sharded


def test_a_file_of_a_tree_that_was_just_built_needs_no_second_look() -> None:
    """`File` takes a root that its caller parsed, and refuses one that contradicts itself."""
    from zwerm.ipfs.unixfs.node import Node

    blocks = Blocks()
    cid = parent(blocks, blocks.raw(b"four"), 4, 5)
    with pytest.raises(WireError, match="its parts hold 4"):
        File(blocks, cid, Node.parse(cid, blocks.data[cid]))
