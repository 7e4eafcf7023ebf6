"""Checking a history finds what is wrong with it and says which commit it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.ipfs.mfs.room import KEY, Room
from zwerm.identity.keys import PrivateKey
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.versions import verify as module
from zwerm.ipfs.versions.commit import Commit
from zwerm.ipfs.versions.verify import Severity
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

OTHER = PrivateKey.generate()


def put(room: Room, parents: list[CID], **fields: Any) -> CID:
    """Put a commit whose fields were changed after it was signed."""
    made = Commit.sign(KEY, root=room.add(b"content"), parents=parents, time=1_000)
    block = dataclasses.replace(made, **fields).to_block()
    room.store.put([block])
    return block.cid


async def test_our_own_history_is_valid(room: Room) -> None:
    for name in "abc":
        await room.files.mkdir(f"/{name}")
    found = await room.history.verify()
    assert (found.valid, found.commits, found.kept, found.gap, found.problems) == (True, 3, 3, None, [])
    assert len(found.authors) == 1
    assert found.authors[0].startswith("12D3Koo")


async def test_a_bad_signature_is_an_error_at_its_commit(room: Room) -> None:
    first = put(room, [])
    second = put(room, [first], message="not what was signed")
    third = put(room, [second], author=OTHER.public.serialize())
    found = await room.history.verify(put(room, [third]))
    assert not found.valid
    assert [problem.commit for problem in found.problems] == [third, second]
    assert {problem.text for problem in found.problems} == {"the signature is not the author's"}
    assert len(found.authors) == 2


async def test_an_author_that_is_no_key_is_an_error(room: Room) -> None:
    found = await room.history.verify(put(room, [], author=b"nobody"))
    assert not found.valid
    assert found.authors == ["unknown"]


async def test_odd_times_are_warnings(room: Room) -> None:
    future = int((room.clock.now + 30 * 86_400) * 1_000)
    cids: list[CID] = []
    for time in (5, future, 2**53 - 1, 7):
        block = Commit.sign(KEY, root=room.add(b"c"), parents=cids[-1:], time=time).to_block()
        room.store.put([block])
        cids.append(block.cid)
    found = await room.history.verify(cids[-1])
    assert found.valid
    assert [(problem.commit, problem.severity) for problem in found.problems] == [
        (cids[3], Severity.WARNING),
        (cids[2], Severity.WARNING),
        (cids[1], Severity.WARNING),
    ]
    assert found.problems[0].text == "it is dated before its parent"
    assert "in the future" in found.problems[2].text


async def test_a_block_that_is_no_commit_ends_the_check(room: Room) -> None:
    other = Block.create(dag_cbor.encode({"type": "zwerm/commit"}), multicodec.DAG_CBOR)
    room.store.put([other])
    head = put(room, [other.cid])
    found = await room.history.verify(head)
    assert not found.valid
    assert (found.commits, found.problems[0].commit) == (1, head)
    assert f"{other.cid}: commit without" in found.problems[0].text
    found = await room.history.verify(other.cid)
    assert not found.valid
    assert found.problems[0].commit is None


async def test_a_gap_is_no_error(room: Room) -> None:
    gone = CID.of(b"gone", multicodec.DAG_CBOR)
    found = await room.history.verify(put(room, [gone]))
    assert found.gap == gone
    with pytest.raises(BlockNotFound):
        await room.history.verify(gone)


async def test_content_that_is_missing_is_an_error_only_where_it_should_be_here(room: Room) -> None:
    change = await room.files.mkdir("/a")
    await room.files.mkdir("/b")
    assert change.version is not None
    room.store.delete([change.root])
    own = await room.history.verify()
    assert not own.valid
    assert own.problems[0].commit == change.version
    other = await room.history.verify(room.history.head)
    assert other.valid
    assert other.problems[0].severity is Severity.WARNING


async def test_a_table_that_contradicts_its_commits_is_an_error(room: Room) -> None:
    for name in "abc":
        await room.files.mkdir(f"/{name}")
    with room.database.transaction() as connection:
        connection.execute("UPDATE versions SET time = 1 WHERE sequence = 3")
        connection.execute("DELETE FROM versions WHERE sequence = 2")
    found = await room.history.verify()
    assert [problem.text[:30] for problem in found.problems] == [
        "the index says another root or",
        "its parent is not bafyrei" + found.problems[1].text[25:30],
    ]


async def test_a_block_that_hashes_to_something_else_is_an_error(room: Room) -> None:
    good, bad = put(room, []), Commit.sign(KEY, root=CID.of(b""), parents=[], time=9).to_block()
    room.store._blocks[good.multihash] = (bad.data, 0)
    found = await room.history.verify(good)
    assert not found.valid
    assert found.problems[0].text == "the block is not what its CID says"


async def test_problems_beyond_the_limit_are_counted(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PROBLEMS", 2)
    monkeypatch.setattr(module, "_BREATH", 2)
    head: list[CID] = []
    for _ in range(5):
        head = [put(room, head, message="bad")]
    found = await room.history.verify(head[0])
    assert (len(found.problems), found.omitted, found.commits) == (2, 3, 5)
