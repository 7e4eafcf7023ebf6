"""What a history is asked of, and where in it a commit stands."""

from __future__ import annotations

import pytest

from tests.ipfs.mfs.room import KEY, Room
from zwerm.core.errors import WireError
from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.versions.address import BadVersion, Named, parse, short
from zwerm.ipfs.versions.commit import Commit
from zwerm.ipfs.versions.subject import Subject, commit_path
from zwerm.ipfs.versions.table import VersionTable
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

COMMIT = CID.of(b"commit", multicodec.DAG_CBOR)


def named(text: str) -> Named:
    found = parse(text)
    assert isinstance(found, Named)
    return found


@pytest.mark.parametrize("text", ["/", "/a", "/ipfs/notes", "/ipns/example.org"])
def test_a_path_of_the_files(text: str) -> None:
    assert commit_path(text) is None


@pytest.mark.parametrize("text", ["{}", "/ipfs/{}", "ipfs://{}"])
def test_a_commit_and_a_path_below_it(text: str) -> None:
    assert commit_path(text.format(COMMIT)) == (COMMIT, FilePath())
    assert commit_path(text.format(COMMIT) + "/a/b") == (COMMIT, FilePath(("a", "b")))


@pytest.mark.parametrize(("text", "error"), [("a/b", BadPath), ("", BadPath), (str(CID.of(b"raw")), WireError)])
def test_what_is_neither(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        commit_path(text)


async def test_a_commit_stands_behind_so_many_others(room: Room) -> None:
    table = VersionTable(room.database)
    made = [(await room.files.mkdir(f"/{number}")).version for number in range(4)]
    assert made[0] is not None
    own = await Subject.of("/1", table, room.source)
    other = await Subject.of(f"/ipfs/{made[3]}", table, room.source)
    for subject in (own, other):
        assert await subject.position(named(str(made[0]))) == 3
        assert await subject.position(named(short(made[0]))) == 3
        assert await subject.position(named(str(COMMIT))) == -1
        assert await subject.position(named(short(COMMIT))) == -1


async def test_a_beginning_that_two_commits_share_names_neither(room: Room) -> None:
    parents: list[CID] = []
    first: dict[str, CID] = {}
    for time in range(400):
        block = Commit.sign(KEY, root=CID.of(b""), parents=parents, time=time).to_block()
        room.store.put([block])
        parents = [block.cid]
        twin = first.setdefault(str(block.cid)[:9], block.cid)
        if twin != block.cid:
            break
    low, high = sorted([bytes(twin), bytes(parents[0])])
    subject = await Subject.of(f"/ipfs/{parents[0]}", VersionTable(room.database), room.source)
    with pytest.raises(BadVersion, match="more than one commit"):
        await subject.position(Named(low, high, "abcdef"))
