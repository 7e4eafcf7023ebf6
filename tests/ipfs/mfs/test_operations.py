"""The verbs of the file system, seen through `Files`: what they do and what they say when they cannot."""

from __future__ import annotations

import re

import pytest

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import LocalProtocolError, ZwermError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.mfs.errors import BadPath, FileExists, FileMissing, IsADirectory, NotADirectory
from zwerm.ipfs.mfs.journal import ChangeKind, Touch
from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


@pytest.fixture
async def tree(room: Room) -> Room:
    """`/cats/{file1,this/is/a}` and `/file2`."""
    await room.files.mkdir("/cats/this/is/a", parents=True)
    await room.files.write("/cats/file1", b"foo\n", create=True)
    await room.files.write("/file2", b"bar\n", create=True)
    return room


def says(sentence: str) -> str:
    return "^" + re.escape(sentence) + "$"


async def test_mkdir_makes_one_directory_or_all_on_the_way(room: Room) -> None:
    change = await room.files.mkdir("/a")
    assert change.touches == (Touch(ChangeKind.ADDED, "/a"),)
    await room.files.mkdir("/b/c/d/", parents=True)
    assert await room.snapshot() == {"/a": None, "/b": None, "/b/c": None, "/b/c/d": None}
    assert (await room.files.mkdir("/b/c", parents=True)).touches == ()
    assert (await room.files.mkdir("/", parents=True)).version is None


@pytest.mark.parametrize(
    ("path", "parents", "kind", "sentence"),
    [
        ("/", False, FileExists, "cannot create directory '/': Already exists"),
        ("/cats", False, FileExists, "file already exists"),
        ("/file2", True, FileExists, "file already exists"),
        ("/a/b", False, FileMissing, "file does not exist"),
        ("/file2/a", True, NotADirectory, "file2/a was not a directory"),
        ("/" + "x" * 300, False, BadPath, None),
    ],
)
async def test_mkdir_says_why_it_cannot(
    tree: Room, path: str, parents: bool, kind: type[ZwermError], sentence: str | None
) -> None:
    before = await tree.files.root()
    with pytest.raises(kind, match=says(sentence) if sentence else None):
        await tree.files.mkdir(path, parents=parents)
    assert await tree.files.root() == before


async def test_mkdir_names_the_new_directory_as_asked_or_as_the_one_it_is_in(room: Room) -> None:
    await room.files.mkdir("/old", cid_version=0)
    await room.files.mkdir("/old/inner")
    await room.files.mkdir("/new", hash_code=multicodec.BLAKE3)
    await room.files.mkdir("/new/a/b", parents=True)
    assert [(await room.cid(path)).version for path in ("/old", "/old/inner", "/new")] == [0, 0, 1]
    assert {(await room.cid(path)).hash_code for path in ("/new", "/new/a", "/new/a/b")} == {multicodec.BLAKE3}
    await room.files.write("/old/file", b"x", create=True)
    assert (await room.cid("/old/file")).version == 0
    await room.files.mkdir("/both", cid_version=0, hash_code=multicodec.BLAKE3)
    assert (await room.cid("/both")).version == 1  # a hash means version 1, whatever is asked besides: as in Kubo


async def test_cp_copies_here_from_content_and_into_directories(tree: Room) -> None:
    content = tree.add(b"outside")
    await tree.files.cp(f"/ipfs/{content}", "/copied")
    await tree.files.cp(f"ipfs://{content}", "/cats/")
    await tree.files.cp("/cats/this", "/there")
    await tree.files.cp("/file2", "/there/is/")
    await tree.files.cp("/file2", "/deep/er/file", parents=True)
    assert await tree.read("/copied") == await tree.read(f"/cats/{content}") == b"outside"
    assert await tree.names("/there/is") == ["a", "file2"]
    assert await tree.read("/deep/er/file") == b"bar\n"


