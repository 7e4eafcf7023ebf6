"""The versions of one path: where it changed, what it was called, and what of it is known when content was dropped."""

from __future__ import annotations

from tests.ipfs.mfs.room import KEY, Room
from zwerm.ipfs.mfs.journal import ChangeKind, Graft, Touch
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.versions.chain import BlockChain
from zwerm.ipfs.versions.commit import Commit
from zwerm.ipfs.versions.log import MAX_GRAFTS, Gap, PathLog, Version
from zwerm.ipfs.versions.table import VersionTable
from zwerm.multiformats.cid import CID

ADDED, CHANGED, REMOVED, RENAMED, MODE = ChangeKind


async def listed(room: Room, path: str) -> list[tuple[int, ChangeKind, str]]:
    return [
        (found.number, found.kind, found.path)
        async for found in await room.history.log(path)
        if isinstance(found, Version)
    ]


async def versions(room: Room, path: str) -> list[Version | Gap]:
    return [found async for found in await room.history.log(path)]


def drop(room: Room, *sequences: int) -> None:
    VersionTable(room.database).drop(sequences)


async def story(room: Room) -> None:
    """Seven versions, numbered from 1: add /a, add /b, change /a, rename it, change it there, remove it, change /b."""
    await room.files.write("/a", b"one", create=True)
    await room.files.write("/b", b"b", create=True)
    await room.files.write("/a", b"two")
    await room.files.mkdir("/d", flush=False)
    await room.files.mv("/a", "/d/c")
    await room.files.write("/d/c", b"three", truncate=True)
    await room.files.rm("/d", recursive=True)
    await room.files.write("/b", b"bb")


async def test_a_path_has_the_versions_in_which_it_changed(room: Room) -> None:
    await story(room)
    assert await listed(room, "/b") == [(0, CHANGED, "/b"), (1, ADDED, "/b")]
    assert [number for number, _, _ in await listed(room, "/")] == list(range(7))
    assert await listed(room, "/none") == []
    assert await listed(room, "/b/below") == []


async def test_a_renamed_file_keeps_its_past(room: Room) -> None:
    await story(room)
    assert await listed(room, "/d/c") == [
        (0, REMOVED, "/d/c"),
        (1, CHANGED, "/d/c"),
        (2, RENAMED, "/d/c"),
        (3, CHANGED, "/a"),
        (4, ADDED, "/a"),
    ]
    assert await listed(room, "/a") == [(0, REMOVED, "/a"), (1, CHANGED, "/a"), (2, ADDED, "/a")]


async def test_a_file_in_a_renamed_directory_keeps_its_past(room: Room) -> None:
    await room.files.write("/x/y/f", b"1", create=True, parents=True)
    await room.files.mv("/x", "/z")
    await room.files.write("/z/y/f", b"2")
    assert await listed(room, "/z/y/f") == [(0, CHANGED, "/z/y/f"), (1, RENAMED, "/z/y/f"), (2, ADDED, "/x/y/f")]


async def test_a_file_that_was_replaced_by_another_keeps_its_own_past(room: Room) -> None:
    await room.files.write("/a", b"a", create=True)
    await room.files.write("/b", b"b", create=True)
    await room.files.mv("/a", "/b")
    assert await listed(room, "/b") == [(0, CHANGED, "/b"), (1, ADDED, "/b")]


async def test_a_path_that_is_there_again_has_both_its_lives(room: Room) -> None:
    await room.files.write("/a", b"a", create=True)
    await room.files.rm("/a")
    await room.files.write("/a", b"a", create=True)
    assert await listed(room, "/a") == [(0, ADDED, "/a"), (1, REMOVED, "/a"), (2, ADDED, "/a")]


async def test_what_did_not_change_is_not_looked_into(room: Room) -> None:
    await room.files.write("/deep/er/f", b"1", create=True, parents=True)
    for number in range(30):
        await room.files.write("/other", b"%d" % number, create=True, truncate=True)
    reads: list[CID] = []
    real = room.source.get

    async def counting(cid: CID) -> bytes:
        reads.append(cid)
        return await real(cid)

    room.source.get = counting  # type: ignore[method-assign]
    assert await listed(room, "/deep/er/f") == [(0, ADDED, "/deep/er/f")]
    # One root directory for each version, the two directories once, the oldest commit and that of the version.
    assert len(reads) <= 31 + 2 + 2


