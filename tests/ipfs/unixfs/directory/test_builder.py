"""Changing directories: whatever was done before, the result is what building it at once gives."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.builder import NoStore
from zwerm.ipfs.unixfs.data import MURMUR3_X64_64, DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.directory import DirectoryBuilder, DirectoryWriter, DirEntry
from zwerm.ipfs.unixfs.directory import builder as builder_module
from zwerm.ipfs.unixfs.errors import NotADirectory
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile, SizeEstimate
from zwerm.multiformats.cid import CID

LEAVES = [CID.of(b"one"), CID.of(b"two")]
SMALL = Profile(hamt_threshold=300, hamt_fanout=8)


def at_once(entries: dict[str, tuple[CID, int]], profile: Profile, mtime: Mtime | None = None) -> CID:
    writer = DirectoryWriter(NoStore(), profile, mtime=mtime)
    for name, target in entries.items():
        writer.add(name, *target)
    return writer.finish().cid


class Changes(RuleBasedStateMachine):
    """Sets and removes names, reopens now and then, and compares with a directory built at once."""

    profile = SMALL

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.blocks = Blocks()
        self.builder = DirectoryBuilder(self.profile)
        self.entries: dict[str, tuple[CID, int]] = {}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    names = st.integers(0, 40).map(lambda number: f"name {number}")

    @rule(name=names, leaf=st.sampled_from(LEAVES), size=st.integers(0, 500))
    def set(self, name: str, leaf: CID, size: int) -> None:
        self.loop.run_until_complete(self.builder.set(name, leaf, size))
        self.entries[name] = (leaf, size)

    @rule(first=st.integers(0, 40), count=st.integers(1, 40))
    def set_many(self, first: int, count: int) -> None:
        for number in range(first, min(first + count, 41)):
            self.set(f"name {number}", LEAVES[0], number)

    @rule(name=names)
    def remove(self, name: str) -> None:
        removed = self.loop.run_until_complete(self.builder.remove(name))
        assert removed is (self.entries.pop(name, None) is not None)

    @rule(first=st.integers(0, 40), count=st.integers(1, 40))
    def remove_many(self, first: int, count: int) -> None:
        for number in range(first, min(first + count, 41)):
            self.remove(f"name {number}")

    @rule()
    def reopen(self) -> None:
        cid = self.builder.finish(self.blocks).cid
        self.builder = self.loop.run_until_complete(DirectoryBuilder.open(self.blocks, cid, self.profile))

    @rule(seconds=st.none() | st.integers(0, 2**33))
    def touch(self, seconds: int | None) -> None:
        """By block, the time counts towards the size: the form follows with the next change, as in Kubo."""
        if self.profile.hamt_estimate is SizeEstimate.LINKS:
            self.builder.mtime = None if seconds is None else Mtime(seconds)

    @invariant()
    def it_is_what_building_it_at_once_gives(self) -> None:
        entry = self.builder.finish(self.blocks)
        assert entry.cid == at_once(self.entries, self.profile, self.builder.mtime)
        found = self.loop.run_until_complete(self.lookups())
        assert found == self.entries

    async def lookups(self) -> dict[str, tuple[CID, int]]:
        listed = [entry async for entry in self.builder.entries()]
        for entry in listed:
            assert await self.builder.lookup(entry.name) == entry
        assert await self.builder.lookup("not there") is None
        return {name: (cid, size) for name, cid, size in listed}


class ChangesByBlock(Changes):
    profile = Profile(hamt_threshold=400, hamt_fanout=16, hamt_estimate=SizeEstimate.BLOCK, cid_version=0)


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestChangesByBlock = ChangesByBlock.TestCase
TestChangesByBlock.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


async def filled(count: int, profile: Profile = SMALL) -> tuple[Blocks, CID]:
    blocks = Blocks()
    builder = DirectoryBuilder(profile)
    for number in range(count):
        await builder.set(f"name {number}", LEAVES[0], number)
    return blocks, builder.finish(blocks).cid


def test_a_change_rewrites_one_path() -> None:
    async def check() -> None:
        blocks, cid = await filled(3000)
        builder = await DirectoryBuilder.open(blocks, cid, SMALL)
        changed = Blocks()
        await builder.set("name 1234", LEAVES[1], 7)
        builder.finish(changed)
        assert 3 <= len(changed.data) <= 7
        assert len(blocks.asked) <= 7
        again = Blocks()
        builder.finish(again)
        assert len(again.data) == 1  # the root; below nothing changed

    run(check())


def test_removing_from_a_large_directory_looks_at_no_more_than_needed() -> None:
    async def check() -> None:
        blocks, cid = await filled(3000)
        builder = await DirectoryBuilder.open(blocks, cid, SMALL)
        blocks.asked.clear()
        assert await builder.remove("name 1234")
        assert len(blocks.asked) < 25  # of some 1,000 shards
        blocks.asked.clear()
        assert await builder.remove("name 1235")
        assert len(blocks.asked) < 7

    run(check())


def test_a_directory_that_grew_stays_sharded_though_it_would_fit_one_block() -> None:
    """As in Kubo: only what became smaller is looked at. Somebody with another threshold may have sharded it."""

    async def check() -> None:
        blocks, cid = await filled(10, Profile(hamt_threshold=0))
        builder = await DirectoryBuilder.open(blocks, cid)
        await builder.set("one more", LEAVES[0], 1)
        assert builder.sharded
        await builder.remove("one more")
        assert builder.sharded
        await builder.remove("name 5")
        assert not builder.sharded

    run(check())


def test_a_fanout_is_kept_as_it_was_found() -> None:
    async def check() -> None:
        blocks, cid = await filled(100, Profile(hamt_threshold=0, hamt_fanout=16))
        builder = await DirectoryBuilder.open(blocks, cid, Profile(hamt_threshold=0))
        await builder.set("one more", LEAVES[0], 1)
        assert await builder.lookup("name 7") is not None
        cid = builder.finish(blocks).cid
        assert blocks.parsed(cid)[0].fanout == 16
        assert await directory.lookup(blocks, cid, "one more") == DirEntry("one more", LEAVES[0], 1)

    run(check())


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "nul\0"])
def test_names_that_no_directory_can_hold_are_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be the name"):
        run(DirectoryBuilder().set(name, LEAVES[0], 1))


def test_names_of_one_hash_leave_the_directory_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder_module, "name_hash", lambda name: 5 if name in (b"a", b"b") else hash(name) % 2**64)

    async def check() -> None:
        builder = DirectoryBuilder(Profile(hamt_threshold=50))
        await builder.set("a", LEAVES[0], 1)
        with pytest.raises(LocalProtocolError, match="same hash"):
            await builder.set("b", LEAVES[0], 1)  # would shard it
        assert not builder.sharded
        await builder.set("c", LEAVES[0], 1)
        assert builder.sharded
        with pytest.raises(LocalProtocolError, match="same hash"):
            await builder.set("b", LEAVES[0], 1)
        assert sorted([entry.name async for entry in builder.entries()]) == ["a", "c"]

    run(check())


def test_a_shard_that_cannot_be_had_leaves_the_directory_as_it_was() -> None:
    async def check() -> None:
        blocks, cid = await filled(100)
        kept = dict(blocks.data)
        builder = await DirectoryBuilder.open(blocks, cid, SMALL)
        blocks.data = {cid: kept[cid]}
        for change in (builder.set("name 5", LEAVES[1], 1), builder.remove("name 5"), builder.lookup("name 5")):
            with pytest.raises(BlockNotFound):
                await change
        blocks.data = kept
        assert builder.finish(NoStore()).cid == cid

    run(check())


def test_only_directories_open() -> None:
    blocks = Blocks()
    with pytest.raises(NotADirectory):
        run(DirectoryBuilder.open(blocks, blocks.raw(b"x")))


def test_a_malformed_shard_is_its_writers_fault() -> None:
    async def check() -> None:
        blocks = Blocks()
        shard = UnixFSData(DataType.HAMT_SHARD, b"\xff", hash_type=MURMUR3_X64_64, fanout=8)
        below = blocks.raw(b"x")
        cid = blocks.node(shard, [PBLink(below, str(slot), 1) for slot in range(8)])
        builder = await DirectoryBuilder.open(blocks, cid)
        with pytest.raises(WireError, match="no shard"):
            await builder.set("name", LEAVES[0], 1)

    run(check())


def test_an_empty_directory_has_one_form() -> None:
    async def check() -> None:
        blocks, cid = await filled(50)
        builder = await DirectoryBuilder.open(blocks, cid, SMALL)
        for number in range(50):
            assert await builder.remove(f"name {number}")
        assert not await builder.remove("name 0")
        assert builder.finish(blocks).cid == at_once({}, DEFAULT)

    run(check())