async def test_cp_below_a_content_path_takes_its_last_name(tree: Room) -> None:
    cats = await tree.cid("/cats")
    await tree.files.cp(f"/ipfs/{cats}/file1", "/")
    assert await tree.read("/file1") == b"foo\n"


async def test_cp_replaces_a_file_only_by_force_and_a_directory_never(tree: Room) -> None:
    with pytest.raises(
        FileExists, match=says("cp: cannot put node in path /file2: directory already has entry by that name")
    ):
        await tree.files.cp("/cats/file1", "/file2")
    await tree.files.cp("/cats/file1", "/file2", force=True)
    assert await tree.read("/file2") == b"foo\n"
    with pytest.raises(IsADirectory, match=says("cp: cannot unlink existing file: not a file: /cats")):
        await tree.files.cp("/file2", "/cats", force=True)


@pytest.mark.parametrize(
    ("source", "path", "kind", "sentence"),
    [
        ("/none", "/a", FileMissing, "cp: cannot get node from path /none: file does not exist"),
        ("/file2", "/a/b", FileMissing, "cp: cannot put node in path /a/b: file does not exist"),
        (
            "/file2",
            "/cats/file1/b",
            NotADirectory,
            "cp: cannot put node in path /cats/file1/b: cannot access cats/file1/b: Not a directory",
        ),
        ("relative", "/a", BadPath, "paths must start with a leading slash"),
        ("/file2", "", BadPath, "paths must not be empty"),
    ],
)
async def test_cp_says_why_it_cannot(tree: Room, source: str, path: str, kind: type[ZwermError], sentence: str) -> None:
    with pytest.raises(kind, match=says(sentence)):
        await tree.files.cp(source, path)


async def test_cp_takes_files_and_directories_only(tree: Room) -> None:
    document = Block.create(dag_cbor.encode({"data": "not a file"}), multicodec.DAG_CBOR)
    garbage = Block.create(b"\xde\xad\xbe\xef", multicodec.DAG_PB)
    tree.store.put([document, garbage])
    for block in (document, garbage):
        with pytest.raises(ZwermError, match=r"^cp: source must be a valid UnixFS"):
            await tree.files.cp(f"/ipfs/{block.cid}", "/invalid")
    with pytest.raises(ZwermError, match="cp: cannot get node from path"):
        await tree.files.cp(f"/ipfs/{document.cid}/data", "/invalid")


async def test_cp_is_lazy_and_asks_for_the_root_block_only(tree: Room) -> None:
    builder = DirectoryBuilder()
    missing = CID.of(b"nobody has this")
    await builder.set("far away", missing, 15)
    folder = builder.finish(tree.store).cid
    await tree.files.cp(f"/ipfs/{folder}", "/lazy")
    assert await tree.names("/lazy") == ["far away"]
    (entry,) = [entry async for entry in await tree.files.ls("/lazy", long=True)]
    assert (entry.cid, entry.total_size) == (missing, 15)
    with pytest.raises(ZwermError, match="is not here"):
        await tree.read("/lazy/far away")
    with pytest.raises(ZwermError, match="is not here"):
        await tree.files.cp(f"/ipfs/{CID.of(b'gone', multicodec.DAG_PB)}", "/b")
    await tree.files.rm("/lazy/far away")


async def test_a_directory_may_be_called_ipfs(tree: Room) -> None:
    await tree.files.mkdir("/ipfs/notes", parents=True)
    await tree.files.cp("/ipfs/notes", "/copy")
    assert (await tree.files.stat("/ipfs/notes")).cid == await tree.cid("/copy")


async def test_mv_renames_replaces_files_and_moves_into_directories(tree: Room) -> None:
    change = await tree.files.mv("/cats/this/is", "/cats/")
    assert change.touches == (Touch(ChangeKind.RENAMED, "/cats/is", "/cats/this/is"),)
    await tree.files.mv("/cats/is", "/")
    await tree.files.mv("/is", "/cats")
    assert await tree.names("/cats") == ["file1", "is", "this"]
    assert await tree.names("/cats/this") == []
    await tree.files.mv("/cats/file1", "/file2")
    assert await tree.snapshot() == {
        "/cats": None,
        "/cats/is": None,
        "/cats/is/a": None,
        "/cats/this": None,
        "/file2": b"foo\n",
    }


