"""Streams become files: new ones with the CIDs that `add` gives, existing ones by surgery, in constant memory."""

from __future__ import annotations

import dataclasses
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from tests.ipfs.mfs.room import stream
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.mfs.edit import FileEdit
from zwerm.ipfs.mfs.workspace import Workspace
from zwerm.ipfs.mfs.writer import BATCH, INLINE, FileFactory, FileWriter, profile_of_file
from zwerm.ipfs.unixfs.builder import FileBuilder, NoStore
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Layout, Profile
from zwerm.ipfs.unixfs.reader import open_file, stat
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

LEGACY = PROFILES["unixfs-v0-2015"]


def added(data: bytes, profile: Profile) -> CID:
    """What `add` calls these bytes."""
    builder = FileBuilder(NoStore(), profile)
    builder.write(data)
    return builder.finish().cid


def factory(profile: Profile = DEFAULT, hashers: Hashers | None = None) -> FileFactory:
    store = MemoryBlockstore()
    return FileFactory(Workspace(LocalSource(store)), store, profile_of_file(profile, like_of(profile)), hashers)


def like_of(profile: Profile) -> CID:
    return profile.block(b"").cid


@pytest.mark.parametrize("size", [1, 1000, 262_144])
async def test_a_file_of_one_leaf_has_the_cid_of_add(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert (await factory().build(stream([data]))).cid == added(data, DEFAULT)


@pytest.mark.parametrize("size", [262_145, INLINE, INLINE + 1, 2_000_000])
@pytest.mark.parametrize("profile", [DEFAULT, LEGACY], ids=["default", "legacy"])
async def test_a_larger_file_has_the_cid_of_add_trickle(size: int, profile: Profile) -> None:
    data = random.Random(size).randbytes(size)
    made = await factory(profile).build(stream([data[:100], data[100:300_000], b"", data[300_000:]]))
    assert made.cid == added(data, dataclasses.replace(profile, layout=Layout.TRICKLE))
    assert made.size == size


async def test_an_empty_file_is_a_node_without_links_as_in_kubo() -> None:
    made = await factory(LEGACY).build(stream([]))
    assert str(made.cid) == "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"


async def test_a_file_of_one_large_leaf_is_that_leaf_too() -> None:
    profile = dataclasses.replace(DEFAULT, chunker="size-1048576")
    data = random.Random(1).randbytes(INLINE + 9)
    assert (await factory(profile).build(stream([data]))).cid == CID.of(data)


async def test_a_small_file_waits_in_the_workspace_and_a_large_one_goes_to_the_store() -> None:
    small, large = factory(), factory()
    await small.build(stream([b"abc"]))
    await large.build(stream([bytes(INLINE), b"x"]))
    assert small.workspace.size == 3
    assert not list(small.store.multihashes())
    assert large.workspace.size == 0
    assert len(list(large.store.multihashes())) == 3


async def test_metadata_goes_into_the_root() -> None:
    made = factory()
    child = await made.build(stream([b"abc"]), 0o600, Mtime(7))
    found = await stat(made.workspace, child.cid)
    assert (found.mode, found.mtime, found.size) == (0o600, Mtime(7), 3)


async def test_a_stream_that_breaks_off_makes_no_file() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * INLINE)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await factory().build(broken())


