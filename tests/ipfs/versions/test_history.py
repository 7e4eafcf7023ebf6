"""`History`: bringing versions back, comparing, thinning, taking in the history of others."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from tests.ipfs.mfs.room import KEY, Room, disk_room, memory_room
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.mfs.errors import BadPath, FileExists, FileMissing
from zwerm.ipfs.mfs.journal import ChangeKind, Touch
from zwerm.ipfs.pins.collector import Collector
from zwerm.ipfs.pins.pins import Pins
from zwerm.ipfs.versions.address import BadVersion, short
from zwerm.ipfs.versions.commit import OWN_SIZE, Commit
from zwerm.ipfs.versions.history import Thinned, VersionDropped
from zwerm.ipfs.versions.log import Gap
from zwerm.ipfs.versions.policy import Policy
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ADDED, CHANGED, REMOVED, RENAMED, MODE = ChangeKind


async def count(room: Room, path: str = "/") -> int:
    return len([found async for found in await room.history.log(path) if not isinstance(found, Gap)])


async def story(room: Room) -> list[CID]:
    """Five versions of /f and of /g; the versions of the tree, oldest first."""
    made: list[CID] = []
    for number in range(5):
        room.clock.now += 60
        change = await room.files.write("/f", b"%d" % number, create=True)
        assert change.version is not None
        made.append(change.version)
        room.clock.now += 60
        change = await room.files.write("/g", b"g%d" % number, create=True)
        assert change.version is not None
        made.append(change.version)
    return made


async def test_a_commit_says_who_when_and_what(room: Room) -> None:
    change = await room.files.write("/a", b"1", create=True, message="the first")
    (version,) = [found async for found in await room.history.log("/a")]
    assert version.cid == change.version == room.history.head
    commit = version.commit
    assert (commit.message, commit.time) == ("the first", int(room.clock.now * 1000))
    assert commit.peer_id() == PeerId.of(KEY.public)
    assert commit.changes == (Touch(ADDED, "/a"),)
    assert commit.root == change.root
    assert len(commit.to_block().data) < 400


async def test_a_change_set_of_thousands_makes_a_commit_within_its_size(room: Room) -> None:
    async with room.history.batch():
        for number in range(1_200):
            await room.files.mkdir(f"/directory number {number}")
    (version,) = [found async for found in await room.history.log("/")]
    assert len(version.commit.to_block().data) <= OWN_SIZE
    assert len(version.commit.changes) + version.commit.omitted == 1_200


async def test_a_message_too_long_takes_the_change_back(room: Room) -> None:
    with pytest.raises(LocalProtocolError, match="message of"):
        await room.files.mkdir("/a", message="x" * 3_000)
    assert await room.snapshot() == {}


async def test_a_version_is_named_by_number_commit_beginning_and_date(room: Room) -> None:
    made = await story(room)
    begin = room.clock.now - 600
    for number in range(5):
        root = CID.of(b"%d" % number)
        assert await room.history.at("/f", f"~{4 - number}") == root
        for version in (made[2 * number], made[2 * number + 1]):  # the second one left /f alone
            assert await room.history.at("/f", str(version)) == root
            assert await room.history.at("/f", short(version)) == root
            assert await room.history.at("/f", str(version)[:20]) == root
        moment = dt.datetime.fromtimestamp(begin + 120 * number + 61, dt.UTC)
        assert await room.history.at("/f", moment.isoformat()) == root
    assert await room.history.at("/f", "2099-12-31") == CID.of(b"4")
    assert await room.history.at("/", "~3") == (await room.history.version("/", "~3")).commit.root


@pytest.mark.parametrize("version", ["~5", "2001-01-01", "abcdef", str(CID.of(b"none", multicodec.DAG_CBOR)), "what?"])
async def test_a_version_that_is_not_there_is_said_so(room: Room, version: str) -> None:
    await story(room)
    with pytest.raises(BadVersion):
        await room.history.at("/f", version)


async def test_a_beginning_that_two_commits_share_is_refused(room: Room) -> None:
    made = await story(room)
    with room.database.transaction() as connection:
        twin = bytes(made[3])[:-1] + bytes([bytes(made[3])[-1] ^ 1])
        connection.execute("UPDATE versions SET cid = ? WHERE sequence = 2", (twin,))
    with pytest.raises(BadVersion, match="could be any of"):
        await room.history.at("/f", short(made[3]))


async def test_what_did_not_exist_then_is_missing(room: Room) -> None:
    await room.files.mkdir("/d")
    await room.files.write("/d/a", b"1", create=True)
    await room.files.rm("/d/a")
    assert await room.history.at("/d/a", "~1") == CID.of(b"1")
    with pytest.raises(FileMissing, match="did not exist in version ~0"):
        await room.history.at("/d/a", "~0")
    with pytest.raises(BadVersion):
        await room.history.at("/none", "~0")


async def test_restoring_makes_a_new_version_and_loses_none(room: Room) -> None:
    await story(room)
    change = await room.history.restore("/f", "~3")
    assert await room.read("/f") == b"1"
    assert change.touches == (Touch(CHANGED, "/f"),)
    assert (await room.history.version("/f", "~0")).commit.message == "restore /f from ~3"
    assert await room.history.at("/f", "~1") == CID.of(b"4")
    await room.history.restore("/", "~1", message="back")
    assert await room.read("/f") == b"4"
    assert await count(room) == 12
    assert (await room.history.restore("/f", "~0")).version is None


async def test_what_was_removed_comes_back_with_the_directories_above_it(room: Room) -> None:
    await room.files.write("/d/e/f", b"1", create=True, parents=True)
    await room.files.rm("/d", recursive=True)
    await room.history.restore("/d/e/f", "~1")
    assert await room.snapshot() == {"/d": None, "/d/e": None, "/d/e/f": b"1"}


async def test_undo_brings_paths_back_together_and_takes_away_what_was_not_there(room: Room) -> None:
    await room.files.write("/a", b"1", create=True)
    await room.files.mkdir("/d")
    await room.files.rm("/a")
    await room.files.write("/b", b"2", create=True)
    change = await room.history.undo("~2", ["/a", "/b", "/d", "/none"])
    assert await room.snapshot() == {"/a": b"1", "/d": None}
    assert set(change.touches) == {Touch(ADDED, "/a"), Touch(REMOVED, "/b")}
    assert change.version == room.history.head
    assert await count(room) == 5


async def test_two_versions_of_a_path_are_compared(room: Room) -> None:
    made = await story(room)
    await room.files.mkdir("/d")

    async def kinds(*sides: str | CID | None, path: str = "/") -> list[tuple[ChangeKind, str]]:
        return [(found.kind, found.path) async for found in await room.history.diff(*sides, path=path)]  # type: ignore[arg-type]

    assert await kinds("~1") == [(ADDED, "/d")]
    assert await kinds("~10", "~8") == [(CHANGED, "/f"), (ADDED, "/g")]
    assert await kinds(made[0], made[1]) == [(ADDED, "/g")]
    assert await kinds("~3", "~1", path="/f") == [(CHANGED, "/f")]
    assert await kinds("~0", path="/f") == []
    assert await kinds(CID.of(b"4"), path="/f") == []
    await room.files.rm("/f")
    assert await kinds("~1", path="/f") == [(REMOVED, "/f")]
    assert await kinds("~0", "~1", path="/f") == [(ADDED, "/f")]
    text = await room.history.text_diff(CID.of(b"1"), CID.of(b"2"), "f")
    assert text is not None
    assert text.startswith("--- f (before)\n+++ f (after)\n")


async def test_a_history_from_elsewhere_is_listed_named_and_compared(room: Room, tmp_path) -> None:
    await room.files.write("/d/f", b"1", create=True, parents=True)
    await room.files.write("/d/f", b"2")
    await room.files.mkdir("/d/e")
    head = await room.history.extract("/d")
    (tmp_path / "other").mkdir()
    async with memory_room(tmp_path / "other", key=PrivateKey.generate()) as other:
        other.store.put([Block.check(cid, data) async for cid, data in _sync(room, head)])
        history = other.history
        for text in (f"/ipfs/{head}", f"ipfs://{head}", str(head)):
            assert [found.kind async for found in await history.log(text)] == [CHANGED, CHANGED, ADDED]
        below = f"/ipfs/{head}/f"
        assert [found.number async for found in await history.log(below)] == [0, 1]
        assert await history.at(below, "~1") == CID.of(b"1")
        first = [found.cid async for found in await history.log(below)][1]
        assert await history.at(below, short(first)) == await history.at(below, str(first)) == CID.of(b"1")
        assert await history.at(below, short(head)) == CID.of(b"2")
        assert [found.path async for found in await history.diff("~1", path=below)] == ["/"]
        assert [found.path async for found in await history.diff(head, first, path=below)] == ["/"]
        with pytest.raises(BadVersion):
            await history.at(below, short(CID.of(b"none", multicodec.DAG_CBOR)))
        assert (await history.verify(head)).valid


def _sync(room: Room, head: CID):
    return walk(room.source, [head])


async def test_an_adopted_history_goes_on_under_a_new_owner(room: Room, tmp_path) -> None:
    await room.files.write("/d/f", b"1", create=True, parents=True)
    await room.files.write("/d/f", b"2")
    head = await room.history.extract("/d")
    (tmp_path / "other").mkdir()
    other_key = PrivateKey.generate()
    async with memory_room(tmp_path / "other", key=other_key) as other:
        other.store.put([Block.check(cid, data) async for cid, data in walk(room.source, [head])])
        await other.history.adopt(head, "/from a friend", message="thanks")
        await other.files.write("/from a friend/f", b"3")
        found = [version async for version in await other.history.log("/from a friend/f")]
        assert [version.node for version in found] == [CID.of(b) for b in (b"3", b"2", b"2", b"1")]
        authors = [version.commit.peer_id() for version in found]
        mine, theirs = PeerId.of(other_key.public), PeerId.of(KEY.public)
        assert authors == [mine, mine, theirs, theirs]
        await other.history.restore("/from a friend/f", "~3")
        assert await other.read("/from a friend/f") == b"1"
        onward = await other.history.extract("/from a friend")
        verified = await other.history.verify(onward)
        assert verified.valid
        assert set(verified.authors) == {str(mine), str(theirs)}


async def test_a_history_is_adopted_where_nothing_else_is_and_only_if_it_is_signed(room: Room) -> None:
    content = room.add(b"content")
    signed = Commit.sign(KEY, root=content, parents=[], time=1)
    good, bad = signed.to_block(), Commit.parse(signed.to_block().data.replace(b"dtime\x01", b"dtime\x02")).to_block()
    room.store.put([good, bad])
    await room.files.write("/taken", b"other", create=True)
    with pytest.raises(FileExists):
        await room.history.adopt(good.cid, "/taken")
    with pytest.raises(WireError, match="not signed by its author"):
        await room.history.adopt(bad.cid, "/a")
    await room.files.place("/same", content)
    change = await room.history.adopt(good.cid, "/same")
    assert change.version is not None  # nothing changed but where the past of the path is
    assert await count(room, "/same") == 2


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (str(CID.of(b"raw")), WireError),
        (f"/ipfs/{CID.of(b'raw')}", WireError),
        (f"/ipfs/{CID.of(b'none', multicodec.DAG_CBOR)}", BlockNotFound),
        ("relative", BadPath),
        ("/ipns/example.org", None),
    ],
)
async def test_only_files_and_commits_have_a_history(room: Room, path: str, error: type[Exception] | None) -> None:
    if error is None:
        assert [found async for found in await room.history.log(path)] == []
        return
    with pytest.raises(error):
        await room.history.log(path)


async def test_a_directory_called_ipfs_has_a_history_too(room: Room) -> None:
    await room.files.mkdir("/ipfs/notes", parents=True)
    assert await count(room, "/ipfs/notes") == 1


async def test_as_many_versions_are_listed_as_asked_for(room: Room) -> None:
    await story(room)
    for limit in (0, 1, 3, 99):
        found = [version async for version in await room.history.log("/f", limit=limit)]
        assert [version.number for version in found] == list(range(min(limit, 5)))


async def collect(room: Room) -> int:
    collector = Collector(room.store, Pins(room.database, room.store), lambda: roots(room))
    removed = await collector.collect()
    await collector.close()
    return removed.blocks


def roots(room: Room) -> list[CID]:
    alone = [CID(1, multicodec.RAW, cid.multihash) for cid in room.history.commits()]
    return [*room.files.roots(), *room.history.roots(), *alone]


async def test_every_version_survives_a_collection(room: Room) -> None:
    await story(room)
    await room.files.rm("/f")
    await collect(room)
    assert await room.history.at("/f", "~5") == CID.of(b"0")
    assert all(room.store.has(CID.of(b"%d" % number)) for number in range(5))
    verified = await room.history.verify()
    assert (verified.valid, verified.commits, verified.problems) == (True, 11, [])


async def test_thinning_gives_space_back_and_what_is_kept_stays(room: Room) -> None:
    made = await story(room)
    room.history.policy = Policy(last=3)
    assert await room.history.thin() == Thinned(7, 7)
    before = {CID.of(b"%d" % number) for number in range(5)}
    assert all(room.store.has(cid) for cid in before)
    assert await collect(room) >= 3 + 7
    assert [room.store.has(CID.of(b"%d" % number)) for number in range(5)] == [False, False, False, True, True]
    found = [version async for version in await room.history.log("/")]
    assert isinstance(found[-1], Gap)
    assert len(found) == 4
    verified = await room.history.verify()
    assert (verified.valid, verified.commits, verified.gap, verified.problems) == (True, 3, made[6], [])
    assert await room.history.at("/f", "~1") == CID.of(b"3")
    await room.files.mkdir("/later")
    await collect(room)
    assert (await room.history.verify()).valid


async def test_thinning_by_age_leaves_commits_and_says_what_was_dropped(room: Room) -> None:
    for _hour in range(4):
        for _ in range(3):
            room.clock.now += 10
            await room.files.write("/f", random.Random(room.clock.now).randbytes(20), create=True)
        room.clock.now += 3_600
    room.clock.now += 2 * 86_400
    room.history.policy = Policy(by_age=True)
    thinned = await room.history.thin()
    assert 6 <= thinned.dropped <= 8
    assert thinned.cut <= 2
    await collect(room)
    verified = await room.history.verify()
    assert verified.valid
    assert verified.commits == 12 - thinned.cut
    assert verified.kept == 12 - thinned.dropped
    assert verified.problems == []
    dropped = [
        version async for version in await room.history.log("/f") if not isinstance(version, Gap) and not version.kept
    ]
    assert len(dropped) == thinned.dropped - thinned.cut
    with pytest.raises(VersionDropped, match=r"dropped by the policy of the history \(thin\)"):
        await room.history.restore("/f", str(dropped[0].cid))
    with pytest.raises(VersionDropped):
        await room.history.undo(str(dropped[0].cid), ["/f"])
    assert (await room.history.thin()).dropped == 0


async def test_versions_made_while_and_after_thinning_are_kept(room: Room) -> None:
    await story(room)
    room.history.policy = Policy(last=2)
    await room.history.thin()
    known = set(room.history.roots())
    change = await room.files.write("/f", b"after", truncate=True)
    assert set(room.history.roots()) == known | {change.root}
    assert change.version in room.history.commits()
    adopted = Commit.sign(KEY, root=room.add(b"theirs"), parents=[], time=1).to_block()
    room.store.put([adopted])
    await room.history.adopt(adopted.cid, "/theirs")
    assert adopted.cid in room.history.roots()
    room.history._kept = None
    assert adopted.cid in room.history.roots()


async def test_a_new_history_has_no_roots_and_one_that_is_whole_has_its_head(room: Room) -> None:
    assert room.history.roots() == []
    await room.files.mkdir("/a")
    assert room.history.roots() == [room.history.head]
    assert room.history.commits() == []


async def test_a_history_goes_on_when_it_is_opened_again(tmp_path) -> None:
    async with disk_room(tmp_path) as room:
        await story(room)
        room.history.policy = Policy(last=4)
        await room.history.thin()
    async with disk_room(tmp_path) as room:
        await room.files.mkdir("/a")
        assert await count(room) == 5
        assert len(room.history.commits()) == 5
        verified = await room.history.verify()
        assert (verified.valid, verified.commits) == (True, 5)


async def test_commit_puts_content_in_place(room: Room) -> None:
    change = await room.history.commit("/a/b", room.add(b"content"), "by hand")
    assert await room.read("/a/b") == b"content"
    assert (await room.history.version("/a/b", "~0")).commit.message == "by hand"
    assert change.version == room.history.head


async def test_extracting_what_has_no_version_is_an_error(room: Room) -> None:
    with pytest.raises(FileMissing, match="no version that is kept"):
        await room.history.extract("/none")


async def test_a_path_too_long_for_a_message_is_restored_all_the_same(room: Room) -> None:
    path = "/" + "/".join(["d" * 250] * 12)
    await room.files.write(path, b"1", create=True, parents=True)
    await room.files.write(path, b"2")
    await room.history.restore(path, "~1")
    assert await room.read(path) == b"1"
    assert len((await room.history.version(path, "~0")).commit.message) == 400
