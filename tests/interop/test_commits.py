"""Commits beside an implementation in JavaScript that was written from the specification alone."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ipfs.mfs.room import KEY, memory_room
from tests.peers.lines import LinePeer
from zwerm.ipfs.car.writer import write
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.mfs.journal import ChangeKind, Graft, Touch
from zwerm.ipfs.versions.commit import Commit
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

pytestmark = [pytest.mark.interop, pytest.mark.slow]

SEED = b64encode(b"\x01" * 32).decode()
EMPTY = CID.from_text("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354")
COMMITS = [CID.of(b"%d" % number, multicodec.DAG_CBOR) for number in range(3)]

texts = st.text(st.characters(max_codepoint=0xD7FF), max_size=20)
touches = st.builds(Touch, st.sampled_from(ChangeKind), texts, st.none() | texts)


@pytest.fixture(scope="module")
def peer() -> Iterator[LinePeer]:
    with LinePeer.node("commits.mjs") as peer:
        yield peer


def asked(commit: Commit) -> dict[str, Any]:
    return {
        "op": "make",
        "seed": SEED,
        "root": str(commit.root),
        "parents": [str(parent) for parent in commit.parents],
        "time": commit.time,
        "message": commit.message,
        "changes": [
            {"kind": touch.kind.value, "path": touch.path} | ({} if touch.source is None else {"from": touch.source})
            for touch in commit.changes
        ],
        "omitted": commit.omitted,
        "grafts": [{"path": graft.path, "commit": str(graft.commit)} for graft in commit.grafts] or None,
    }


def test_the_vector_of_the_specification_is_what_javascript_makes(peer: LinePeer) -> None:
    made = Commit.sign(KEY, root=EMPTY, parents=[], time=0, message="hello")
    assert peer.ask(asked(made))["cid"] == "bafyreiczghdkitdkds5qa45awmgdg4eaylm3jfllnokj747fz45q47xbla"


@given(
    st.lists(st.sampled_from(COMMITS), max_size=3),
    st.integers(0, 2**53 - 1),
    texts,
    st.lists(touches, max_size=4),
    st.integers(0, 9),
    st.lists(st.builds(Graft, texts, st.sampled_from(COMMITS)), max_size=2),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_make_the_same_commit(
    peer: LinePeer,
    parents: list[CID],
    time: int,
    message: str,
    changes: list[Touch],
    omitted: int,
    grafts: list[Graft],
) -> None:
    ours = Commit.sign(
        KEY,
        root=EMPTY,
        parents=parents,
        time=time,
        message=message,
        changes=changes,
        omitted=omitted,
        grafts=grafts,
    )
    theirs = b64decode(peer.ask(asked(ours))["block"])
    assert theirs == ours.to_block().data
    assert Commit.parse(theirs).signed_by_author()


async def test_a_history_that_travels_is_verified_there(peer: LinePeer, tmp_path) -> None:
    async with memory_room(tmp_path) as room:
        for number in range(4):
            await room.files.write(
                "/d/ä", b"%d" * 9 % ((number,) * 9), create=True, parents=True, message=f"№ {number}"
            )
        head = await room.history.extract("/d")
        car = b"".join([piece async for piece in write([head], walk(room.source, [head]))])
        found = peer.ask({"op": "verify", "car": b64encode(car).decode()})["commits"]
        log = [version async for version in await room.history.log(f"/ipfs/{head}")]
        assert [commit["cid"] for commit in found] == [str(version.cid) for version in log]
        assert [commit["message"] for commit in found] == ["№ 3", "№ 2", "№ 1", "№ 0"]
        assert all(commit["signed"] and commit["canonical"] for commit in found)
        spoilt = peer.ask({"op": "verify", "car": b64encode(car.replace("№ 2".encode(), "№ 9".encode())).decode()})
        assert [commit["signed"] for commit in spoilt["commits"]] == [True, False, True, True]