@pytest.mark.slow
async def test_a_file_of_any_size_takes_constant_memory() -> None:
    piece = random.Random(3).randbytes(1_000_003)

    async def long(count: int) -> AsyncIterator[bytes]:
        for number in range(count):
            yield number.to_bytes(4, "big") + piece[4:]

    class Forgetful(MemoryBlockstore):
        """Keeps small blocks only: the test measures the writer, not the store."""

        def put(self, blocks):  # type: ignore[no-untyped-def]
            super().put(block for block in blocks if block.cid.codec != multicodec.RAW)

    store = Forgetful()
    with Hashers() as hashers:
        maker = FileFactory(Workspace(LocalSource(store)), store, profile_of_file(DEFAULT, like_of(DEFAULT)), hashers)
        tracemalloc.start()
        made = await maker.build(long(80))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        edit = await FileEdit.open(LocalSource(store), maker.profile, made.cid)
        writer = FileWriter(edit, store, maker.profile, made.size)
        async for piece_ in long(60):
            await writer.write(piece_)
        grown = await writer.finish(Mtime(0))
        _, appended = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (made.size, grown.size) == (80 * 1_000_003, 140 * 1_000_003)
    assert peak < 40_000_000, peak
    assert appended < 40_000_000, appended


@pytest.mark.parametrize(
    ("size", "offset", "length"),
    [(10, 3, 4), (10, 10, 5), (10, 8, 5), (10, 20, 5), (0, 0, 3), (900_000, 200_000, 500_000), (900_000, 0, 2_000_000)],
)
async def test_writing_into_a_file_is_writing_into_a_bytearray(size: int, offset: int, length: int) -> None:
    store = MemoryBlockstore()
    source = LocalSource(store)
    data, written = random.Random(1).randbytes(size), random.Random(2).randbytes(length)
    builder = FileBuilder(store, DEFAULT)
    builder.write(data)
    profile = profile_of_file(DEFAULT, like_of(DEFAULT))
    writer = FileWriter(await FileEdit.open(source, profile, builder.finish().cid), store, profile, offset)
    for start in range(0, length, 100_000):
        await writer.write(written[start : start + 100_000])
    await writer.write(b"")
    made = await writer.finish(Mtime(0))
    store.put(writer.take())
    model = bytearray(data)
    model += bytes(max(0, offset - size))
    model[offset : offset + length] = written
    assert await (await open_file(source, made.cid)).read() == bytes(model)
    assert writer.take() == []


async def test_writing_nothing_changes_nothing() -> None:
    store = MemoryBlockstore()
    builder = FileBuilder(store, DEFAULT, mtime=Mtime(1))
    builder.write(b"abc")
    entry = builder.finish()
    profile = profile_of_file(DEFAULT, entry.cid)
    writer = FileWriter(await FileEdit.open(LocalSource(store), profile, entry.cid), store, profile, 100)
    assert (await writer.finish(Mtime(9))).cid == entry.cid


async def test_a_long_overwrite_goes_to_the_store_in_batches() -> None:
    store = MemoryBlockstore()
    builder = FileBuilder(store, DEFAULT)
    builder.write(bytes(3 * BATCH))
    profile = profile_of_file(DEFAULT, like_of(DEFAULT))
    edit = await FileEdit.open(LocalSource(store), profile, builder.finish().cid)
    writer = FileWriter(edit, store, profile)
    data = random.Random(4).randbytes(2 * BATCH + 5)
    for start in range(0, len(data), 65_536):
        await writer.write(data[start : start + 65_536])
        assert sum(len(block.data) for block in edit.fresh.values()) < 2 * BATCH
    made = await writer.finish(Mtime(0))
    store.put(writer.take())
    assert await (await open_file(LocalSource(store), made.cid)).read() == data + bytes(BATCH - 5)


def test_a_file_goes_on_as_its_root_is_named() -> None:
    legacy = profile_of_file(DEFAULT, CID.of(b"", multicodec.DAG_PB).to_v0())
    assert (legacy.cid_version, legacy.raw_leaves, legacy.layout) == (0, False, Layout.TRICKLE)
    assert profile_of_file(LEGACY, CID.of(b"", hash_code=multicodec.BLAKE3)).hash_code == multicodec.BLAKE3
    inlined = profile_of_file(DEFAULT, CID.of(b"", hash_code=multicodec.IDENTITY))
    assert inlined.hash_code == multicodec.SHA2_256
    assert profile_of_file(DEFAULT, CID.of(b""), raw_leaves=False).raw_leaves is False
