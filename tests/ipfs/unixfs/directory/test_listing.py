"""Reading directories: every entry, one name, pages, and no directory that lies."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.data import MURMUR3_X64_64, DataType, UnixFSData
from zwerm.ipfs.unixfs.directory import DirectoryWriter, DirEntry
from zwerm.ipfs.unixfs.directory.hamt import name_bytes, name_hash
from zwerm.ipfs.unixfs.errors import NotADirectory, NotUnixFS
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID

SHARDED = Profile(hamt_threshold=0, hamt_fanout=8)
FORMS = {"one block": Profile(), "sharded": SHARDED, "sharded by 256": Profile(hamt_threshold=0)}
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20)
LEAF = CID.of(b"leaf")


def written(names: list[str], profile: Profile) -> tuple[Blocks, CID]:
    blocks = Blocks()
    writer = DirectoryWriter(blocks, profile)
    for number, name in enumerate(names):
        writer.add(name, LEAF, number)
    return blocks, writer.finish().cid


async def listed(blocks: Blocks, cid: CID, after: str | None = None) -> list[DirEntry]:
    return [entry async for entry in directory.entries(blocks, cid, after=after)]


@pytest.mark.parametrize("form", FORMS)
@given(names=st.lists(NAMES, unique=True, max_size=40))
def test_every_entry_is_listed_and_found(form: str, names: list[str]) -> None:
    blocks, cid = written(names, FORMS[form])

    async def check() -> None:
        found = await listed(blocks, cid)
        assert sorted(found) == sorted(DirEntry(name, LEAF, number) for number, name in enumerate(names))
        for entry in found:
            assert await directory.lookup(blocks, cid, entry.name) == entry
        assert await directory.lookup(blocks, cid, "not there") is None

    run(check())


@pytest.mark.parametrize("form", FORMS)
def test_pages_follow_each_other_without_a_gap(form: str) -> None:
    blocks, cid = written([f"name {number}" for number in range(200)], FORMS[form])

    async def check() -> None:
        whole = await listed(blocks, cid)
        for index, entry in enumerate(whole):
            assert await listed(blocks, cid, entry.name) == whole[index + 1 :]

    run(check())


def test_a_page_reads_only_what_lies_behind_its_start() -> None:
    blocks, cid = written([f"name {number}" for number in range(2000)], SHARDED)

    async def check() -> None:
        whole = await listed(blocks, cid)
        blocks.asked.clear()
        async with contextlib.aclosing(directory.entries(blocks, cid, after=whole[1000].name)) as page:
            assert [await anext(page) for _ in range(10)] == whole[1001:1011]
        assert len(blocks.asked) < 25

    run(check())


def test_a_name_is_looked_up_on_one_path() -> None:
    blocks, cid = written([f"name {number}" for number in range(2000)], SHARDED)
    assert run(directory.lookup(blocks, cid, "name 1234")) == DirEntry("name 1234", LEAF, 1234)
    assert len(blocks.asked) <= 6


def test_names_that_are_not_utf8_come_as_python_decodes_file_names() -> None:
    for profile in FORMS.values():
        blocks, cid = written(["\udcff\udcfe"], profile)
        assert [entry.name for entry in run(listed(blocks, cid))] == ["\udcff\udcfe"]
        assert run(directory.lookup(blocks, cid, "\udcff\udcfe")) is not None


def test_only_directories_are_listed() -> None:
    blocks = Blocks()
    for cid, error in (
        (blocks.raw(b"x"), NotADirectory),
        (blocks.node(UnixFSData(DataType.FILE)), NotADirectory),
        (blocks.node(UnixFSData(DataType.SYMLINK, b"x")), NotADirectory),
        (blocks.node(UnixFSData(DataType.METADATA)), NotUnixFS),
        (blocks.node(None), NotUnixFS),
    ):
        with pytest.raises(error):
            run(listed(blocks, cid))
        with pytest.raises(error):
            run(directory.lookup(blocks, cid, "x"))


def shard(blocks: Blocks, links: dict[int, tuple[CID, str]], fanout: int = 8) -> CID:
    """A shard of one hex digit, whatever the links are."""
    taken = sum(1 << slot for slot in links)
    message = UnixFSData(DataType.HAMT_SHARD, bytes([taken]), hash_type=MURMUR3_X64_64, fanout=fanout)
    return blocks.node(message, [PBLink(cid, f"{slot:X}{name}", 1) for slot, (cid, name) in sorted(links.items())])


def slot_of(name: str, level: int = 0) -> int:
    return name_hash(name_bytes(name)) >> 61 - 3 * level & 7


def test_a_name_where_its_hash_does_not_lead_is_a_lie() -> None:
    blocks = Blocks()
    wrong = (slot_of("name") + 1) % 8
    cid = shard(blocks, {wrong: (LEAF, "name")})
    with pytest.raises(WireError, match="'name' where its hash does not lead"):
        run(listed(blocks, cid))


@pytest.mark.parametrize(
    ("child", "reason"),
    [
        (lambda blocks: blocks.raw(b"x"), "no shard"),
        (lambda blocks: blocks.node(UnixFSData(DataType.DIRECTORY)), "no shard"),
        (lambda blocks: blocks.node(UnixFSData(DataType.METADATA)), "metadata"),
        (lambda blocks: shard(blocks, {}), "empty shard"),
        (lambda blocks: shard(blocks, {0: (LEAF, "x")}, fanout=16), "by 4 bits of the hash, the ones above it by 3"),
    ],
    ids=["bytes", "a directory", "metadata", "nothing", "another fanout"],
)
def test_a_link_to_what_is_no_shard_is_a_lie(child: object, reason: str) -> None:
    blocks = Blocks()
    cid = shard(blocks, {slot_of("name"): (child(blocks), "")})  # type: ignore[operator]
    with pytest.raises(WireError, match=reason):
        run(listed(blocks, cid))
    with pytest.raises(WireError, match=reason):
        run(directory.lookup(blocks, cid, "name"))


def test_shards_deeper_than_the_hash_are_refused() -> None:
    blocks = Blocks()
    cid = shard(blocks, {0: (LEAF, "x")})
    for level in reversed(range(22)):
        cid = shard(blocks, {slot_of("name", level) if level < 21 else 0: (cid, "")})
    with pytest.raises(WireError, match="deeper than the hash reaches"):
        run(listed(blocks, cid))
    with pytest.raises(WireError, match="deeper than the hash reaches"):
        run(directory.lookup(blocks, cid, "name"))


def test_a_shard_linked_many_times_ends_at_its_first_name() -> None:
    """Eight links to the same child at each of twenty levels: a name has one place, so the second is a lie."""
    blocks = Blocks()
    cid = shard(blocks, {slot_of("name", 20): (LEAF, "name")})
    for _ in range(20):
        cid = shard(blocks, dict.fromkeys(range(8), (cid, "")))
    with pytest.raises(WireError, match="where its hash does not lead"):
        run(listed(blocks, cid))
    assert len(blocks.asked) < 50


def test_a_missing_shard_ends_the_list_after_what_is_right() -> None:
    blocks, cid = written([f"name {number}" for number in range(100)], SHARDED)
    whole = run(listed(blocks, cid))
    del blocks.data[next(iter(blocks.data))]
    with pytest.raises(BlockNotFound):
        run(listed(blocks, cid))
    assert len(whole) == 100


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_directory_gives_an_error_or_names(choice: st.DataObject) -> None:
    blocks, cid = written([f"name {number}" for number in range(30)], SHARDED)
    victim = choice.draw(st.sampled_from(sorted(blocks.data)))
    damaged = bytearray(blocks.data[victim])
    damaged[choice.draw(st.integers(0, len(damaged) - 1))] ^= choice.draw(st.integers(1, 255))
    blocks.data[victim] = bytes(damaged)
    with contextlib.suppress(WireError, NotUnixFS, NotADirectory, BlockNotFound):
        assert len(run(listed(blocks, cid))) <= 31
