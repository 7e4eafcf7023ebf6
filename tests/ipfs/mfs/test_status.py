"""Listings and descriptions: what is there, in which order, and how much of it is here."""

from __future__ import annotations

import dataclasses

import pytest

from tests.ipfs.mfs.room import Room
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.mfs.errors import FileMissing
from zwerm.ipfs.mfs.status import measure_local
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

SHARDED = dataclasses.replace(DEFAULT, hamt_threshold=0)


async def sharded(room: Room, names: list[str]) -> CID:
    builder = DirectoryBuilder(SHARDED)
    leaf = room.add(b"leaf")
    for name in names:
        await builder.set(name, leaf, 4)
    return builder.finish(room.store).cid


async def test_stat_of_a_file_says_what_kubo_says(room: Room) -> None:
    await room.files.write("/raw", b"foo\n", create=True)
    raw = await room.files.stat("/raw")
    assert (raw.kind, raw.size, raw.cumulative_size, raw.blocks, raw.mode) == (Kind.FILE, 4, 4, 0, None)
    legacy = room.add(b"foo\n", PROFILES["unixfs-v0-2015"])
    found = await room.files.stat(f"/ipfs/{legacy}")
    assert (found.cid, found.size, found.cumulative_size, found.blocks) == (legacy, 4, 12, 0)


async def test_stat_of_directories_files_of_many_blocks_and_symlinks(room: Room) -> None:
    await room.files.write("/a/big", bytes(600_000), create=True, parents=True)
    big = await room.files.stat("/a/big")
    assert (big.size, big.blocks, big.cumulative_size > 600_000) == (600_000, 3, True)
    folder = await room.files.stat("/a")
    assert (folder.kind, folder.size, folder.blocks) == (Kind.DIRECTORY, 0, 1)
    link = Block.create(
        PBNode((), UnixFSData(DataType.SYMLINK, b"../there").serialize()).serialize(), multicodec.DAG_PB
    )
    room.store.put([link])
    await room.files.cp(f"/ipfs/{link.cid}", "/link")
    found = await room.files.stat("/link")
    assert (found.kind, found.size, found.target) == (Kind.SYMLINK, 8, "../there")
    with pytest.raises(FileMissing, match=r"^file does not exist$"):
        await room.files.stat("/none")


async def test_exists_says_whether_something_is_there(room: Room) -> None:
    await room.files.write("/a", b"", create=True)
    assert [await room.files.exists(path) for path in ("/", "/a", "/b", "/a/b")] == [True, True, False, False]


async def test_a_listing_comes_in_the_directorys_order_or_sorted(room: Room) -> None:
    names = [f"file{number}" for number in range(60)]
    await room.files.place("/s", await sharded(room, names))
    unsorted = [entry.name async for entry in await room.files.ls("/s")]
    assert await room.names("/s") == sorted(names)
    assert sorted(unsorted) == sorted(names)
    assert unsorted != sorted(names)
    page = [entry.name async for entry in await room.files.ls("/s", after=unsorted[20])]
    assert page == unsorted[21:]


async def test_a_long_listing_says_kind_size_and_metadata(room: Room) -> None:
    await room.files.write("/d/raw", b"1234", create=True, parents=True)
    await room.files.write("/d/big", bytes(300_000), create=True)
    await room.files.chmod("/d/big", 0o600)
    await room.files.touch("/d/big", Mtime(77))
    await room.files.mkdir("/d/folder")
    listed = {entry.name: entry async for entry in await room.files.ls("/d", long=True)}
    assert (listed["raw"].kind, listed["raw"].size) == (Kind.FILE, 4)
    assert (listed["big"].kind, listed["big"].size) == (Kind.FILE, 300_000)
    assert (listed["big"].mode, listed["big"].mtime) == (0o600, Mtime(77))
    assert (listed["folder"].kind, listed["folder"].size) == (Kind.DIRECTORY, 0)


async def test_a_file_lists_as_itself(room: Room) -> None:
    await room.files.write("/d/file", b"1234", create=True, parents=True)
    (entry,) = [entry async for entry in await room.files.ls("/d/file", long=True)]
    assert (entry.name, entry.size, entry.kind) == ("file", 4, Kind.FILE)


async def test_what_cannot_be_had_or_is_no_file_is_listed_without_a_kind(room: Room) -> None:
    document = Block.create(dag_cbor.encode({}), multicodec.DAG_CBOR)
    broken = Block.create(b"\xff", multicodec.DAG_PB)
    room.store.put([document, broken])
    builder = DirectoryBuilder()
    gone = CID.of(b"gone", multicodec.DAG_PB)
    for name, cid in (("gone", gone), ("document", document.cid), ("broken", broken.cid)):
        await builder.set(name, cid, 9)
    await room.files.place("/d", builder.finish(room.store).cid)
    listed = {entry.name: entry async for entry in await room.files.ls("/d", long=True)}
    assert {name: (entry.kind, entry.total_size) for name, entry in listed.items()} == dict.fromkeys(
        ["gone", "document", "broken"], (None, 9)
    )


async def test_a_listing_that_is_not_read_to_its_end_leaves_nothing_running(room: Room) -> None:
    builder = DirectoryBuilder()
    folder = DirectoryBuilder().finish(room.store).cid
    for number in range(50):
        await builder.set(f"{number}", folder, 4)
    await room.files.place("/d", builder.finish(room.store).cid)
    listing = await room.files.ls("/d", long=True)
    assert (await anext(listing)).kind is Kind.DIRECTORY
    await listing.aclose()
    assert not room.files._used


async def test_locality_counts_each_block_as_often_as_the_cumulative_size_does(room: Room) -> None:
    await room.files.write("/d/a", bytes(600_000), create=True, parents=True)
    await room.files.cp("/d/a", "/d/b")
    found = await room.files.stat("/d", with_local=True)
    assert (found.local, found.local_size) == (True, found.cumulative_size)


async def test_locality_of_a_tree_with_a_hole(room: Room) -> None:
    builder = DirectoryBuilder()
    await builder.set("gone", CID.of(b"gone"), 4)
    await builder.set("here", room.add(b"here!"), 5)
    folder = builder.finish(room.store)
    found = await room.files.stat(f"/ipfs/{folder.cid}", with_local=True)
    assert (found.local, found.local_size) == (False, found.cumulative_size - 4)


def test_a_bomb_of_links_is_measured_by_its_blocks(room: Room) -> None:
    block = Block.create(b"x")
    for _ in range(60):
        links = tuple(PBLink(block.cid, f"{side}", 1) for side in range(8))
        room.store.put([block])
        block = Block.create(PBNode(links, b"").serialize(), multicodec.DAG_PB)
    room.store.put([block])
    size, whole = measure_local(room.store, block.cid)
    assert whole
    assert size > 8**60
    assert measure_local(room.store, CID.of(b"nothing")) == (0, False)
