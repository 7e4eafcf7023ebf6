"""The history of one path as a chain of its own: nothing of the rest in it, the same each time, and it goes on."""

from __future__ import annotations

from tests.ipfs.mfs.room import KEY, Room
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.mfs.journal import ChangeKind, Touch
from zwerm.ipfs.versions.chain import BlockChain, read_commit
from zwerm.ipfs.versions.commit import Commit
from zwerm.ipfs.versions.table import VersionTable
from zwerm.multiformats.cid import CID

ADDED, CHANGED, REMOVED, RENAMED, MODE = ChangeKind


async def commits(room: Room, head: CID) -> list[Commit]:
    """The commits of a chain, oldest first."""
    return [await read_commit(room.source, stub.cid) async for stub in BlockChain(room.source, head).stubs()][::-1]


async def told(room: Room) -> None:
    await room.files.write("/secret plans", b"secret", create=True)
    await room.files.write("/photos/a", b"a", create=True, parents=True)
    room.clock.now += 60
    async with room.history.batch("summer"):
        await room.files.write("/photos/b", b"b", create=True)
        await room.files.write("/secret plans", b"more secret", truncate=True)
    await room.files.mv("/photos", "/pictures")
    await room.files.mv("/pictures/a", "/pictures/c")
    await room.files.mv("/pictures/b", "/secret b")


async def test_a_chain_has_the_versions_of_the_path_alone(room: Room) -> None:
    await told(room)
    head = await room.history.extract("/pictures")
    found = await commits(room, head)
    assert [commit.changes for commit in found] == [
        (Touch(ADDED, "/a"),),
        (Touch(ADDED, "/b"),),
        (Touch(RENAMED, "/c", "/a"),),
        (Touch(REMOVED, "/b"),),
    ]
    assert [commit.message for commit in found] == ["", "summer", "", ""]
    assert found[1].time - found[0].time == 60_000
    assert found[-1].root == await room.cid("/pictures")
    assert (await room.history.verify(head)).valid
    everything = b"".join([data async for _, data in walk(room.source, [head])])
    assert b"secret" not in everything


async def test_extracting_again_gives_the_same_and_later_more(room: Room) -> None:
    await told(room)
    head = await room.history.extract("/pictures")
    assert await room.history.extract("/pictures") == head
    await room.files.write("/secret plans", b"unrelated", truncate=True)
    assert await room.history.extract("/pictures") == head
    await room.files.write("/pictures/new", b"n", create=True)
    later = await room.history.extract("/pictures")
    assert (await read_commit(room.source, later)).parents == (head,)


async def test_a_file_has_a_chain_too(room: Room) -> None:
    await room.files.write("/d/f", b"1", create=True, parents=True)
    await room.files.write("/d/f", b"2")
    await room.files.rm("/d", recursive=True)
    found = await commits(room, await room.history.extract("/d/f"))
    assert [(commit.root, commit.changes) for commit in found] == [
        (CID.of(b"1"), (Touch(ADDED, "/"),)),
        (CID.of(b"2"), (Touch(CHANGED, "/"),)),
    ]


async def test_the_whole_tree_can_travel(room: Room) -> None:
    await told(room)
    found = await commits(room, await room.history.extract("/"))
    own = [version async for version in await room.history.log("/")]
    assert [commit.root for commit in found] == [version.commit.root for version in own][::-1]


async def test_a_directory_put_in_place_is_a_change_of_all_below(room: Room) -> None:
    await room.files.write("/a/b/f", b"1", create=True, parents=True)
    other = await room.cid("/a/b")
    await room.files.write("/a/b/f", b"2")
    await room.files.place("/a/b", other)
    found = await commits(room, await room.history.extract("/a/b/f"))
    assert [commit.changes for commit in found][-1] == (Touch(CHANGED, "/"),)


async def test_dropped_versions_stay_behind(room: Room) -> None:
    for number in range(4):
        await room.files.write("/f", b"%d" % number, create=True)
    VersionTable(room.database).drop([2, 3])
    found = await commits(room, await room.history.extract("/f"))
    assert [commit.root for commit in found] == [CID.of(b"0"), CID.of(b"3")]


async def test_a_chain_goes_on_from_the_one_it_was_grafted_from(room: Room) -> None:
    theirs = Commit.sign(KEY, root=room.add(b"theirs"), parents=[], time=1, message="theirs").to_block()
    room.store.put([theirs])
    await room.history.adopt(theirs.cid, "/d/f")
    adopted = await read_commit(room.source, await room.history.extract("/d/f"))
    assert (adopted.root, adopted.parents) == (CID.of(b"theirs"), (theirs.cid,))
    await room.files.write("/d/f", b"mine", truncate=True)
    head = await room.history.extract("/d/f")
    assert [commit.message for commit in await commits(room, head)] == ["theirs", "", ""]
    folder = await commits(room, await room.history.extract("/d"))
    assert [graft.path for graft in folder[0].grafts] == ["/f"]
    assert [commit.message for commit in await commits(room, await room.history.extract(f"/ipfs/{head}"))] != []


async def test_changes_that_are_no_paths_stay_behind(room: Room) -> None:
    changes = [Touch(CHANGED, "no path"), Touch(RENAMED, "/b", "no path"), Touch(RENAMED, "no path", "/f")]
    block = Commit.sign(KEY, root=room.add(b"x"), parents=[], time=1, changes=changes).to_block()
    room.store.put([block])
    (found,) = await commits(room, await room.history.extract(f"/ipfs/{block.cid}"))
    assert found.changes == (Touch(ADDED, "/b"), Touch(REMOVED, "/f"))
