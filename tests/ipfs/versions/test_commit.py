"""The commit: one form for one value, signed; what is not one is refused with one kind of error."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.mfs.journal import ChangeKind, Graft, Touch
from zwerm.ipfs.versions.commit import (
    MAX_CHANGES,
    MAX_GRAFTS,
    MAX_MESSAGE,
    MAX_PARENTS,
    MAX_SIZE,
    MAX_TIME,
    OWN_MESSAGE,
    OWN_SIZE,
    Commit,
)
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

KEY = PrivateKey(KeyType.ED25519, Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
EMPTY = CID.from_text("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354")
PARENT = CID.of(b"parent", multicodec.DAG_CBOR)


def commit(**fields: Any) -> Commit:
    return Commit.sign(KEY, **({"root": EMPTY, "parents": [], "time": 0} | fields))


def document(**fields: Any) -> dict[str, Any]:
    """A whole commit as a map, with fields replaced or, where the value is None, taken away."""
    made = commit(parents=[PARENT], message="m", changes=[Touch(ChangeKind.ADDED, "/a")], omitted=2)
    found = dag_cbor.decode(made.to_block().data) | fields
    return {name: value for name, value in found.items() if value is not None}


def test_the_vector_of_the_specification() -> None:
    block = commit(message="hello").to_block()
    assert str(block.cid) == "bafyreiczghdkitdkds5qa45awmgdg4eaylm3jfllnokj747fz45q47xbla"


def test_a_commit_reads_back_as_it_was_written() -> None:
    made = commit(
        parents=[PARENT],
        time=1_750_000_000_123,
        message="späße",
        changes=[Touch(ChangeKind.RENAMED, "/b", "/a"), Touch(ChangeKind.MODE, "/c")],
        omitted=3,
        grafts=[Graft("/d", PARENT)],
    )
    block = made.to_block()
    assert Commit.parse(block.data) == made
    assert made.signed_by_author()
    assert made.peer_id() == PeerId.of(KEY.public)
    assert block.cid.codec == multicodec.DAG_CBOR
    assert Commit.parse(block.data).to_block() == block


def test_signing_twice_gives_the_same_commit() -> None:
    assert commit(message="x").to_block() == commit(message="x").to_block()


@pytest.mark.parametrize(
    "field",
    [
        {"root": CID.of(b"other")},
        {"time": 1},
        {"message": "n"},
        {"parents": ()},
        {"omitted": 9},
        {"changes": ()},
        {"author": PrivateKey.generate().public.serialize()},
        {"extra": {"more": 1}},
        {"signature": b""},
        {"author": b"no key"},
    ],
    ids=lambda field: next(iter(field)),
)
def test_a_changed_field_breaks_the_signature(field: dict[str, Any]) -> None:
    made = commit(parents=[PARENT], message="m", changes=[Touch(ChangeKind.ADDED, "/a")])
    assert not dataclasses.replace(made, **field).signed_by_author()


def test_a_field_that_is_not_known_is_kept_and_signed() -> None:
    unsigned = dag_cbor.decode(commit().to_block().data) | {"mood": "fine"}
    del unsigned["signature"]
    signed = unsigned | {"signature": KEY.sign(b"zwerm/commit:" + dag_cbor.encode(unsigned))}
    found = Commit.parse(dag_cbor.encode(signed))
    assert found.extra == {"mood": "fine"}
    assert found.signed_by_author()
    assert found.to_block().data == dag_cbor.encode(signed)


def test_a_commit_of_ours_stays_small_and_counts_what_it_does_not_list() -> None:
    changes = [Touch(ChangeKind.ADDED, f"/a rather long path/{number}") for number in range(1_000)]
    made = commit(changes=changes, message="x" * 1_000, omitted=7)
    assert len(made.to_block().data) <= OWN_SIZE
    assert 20 < len(made.changes) < 100
    assert made.omitted == 1_007 - len(made.changes)
    small = commit(parents=[PARENT], changes=changes[:1])
    assert len(small.to_block().data) < 400


def test_a_path_that_is_no_text_is_counted_only() -> None:
    made = commit(changes=[Touch(ChangeKind.ADDED, "/\udcff")])
    assert (made.changes, made.omitted) == ((), 1)


def test_a_message_that_is_too_long_or_no_text_is_refused() -> None:
    for message in ("x" * (OWN_MESSAGE + 1), "\ud800"):
        with pytest.raises(LocalProtocolError, match="message of"):
            commit(message=message)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "zwerm/other"},
        {"type": None},
        *({name: None} for name in ("root", "parents", "time", "author", "message", "changes", "signature")),
        {"root": b"bytes"},
        {"parents": EMPTY},
        {"parents": [EMPTY]},
        {"parents": ["x"]},
        {"parents": [PARENT] * (MAX_PARENTS + 1)},
        {"time": -1},
        {"time": MAX_TIME + 1},
        {"time": 1.5},
        {"time": True},
        {"author": "text"},
        {"author": bytes(9_000)},
        {"message": b"bytes"},
        {"message": "x" * (MAX_MESSAGE + 1)},
        {"changes": {}},
        {"changes": ["x"]},
        {"changes": [{}]},
        {"changes": [{"kind": "added"}]},
        {"changes": [{"kind": "painted", "path": "/"}]},
        {"changes": [{"kind": "added", "path": 1}]},
        {"changes": [{"kind": "renamed", "path": "/", "from": 1}]},
        {"changes": [{"kind": "added", "path": "/", "more": 1}]},
        {"changes": [{"kind": "mode", "path": ""}] * (MAX_CHANGES + 1)},
        {"omitted": 0},
        {"omitted": "x"},
        {"grafts": []},
        {"grafts": {}},
        {"grafts": [{}]},
        {"grafts": [{"path": "/", "commit": EMPTY}]},
        {"grafts": [{"path": "/", "commit": "x"}]},
        {"grafts": [{"path": 1, "commit": PARENT}]},
        {"grafts": [{"path": "/", "commit": PARENT}] * (MAX_GRAFTS + 1)},
        {"signature": "x"},
        {"signature": bytes(3_000)},
        {"filler": bytes(MAX_SIZE)},
    ],
    ids=lambda fields: str(fields)[:60],
)
def test_what_is_no_commit_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        Commit.parse(dag_cbor.encode(document(**fields)))


@pytest.mark.parametrize("data", [b"", b"\xa0", b"\x80", b"\x01", b"\xff", dag_cbor.encode("zwerm/commit")])
def test_other_documents_are_no_commits(data: bytes) -> None:
    with pytest.raises(WireError):
        Commit.parse(data)


def test_another_encoding_of_the_same_map_is_refused() -> None:
    data = commit().to_block().data
    assert data[-67:-66] != b""
    loose = data.replace(b"dtime\x00", b"dtime\x18\x00")
    assert loose != data
    with pytest.raises(WireError):
        Commit.parse(loose)


@given(st.binary(max_size=300))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        found = Commit.parse(data)
    except WireError:
        return
    assert found.to_block().data == data


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(document())), values)
@settings(max_examples=200)
def test_a_field_of_any_kind_is_parsed_or_refused(name: str, value: Any) -> None:
    data = dag_cbor.encode(document() | {name: value})
    try:
        found = Commit.parse(data)
    except WireError:
        return
    assert found.to_block().data == data
    found.signed_by_author()
    found.peer_id()
