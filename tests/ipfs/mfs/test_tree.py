"""Trees as values: a change gives another root, shares all else, and names what is missing in Kubo's words."""

from __future__ import annotations

import pytest

from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.mfs.errors import BadPath, FileMissing, NotADirectory
from zwerm.ipfs.mfs.tree import Found, Tree, find, profile_of_directory
from zwerm.ipfs.mfs.workspace import Workspace
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

LEAF = Block.create(b"leaf")
FILE = Found(LEAF.cid, 4)


@pytest.fixture
def tree() -> Tree:
    store = MemoryBlockstore()
    store.put([LEAF])
    return Tree(Workspace(LocalSource(store)), DEFAULT)


async def test_a_change_gives_a_new_root_and_leaves_the_old_one(tree: Tree) -> None:
    empty = tree.empty().cid
    one = await tree.put(empty, ("a",), FILE)
    two = await tree.put(one, ("b", "c"), FILE, parents=DEFAULT)
    assert await tree.find(two, ("b", "c")) == FILE
    assert await find(tree.workspace, two, ("a",)) == FILE
    assert await find(tree.workspace, one, ("b",)) is None
    assert await tree.find(empty, ("a",)) is None
    assert await tree.remove(await tree.remove(two, ("b",)), ("a",)) == empty


async def test_the_empty_path_is_the_root(tree: Tree) -> None:
    empty = tree.empty().cid
    assert await tree.find(empty, ()) == await find(tree.workspace, empty, ()) == Found(empty, 0)
    assert await tree.put(empty, (), FILE) == LEAF.cid


async def test_what_is_missing_on_the_way_is_made_only_when_asked_for(tree: Tree) -> None:
    empty = tree.empty().cid
    with pytest.raises(FileMissing, match=r"^file does not exist$"):
        await tree.put(empty, ("a", "b"), FILE)
    with pytest.raises(FileMissing):
        await tree.remove(empty, ("a",))


async def test_a_file_on_the_way_is_no_directory(tree: Tree) -> None:
    root = await tree.put(tree.empty().cid, ("a", "b"), FILE, parents=DEFAULT)
    for attempt in (
        find(tree.workspace, root, ("a", "b", "c", "d")),
        tree.find(root, ("a", "b", "c")),
        tree.put(root, ("a", "b", "c"), FILE),
    ):
        with pytest.raises(NotADirectory, match=r"^cannot access a/b/c: Not a directory$"):
            await attempt


async def test_new_names_are_checked_and_old_ones_are_taken_as_they_are(tree: Tree) -> None:
    strange = "x" * 300
    from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder

    builder = DirectoryBuilder(DEFAULT)
    await builder.set(strange, *FILE)
    root = builder.finish(tree.workspace).cid
    root = await tree.put(root, (strange,), Found(LEAF.cid, 5))
    assert await tree.find(root, (strange,)) == Found(LEAF.cid, 5)
    with pytest.raises(BadPath):
        await tree.put(root, ("y" * 300,), FILE)
    with pytest.raises(BadPath):
        await tree.put(root, ("y" * 300, "z"), FILE, parents=DEFAULT)
    assert await tree.find(await tree.remove(root, (strange,)), (strange,)) is None


async def test_directories_that_are_kept_open_are_few_and_right(tree: Tree) -> None:
    root = tree.empty().cid
    for number in range(30):
        root = await tree.put(root, (f"d{number % 12}", f"{number}"), FILE, parents=DEFAULT)
    assert len(tree._open) <= 8
    kept = root
    tree.forget()
    for number in range(30):
        assert await tree.find(root, (f"d{number % 12}", f"{number}")) == FILE
    assert await tree.put(root, ("d0", "0"), FILE) == kept


async def test_a_failed_change_forgets_what_it_had_opened(tree: Tree) -> None:
    inner = tree.empty().cid
    gone = CID.of(b"gone", multicodec.DAG_PB)
    root = await tree.put(tree.empty().cid, ("a",), Found(gone, 9))
    with pytest.raises(BlockNotFound):
        await tree.put(root, ("a", "b"), FILE)
    assert await tree.find(root, ("a",)) == Found(gone, 9)
    assert await tree.put(root, ("b",), Found(inner, 4)) != root


async def test_a_sharded_directory_is_not_kept_open_for_ever(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.ipfs.mfs.tree._SHARDED_CHANGES", 3)
    monkeypatch.setattr(tree, "profile", PROFILES["default"].__class__(hamt_threshold=100))
    root = tree.empty().cid
    for number in range(20):
        root = await tree.put(root, (f"name {number}",), FILE)
    for number in range(20):
        assert await find(tree.workspace, root, (f"name {number}",)) == FILE


def test_a_directory_goes_on_as_it_is_named() -> None:
    assert profile_of_directory(DEFAULT, CID.of(b"", multicodec.DAG_PB).to_v0()).cid_version == 0
    assert profile_of_directory(DEFAULT, CID.of(b"", hash_code=multicodec.BLAKE3)).hash_code == multicodec.BLAKE3
    assert profile_of_directory(DEFAULT, CID.of(b"", hash_code=multicodec.IDENTITY)).hash_code == multicodec.SHA2_256
