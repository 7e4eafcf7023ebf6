"""Comparing two trees: what is said of each path, and how little has to be read for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import WireError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.mfs.journal import ChangeKind
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.unixfs.directory import DirectoryWriter
from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.versions import diff as module
from zwerm.ipfs.versions.diff import Difference, diff
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ADDED, CHANGED, REMOVED, RENAMED, MODE = ChangeKind
SHARDED = dataclasses.replace(DEFAULT, hamt_threshold=0)


async def compared(source: LocalSource, before: CID | None, after: CID | None) -> list[Difference]:
    return [difference async for difference in diff(source, before, after)]


def said(differences: Iterable[Difference]) -> list[tuple[ChangeKind, str, str | None]]:
    return [(difference.kind, difference.path, difference.source) for difference in differences]


async def test_what_was_added_changed_removed_and_renamed(room: Room) -> None:
    for path in ("/keep", "/change", "/remove", "/old name", "/d/inner", "/d/other"):
        await room.files.write(path, path.encode(), create=True, parents=True)
    before = await room.files.root()
    await room.files.write("/change", b"more")
    await room.files.rm("/remove")
    await room.files.mkdir("/new")
    await room.files.mv("/old name", "/new/name")
    await room.files.write("/d/inner", b"x", truncate=True)
    await room.files.chmod("/d/other", 0o600)
    await room.files.chmod("/d", 0o700)
    found = await compared(room.source, before, await room.files.root())
    assert sorted(said(found), key=str) == sorted(
        [
            (CHANGED, "/change", None),
            (MODE, "/d", None),
            (CHANGED, "/d/inner", None),
            (MODE, "/d/other", None),
            (ADDED, "/new", None),
            (REMOVED, "/old name", None),
            (REMOVED, "/remove", None),
        ],
        key=str,
    )
    changed = next(difference for difference in found if difference.path == "/change")
    assert changed.before is not None
    assert changed.after is not None
    assert (changed.before.size, changed.after.size) == (7, 7)


async def test_a_path_with_the_content_of_one_that_went_was_renamed(room: Room) -> None:
    for path in ("/a/x", "/a/y", "/b/x"):
        await room.files.write(path, b"content of " + path.encode(), create=True, parents=True)
    before = await room.files.root()
    await room.files.mv("/a", "/moved")
    await room.files.mv("/b/x", "/b/z")
    assert said(await compared(room.source, before, await room.files.root())) == [
        (RENAMED, "/b/z", "/b/x"),
        (RENAMED, "/moved", "/a"),
    ]


async def test_of_several_candidates_the_one_of_the_same_name_was_renamed(room: Room) -> None:
    for path in ("/a/one", "/a/two"):
        await room.files.write(path, b"the same", create=True, parents=True)
    await room.files.mkdir("/b")
    before = await room.files.root()
    await room.files.mv("/a/two", "/b/two")
    await room.files.rm("/a/one")
    assert said(await compared(room.source, before, await room.files.root())) == [
        (REMOVED, "/a/one", None),
        (RENAMED, "/b/two", "/a/two"),
    ]


async def test_empty_files_and_directories_are_never_taken_for_one_another(room: Room) -> None:
    await room.files.write("/a", b"", create=True)
    await room.files.mkdir("/c")
    before = await room.files.root()
    await room.files.rm("/a")
    await room.files.rm("/c", recursive=True)
    await room.files.write("/b", b"", create=True)
    await room.files.mkdir("/d")
    assert said(await compared(room.source, before, await room.files.root())) == [
        (REMOVED, "/a", None),
        (ADDED, "/b", None),
        (REMOVED, "/c", None),
        (ADDED, "/d", None),
    ]


async def test_a_file_that_became_a_directory_is_two_differences(room: Room) -> None:
    await room.files.write("/a", b"file", create=True)
    before = await room.files.root()
    await room.files.rm("/a")
    await room.files.write("/a/b", b"other", create=True, parents=True)
    found = said(await compared(room.source, before, await room.files.root()))
    assert sorted(found, key=str) == [(ADDED, "/a", None), (REMOVED, "/a", None)]


async def test_files_and_nothing_can_be_compared_too(room: Room) -> None:
    one, other = room.add(b"one"), room.add(b"other")
    (difference,) = [found async for found in diff(room.source, one, other, FilePath.from_text("/a/f"))]
    assert (difference.kind, difference.path) == (CHANGED, "/a/f")
    assert said(await compared(room.source, None, one)) == [(ADDED, "/", None)]
    assert said(await compared(room.source, one, None)) == [(REMOVED, "/", None)]
    assert await compared(room.source, one, one) == []
    assert await compared(room.source, None, None) == []


async def test_what_cannot_be_had_is_changed_and_of_unknown_kind(room: Room) -> None:
    builder = DirectoryBuilder()
    await builder.set("f", CID.of(b"gone", multicodec.DAG_PB), 7)
    await builder.set("g", CID.of(b"gone raw"), 8)
    before = builder.finish(room.store).cid
    await builder.set("f", CID.of(b"gone too", multicodec.DAG_PB), 9)
    await builder.set("g", CID.of(b"gone raw too"), 10)
    found = {
        difference.path: difference
        for difference in await compared(room.source, before, builder.finish(room.store).cid)
    }
    assert (found["/f"].kind, found["/f"].before.kind, found["/f"].after.size) == (CHANGED, None, 9)
    assert (found["/g"].kind, found["/g"].before.kind, found["/g"].before.size) == (CHANGED, Kind.FILE, 8)


class Counting(LocalSource):
    """Remembers what was read."""

    def __init__(self, store: MemoryBlockstore) -> None:
        super().__init__(store)
        self.read = 0

    async def get(self, cid: CID) -> bytes:
        self.read += 1
        return await super().get(cid)


@pytest.mark.slow
async def test_one_change_among_many_names_is_found_by_reading_one_path(room: Room) -> None:
    writer = DirectoryWriter(room.store, DEFAULT)
    leaf, other = room.add(b"leaf"), room.add(b"other")
    for number in range(20_000):
        writer.add(f"name {number}", leaf, 4)
    before = writer.finish().cid
    builder = await DirectoryBuilder.open(room.source, before)
    await builder.set("name 777", other, 5)
    await builder.remove("name 888")
    await builder.set("new", leaf, 4)
    source = Counting(room.store)
    found = await compared(source, before, builder.finish(room.store).cid)
    assert {(difference.kind, difference.path) for difference in found} >= {(CHANGED, "/name 777")}
    assert len(found) in (2, 3)  # the new name has the content of the removed one
    assert source.read < 30


names = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.binary(min_size=1, max_size=3), max_size=40)


@given(names, names, st.sampled_from([DEFAULT, SHARDED]), st.sampled_from([DEFAULT, SHARDED]))
@settings(max_examples=80, deadline=None)
async def test_any_two_directories_of_any_form_differ_as_their_maps_do(
    one: dict[str, bytes], other: dict[str, bytes], first: Profile, second: Profile
) -> None:
    store = MemoryBlockstore()
    roots: list[CID] = []
    for entries, profile in ((one, first), (other, second)):
        builder = DirectoryBuilder(profile)
        for name, data in entries.items():
            block = Block.create(data)
            store.put([block])
            await builder.set(name, block.cid, len(data))
        roots.append(builder.finish(store).cid)
    found = await compared(LocalSource(store), *roots)
    before, after = dict(one), dict(other)
    for difference in found:
        path = difference.path[1:]
        if difference.kind is RENAMED:
            assert difference.source is not None
            assert before.pop(difference.source[1:]) == after.pop(path)
        elif difference.kind is CHANGED:
            assert before.pop(path) != after.pop(path)
        else:
            (after if difference.kind is ADDED else before).pop(path)
    assert before == after


async def test_more_than_can_be_held_back_comes_unmatched(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD", 4)
    builder = DirectoryBuilder()
    for number in range(10):
        await builder.set(f"{number}", room.add(b"%d" % number), 1)
    found = await compared(room.source, DirectoryBuilder().finish(room.store).cid, builder.finish(room.store).cid)
    assert sorted(difference.path for difference in found) == [f"/{number}" for number in range(10)]


async def test_directories_without_end_are_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEPTH", 20)
    roots: list[CID] = []
    for content in (b"one", b"other"):
        cid, size = room.add(content), len(content)
        for _ in range(30):
            builder = DirectoryBuilder()
            await builder.set("d", cid, size)
            cid = builder.finish(room.store).cid
        roots.append(cid)
    with pytest.raises(WireError, match="more than 20 deep"):
        await compared(room.source, *roots)


async def test_a_directory_that_is_not_here_cannot_be_compared(room: Room) -> None:
    before = DirectoryBuilder(SHARDED)
    for number in range(300):
        await before.set(f"{number}", room.add(b"x"), 1)
    root = before.finish(room.store).cid
    await before.set("299", room.add(b"y"), 1)
    after = before.finish(room.store).cid
    shards = [CID(1, multicodec.DAG_PB, key) for key in room.store.multihashes()]
    room.store.delete([cid for cid in shards if cid not in (root, after) and len(room.store.get(cid)) > 10])
    with pytest.raises(BlockNotFound):
        await compared(room.source, root, after)


async def test_a_comparison_can_be_left_early(room: Room) -> None:
    for path in ("/a/b/c", "/a/d"):
        await room.files.write(path, b"1", create=True, parents=True)
    before = await room.files.root()
    for path in ("/a/b/c", "/a/d"):
        await room.files.write(path, b"2")
    found = diff(room.source, before, await room.files.root())
    assert (await anext(found)).kind is CHANGED
    await found.aclose()
