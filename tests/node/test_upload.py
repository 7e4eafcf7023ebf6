"""Uploads: files that arrive as streams, placed together as one version, merged with what is there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import zwerm
from zwerm.core.errors import ResourceLimitError
from zwerm.ipfs.mfs.errors import BadPath, FileExists
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.node import upload as uploads
from zwerm.node.upload import Upload, relative_path

ROOT = FilePath()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[zwerm.Node]:
    async with zwerm.Node(tmp_path / "repository", profile="test") as opened:
        yield opened


async def stream(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 100_000):
        yield data[at : at + 100_000]


async def send(
    node: zwerm.Node, files: dict[str, bytes], *, to: FilePath = ROOT, empty: tuple[str, ...] = (), **options
):
    with node.store.hold():
        upload = Upload(node)
        for name, data in files.items():
            await upload.add_file(relative_path(name), stream(data))
        for name in empty:
            upload.add_directory(relative_path(name))
        return upload, await upload.place(to, **options)


async def tree(node: zwerm.Node, path: str = "/") -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    async for entry in node.ls(path):
        where = f"{path.rstrip('/')}/{entry.name}"
        if entry.kind.value == "directory":
            found[where] = None
            found |= await tree(node, where)
        else:
            found[where] = b"".join([chunk async for chunk in node.cat(where)])
    return found


async def versions(node: zwerm.Node) -> int:
    return len([version async for version in await node.history.log("/")])


async def test_small_and_large_files_arrive_whole_as_one_version(node) -> None:
    files = {"d/small": b"1", "d/large": os.urandom(700_000), "d/empty": b"", "top": b"2"}
    upload, change = await send(node, files, message="all of it")
    assert (upload.files, upload.size) == (4, 700_002)
    assert upload.placed == ["d", "top"]
    assert change.version == node.history.head
    assert await tree(node) == {"/d": None} | {f"/{name}": data for name, data in files.items()}
    assert await versions(node) == 1


async def test_the_same_upload_again_changes_nothing(node) -> None:
    await send(node, {"a": b"1"})
    _, change = await send(node, {"a": b"1"})
    assert change.version is None
    assert await versions(node) == 1


async def test_very_many_small_files_are_gathered(node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_GATHER_FILES", 10)
    monkeypatch.setattr(uploads, "_MANY", 5)
    files = {str(number): str(number).encode() for number in range(35)}
    upload, _ = await send(node, files)
    assert upload.files == 35
    assert await tree(node) == {f"/{name}": data for name, data in files.items()}


async def test_empty_directories_and_those_that_are_there_already(node) -> None:
    await send(node, {"d/kept": b"1"}, empty=("e/f",))
    await send(node, {}, empty=("d", "e"))
    assert await tree(node) == {"/d": None, "/d/kept": b"1", "/e": None, "/e/f": None}


async def test_a_folder_that_does_not_exist_is_made(node) -> None:
    await send(node, {"a": b"1"}, to=FilePath.from_text("/x/y"))
    assert await tree(node) == {"/x": None, "/x/y": None, "/x/y/a": b"1"}


async def test_a_folder_takes_the_place_of_a_file_and_the_other_way_round(node) -> None:
    await send(node, {"a": b"file", "b/c": b"inside"})
    await send(node, {"a/x": b"1", "b": b"file"})
    assert await tree(node) == {"/a": None, "/a/x": b"1", "/b": b"file"}


@pytest.mark.parametrize(
    ("there", "sent", "placed"),
    [
        ("a.txt", "a.txt", "a (2).txt"),
        ("archive.tar.gz", "archive.tar.gz", "archive.tar (2).gz"),
        ("README", "README", "README (2)"),
        (".profile", ".profile", ".profile (2)"),
        ("other", "free", "free"),
    ],
)
async def test_renaming_keeps_the_ending(node, there: str, sent: str, placed: str) -> None:
    await send(node, {there: b"old"})
    upload, _ = await send(node, {sent: b"new"}, conflict="rename")
    assert upload.placed == [placed]
    assert await tree(node) == {f"/{there}": b"old", f"/{placed}": b"new"}


async def test_failing_on_a_conflict_changes_nothing(node) -> None:
    await send(node, {"a": b"old"})
    with pytest.raises(FileExists, match="/a exists already"):
        await send(node, {"b": b"new", "a": b"new"}, conflict="fail")
    assert await tree(node) == {"/a": b"old"}


async def test_metadata_is_kept(node) -> None:
    with node.store.hold():
        upload = Upload(node)
        await upload.add_file(("f",), stream(b"1"), mode=0o600, mtime=Mtime(1_580_000_000, 5))
        await upload.place(ROOT)
    stat = await node.files.stat("/f")
    assert (stat.mode, stat.mtime) == (0o600, Mtime(1_580_000_000, 5))


async def test_too_many_files_are_refused(node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_FILES", 3)
    with pytest.raises(ResourceLimitError, match="more than 3 files"):
        await send(node, {str(number): b"" for number in range(4)})
    assert await tree(node) == {}


@pytest.mark.parametrize("path", ["", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\0", "x" * 256])
def test_paths_that_lead_elsewhere(path: str) -> None:
    with pytest.raises(BadPath, match="not a path inside the upload"):
        relative_path(path)


async def test_a_stream_that_breaks_off_leaves_no_name(node) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(600_000)
        raise OSError("gone")

    with node.store.hold():
        upload = Upload(node)
        with pytest.raises(OSError, match="gone"):
            await upload.add_file(("f",), broken())
    assert await tree(node) == {}


async def test_files_that_were_not_flushed_are_merged_too(node) -> None:
    await node.files.mkdir("/d", flush=False)
    await node.files.write("/d/waiting", b"1", create=True, flush=False)
    await send(node, {"d/new": b"2"})
    assert await tree(node) == {"/d": None, "/d/waiting": b"1", "/d/new": b"2"}
