"""A tree of new files is put into directories that exist: merged where both are directories, replaced elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import zwerm
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.profile import DEFAULT
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID
from zwerm.node.merge import Tree, directory_or_none, insert, merge

FILE = Entry(CID.of(b"file"), 4, 4, Kind.FILE)
OTHER = Entry(CID.of(b"other"), 5, 5, Kind.FILE)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[zwerm.Node]:
    async with zwerm.Node(tmp_path / "repository", profile="test") as opened:
        yield opened


def grown(*paths: str) -> Tree:
    tree: Tree = {}
    for path in paths:
        insert(tree, tuple(path.rstrip("/").split("/")), None if path.endswith("/") else FILE)
    return tree


async def names(node: zwerm.Node, cid: CID, below: str = "") -> dict[str, CID]:
    found: dict[str, CID] = {}
    async for entry in node.ls(cid):
        if entry.kind is Kind.DIRECTORY:
            found |= {f"{below}{entry.name}/": entry.cid} | await names(node, entry.cid, f"{below}{entry.name}/")
        else:
            found[below + entry.name] = entry.cid
    return found


def test_paths_grow_into_a_tree() -> None:
    assert grown("a", "d/b", "d/e/c", "f/", "d/") == {"a": FILE, "d": {"b": FILE, "e": {"c": FILE}}, "f": {}}


def test_of_one_name_the_last_file_counts() -> None:
    tree = grown("a")
    insert(tree, ("a",), OTHER)
    assert tree == {"a": OTHER}


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("a", "a/b", "'a/b' is below a file of the same upload"),
        ("a", "a/", "'a' is below a file of the same upload"),
        ("a/b", "a", "'a' is a file and a folder in the same upload"),
    ],
)
def test_a_name_is_a_file_or_a_folder(first: str, second: str, message: str) -> None:
    with pytest.raises(BadPath, match=message):
        grown(first, second)


async def test_without_a_directory_one_is_made(node: zwerm.Node) -> None:
    made = await merge(node, DEFAULT, None, grown("b", "d/a", "e/"))
    assert list(await names(node, made.cid)) == ["b", "d/", "d/a", "e/"]
    assert made.kind is Kind.DIRECTORY
    again = await merge(node, DEFAULT, None, grown("e/", "d/a", "b"))
    assert again.cid == made.cid, "the order in which names came decides nothing"


async def test_directories_are_merged_and_anything_else_is_replaced(node: zwerm.Node) -> None:
    await node.files.write("/both/kept", b"kept", create=True, parents=True)
    await node.files.write("/both/replaced", b"old", create=True)
    await node.files.write("/file", b"old", create=True)
    await node.files.mkdir("/folder")
    await node.files.write("/apart", b"apart", create=True)
    existing = (await node.files.stat("/")).cid
    made = await merge(node, DEFAULT, existing, grown("both/new", "both/replaced", "file/below", "folder"))
    found = await names(node, made.cid)
    assert sorted(found) == [
        "apart",
        "both/",
        "both/kept",
        "both/new",
        "both/replaced",
        "file/",
        "file/below",
        "folder",
    ]
    assert found["both/replaced"] == found["both/new"] == found["file/below"] == found["folder"] == FILE.cid


async def test_many_names_leave_others_their_turn(node: zwerm.Node) -> None:
    existing = (await node.files.stat("/")).cid
    tree = grown(*(f"{number:03}" for number in range(600)))
    made = await merge(node, DEFAULT, existing, tree)
    assert len([entry async for entry in node.ls(made.cid)]) == 600
    assert made.cid == (await merge(node, DEFAULT, None, tree)).cid


async def test_only_a_directory_is_one(node: zwerm.Node) -> None:
    directory = (await node.files.stat("/")).cid
    assert await directory_or_none(node, directory) == directory
    assert await directory_or_none(node, await node.add(b"file")) is None
    block = Block.create(dag_cbor.encode({"no": "unixfs"}), multicodec.DAG_CBOR)
    node.store.put([block])
    assert await directory_or_none(node, block.cid) is None
    assert await directory_or_none(node, None) is None