async def test_dropped_versions_are_listed_by_what_their_commits_say(room: Room) -> None:
    await story(room)
    drop(room, 3, 4, 5)
    found = [version for version in await versions(room, "/d/c") if isinstance(version, Version)]
    assert [(version.kind, version.path, version.kept) for version in found] == [
        (REMOVED, "/d/c", True),
        (CHANGED, "/d/c", False),
        (RENAMED, "/d/c", False),
        (CHANGED, "/a", False),
        (ADDED, "/a", True),
    ]
    assert [version.node is None for version in found] == [True, True, True, True, False]
    assert await listed(room, "/b") == [(0, CHANGED, "/b"), (1, ADDED, "/b")]


async def test_the_list_is_the_same_before_and_after_the_content_is_collected(room: Room) -> None:
    await story(room)
    drop(room, 2, 3, 4)
    before = {path: await listed(room, path) for path in ("/", "/a", "/b", "/d/c", "/d")}
    kept = set(room.history.roots()) | set(room.files.roots()) | set(VersionTable(room.database).commits())
    dropped = [row.root for row in VersionTable(room.database).all() if not row.kept]
    room.store.delete([root for root in dropped if root not in kept])
    assert {path: await listed(room, path) for path in before} == before


async def test_a_dropped_commit_that_does_not_list_all_counts_for_every_path(room: Room) -> None:
    async with room.files.batch():
        for number in range(200):
            await room.files.write(f"/a rather long name {number}", b"x", create=True)
    await room.files.write("/f", b"1", create=True)
    await room.files.write("/g", b"1", create=True)
    drop(room, 1)
    assert await listed(room, "/f") == [(0, ADDED, "/f"), (1, CHANGED, "/f")]


async def test_where_history_was_cut_off_there_is_a_gap_and_the_oldest_known_state(room: Room) -> None:
    await story(room)
    table = VersionTable(room.database)
    drop(room, 1, 2)
    table.cut()
    found = await versions(room, "/b")
    assert isinstance(found[-1], Gap)
    assert [version.kind for version in found if isinstance(version, Version)] == [CHANGED, CHANGED]
    assert isinstance(found[1], Version)
    assert found[1].node == CID.of(b"b")
    assert isinstance((await versions(room, "/none"))[-1], Gap)


async def test_a_graft_leads_into_the_other_chain_and_back(room: Room) -> None:
    await room.files.write("/mine", b"m", create=True)
    theirs = [room.add(b"theirs 1"), room.add(b"theirs 2")]
    parents: list[CID] = []
    for time, root in enumerate(theirs):
        block = Commit.sign(KEY, root=root, parents=parents, time=time, message="theirs").to_block()
        room.store.put([block])
        parents = [block.cid]
    await room.history.adopt(parents[0], "/d/theirs")
    await room.files.write("/d/theirs", b"mine now", truncate=True)
    found = [version for version in await versions(room, "/d/theirs") if isinstance(version, Version)]
    assert [(version.number, version.kind, version.path, version.grafted) for version in found] == [
        (0, CHANGED, "/d/theirs", 0),
        (1, ADDED, "/d/theirs", 0),
        (2, CHANGED, "/", 1),
        (3, ADDED, "/", 1),
    ]
    assert [version.node for version in found[1:]] == [theirs[1], theirs[1], theirs[0]]
    assert [number for number, _, _ in await listed(room, "/d")] == [0, 1]


async def test_grafts_upon_grafts_end_somewhere(room: Room) -> None:
    root = room.add(b"x")
    cid: CID | None = None
    for time in range(MAX_GRAFTS + 10):
        grafts = [Graft("/", cid), Graft("no path", cid)] if cid is not None else []
        block = Commit.sign(KEY, root=root, parents=[], time=time, grafts=grafts).to_block()
        room.store.put([block])
        cid = block.cid
    assert cid is not None
    assert len(await versions(room, f"/ipfs/{cid}")) == MAX_GRAFTS + 1


async def test_changes_that_are_no_paths_are_passed_over(room: Room) -> None:
    root = await room.files.root()
    changes = [Touch(RENAMED, "no path", "none either"), Touch(RENAMED, "/", "/a"), Touch(ADDED, "")]
    first = Commit.sign(KEY, root=room.add(b"x"), parents=[CID.of(b"gone", 0x71)], time=1, changes=changes).to_block()
    second = Commit.sign(KEY, root=root, parents=[first.cid], time=2, changes=changes).to_block()
    room.store.put([first, second])
    log = PathLog(room.source, lambda head: BlockChain(room.source, head))
    found = [version async for version in log.versions(BlockChain(room.source, second.cid), FilePath())]
    assert isinstance(found[-1], Gap)
    assert len(found) == 3
