"""Writing to the disk: never outside the target, never over what exists, never half a file."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from tests.ipfs.unixfs.snapshots import TIME, snapshot, stored
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs import export
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.errors import ExportFailed
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID


def test_without_metadata_the_disk_decides(rich_folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(rich_folder, Profile())
    run(export.get(blocks, cid, tmp_path / "back"))
    assert (tmp_path / "back" / "large").stat().st_mode & 0o777 == 0o666 & ~umask()
    assert (tmp_path / "back" / "inner").stat().st_mode & 0o777 == 0o777 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_content_from_elsewhere_makes_nothing_setuid(tmp_path: Path) -> None:
    blocks = Blocks()
    cid = blocks.node(UnixFSData(DataType.FILE, b"#!/bin/sh", 9, mode=0o6755))
    run(export.get(blocks, cid, tmp_path / "file"))
    assert (tmp_path / "file").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("existing", ["file", "folder", "symlink to a file", "symlink to a folder", "dangling symlink"])
def test_what_exists_is_left_alone(rich_folder: Path, tmp_path: Path, existing: str) -> None:
    outside = tmp_path / "outside"
    target = tmp_path / "target"
    if existing == "file":
        target.write_bytes(b"precious")
    elif existing == "folder":
        target.mkdir()
    elif existing == "dangling symlink":
        target.symlink_to(outside)
    else:
        outside.mkdir() if existing.endswith("folder") else outside.write_bytes(b"precious")
        target.symlink_to(outside)
    for source in (rich_folder, rich_folder / "large", rich_folder / "up"):
        with pytest.raises(ExportFailed, match="target exists already"):
            run(export.get(*stored(source), target))
    assert existing != "file" or target.read_bytes() == b"precious"
    assert not outside.is_dir() or list(outside.iterdir()) == []


def test_what_exists_is_replaced_when_asked(rich_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "inner").mkdir(parents=True)
    (target / "inner" / "7").write_bytes(b"old")
    (target / "other").write_bytes(b"stays")
    (target / "up").symlink_to("somewhere")
    run(export.get(*stored(rich_folder), target, overwrite=True))
    assert (target / "other").read_bytes() == b"stays"
    (target / "other").unlink()
    os.utime(target, ns=(TIME, TIME))
    assert snapshot(target) == snapshot(rich_folder)


def test_a_symlink_in_the_way_is_replaced_or_refused_but_never_followed(rich_folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "large").write_bytes(b"precious")
    target = tmp_path / "target"
    target.mkdir()
    (target / "large").symlink_to(outside / "large")
    blocks, cid = stored(rich_folder)
    run(export.get(blocks, cid, target, overwrite=True))
    assert not (target / "large").is_symlink()
    (target / "inner").rename(tmp_path / "moved")
    (target / "inner").symlink_to(outside)
    with pytest.raises(ExportFailed, match=r"cannot write .*/target/inner: "):
        run(export.get(blocks, cid, target, overwrite=True))
    assert sorted(path.name for path in outside.iterdir()) == ["large"]
    assert (outside / "large").read_bytes() == b"precious"


def test_a_tree_whose_symlink_names_a_later_folder_writes_nothing_through_it(tmp_path: Path) -> None:
    """Two entries of one name, the classic escape: first a symlink to elsewhere, then a rich_folder through it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for overwrite in (False, True):
        blocks = Blocks()
        link = blocks.node(UnixFSData(DataType.SYMLINK, str(outside).encode()))
        inner = blocks.node(UnixFSData(DataType.DIRECTORY), [PBLink(blocks.raw(b"evil"), "file", 4)])
        root = blocks.node(UnixFSData(DataType.DIRECTORY), [PBLink(link, "a", 1), PBLink(inner, "a", 1)])
        with pytest.raises(ExportFailed):
            run(export.get(blocks, root, tmp_path / f"target {overwrite}", overwrite=overwrite))
    assert list(outside.iterdir()) == []


def test_a_target_whose_folder_is_not_there_is_named(rich_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match=r"cannot write .*/missing/target: no such file or directory"):
        run(export.get(*stored(rich_folder), tmp_path / "missing" / "target"))


def test_a_file_that_cannot_be_finished_is_not_there(rich_folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(rich_folder / "large")
    last = list(blocks.data)[-2]
    del blocks.data[last]
    for overwrite in (False, True):
        with pytest.raises(BlockNotFound):
            run(export.get(blocks, cid, tmp_path / "target", overwrite=overwrite))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


class Stalling(Blocks):
    """Gives a few blocks, says so, and waits for ever."""

    def __init__(self, blocks: Blocks, room: int) -> None:
        super().__init__()
        self.data = blocks.data
        self.room = room
        self.stalled = asyncio.Event()

    async def get(self, cid: CID) -> bytes:
        if len(self.asked) == self.room:
            self.stalled.set()
            await asyncio.Event().wait()
        return await super().get(cid)


def test_cancelling_leaves_no_file_in_part(rich_folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(rich_folder / "large")

    async def check() -> None:
        source = Stalling(blocks, 8)
        writing = asyncio.create_task(export.get(source, cid, tmp_path / "target"))
        await source.stalled.wait()
        assert (tmp_path / "target").exists()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    run(check())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]