async def test_mv_onto_itself_does_nothing(tree: Room) -> None:
    before = await tree.files.root()
    for path in ("/file2", "/file2/../file2"):
        assert (await tree.files.mv("/file2", path)).version is None
    assert (await tree.files.mv("/cats/file1", "/cats")).version is None
    assert (await tree.files.mv("/cats/file1", "/cats/")).version is None
    assert await tree.files.root() == before


@pytest.mark.parametrize(
    ("source", "path", "kind", "sentence"),
    [
        ("/none", "/a", FileMissing, "file does not exist"),
        ("/file2", "/none/a", FileMissing, "file does not exist"),
        ("/file2", "/none/", FileMissing, "file does not exist"),
        ("/file2", "/cats/file1/", NotADirectory, "/cats/file1/ is not a directory"),
        ("/", "/a", LocalProtocolError, "cannot move the root"),
        ("/cats", "/cats/this/is", LocalProtocolError, "cannot move /cats into itself, to /cats/this/is/cats"),
        ("/cats", "/cats", LocalProtocolError, "cannot move /cats into itself, to /cats/cats"),
        ("/cats", "/cats/new", LocalProtocolError, "cannot move /cats into itself, to /cats/new"),
    ],
)
async def test_mv_says_why_it_cannot(tree: Room, source: str, path: str, kind: type[ZwermError], sentence: str) -> None:
    before = await tree.files.root()
    with pytest.raises(kind, match=says(sentence)):
        await tree.files.mv(source, path)
    assert await tree.files.root() == before


async def test_mv_into_a_directory_replaces_nothing(tree: Room) -> None:
    await tree.files.write("/file1", b"other", create=True)
    with pytest.raises(FileExists, match=says("directory already has entry by that name")):
        await tree.files.mv("/file1", "/cats")


async def test_rm_removes_files_and_with_recursive_directories(tree: Room) -> None:
    await tree.files.rm("/file2")
    with pytest.raises(IsADirectory, match=says("path is a directory, use -r to remove directories")):
        await tree.files.rm("/cats")
    await tree.files.rm("/cats/this/", recursive=True)
    await tree.files.rm("/cats", force=True)
    assert await tree.snapshot() == {}


async def test_rm_by_force_removes_what_is_damaged_and_minds_nothing_missing(tree: Room) -> None:
    builder = DirectoryBuilder()
    await builder.set("broken", CID.of(b"gone", multicodec.DAG_PB), 4)
    await tree.files.place("/odd", builder.finish(tree.store).cid)
    with pytest.raises(ZwermError, match="is not here"):
        await tree.files.rm("/odd/broken")
    await tree.files.rm("/odd/broken", force=True)
    for path in ("/none", "/none/at/all"):
        assert (await tree.files.rm(path, force=True)).version is None
        with pytest.raises(FileMissing, match=says("file does not exist")):
            await tree.files.rm(path)
    for options in ({}, {"force": True}, {"recursive": True}):
        with pytest.raises(LocalProtocolError, match=says("cannot delete root")):
            await tree.files.rm("/", **options)


async def test_place_puts_anything_over_anything(tree: Room) -> None:
    file, folder = await tree.cid("/file2"), await tree.cid("/cats")
    change = await tree.files.place("/cats", file)
    assert change.touches == (Touch(ChangeKind.CHANGED, "/cats"),)
    change = await tree.files.place("/x/y/z", folder)
    assert change.touches == (Touch(ChangeKind.ADDED, "/x/y/z"),)
    assert (await tree.files.place("/x/y/z", folder)).version is None
    await tree.files.place("/", folder)
    assert await tree.files.root() == folder
    with pytest.raises(NotADirectory, match="which the root has to be"):
        await tree.files.place("/", file)
