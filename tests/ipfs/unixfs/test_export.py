"""Back to the disk and into tars, without leaving the target whatever the names say."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs import export
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.errors import ExportFailed
from zwerm.ipfs.unixfs.importer import Importer
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID

KEEPING = Profile(keep_mode=True, keep_mtime=True, hamt_threshold=500)
TIME = 1_234_567_890_123_456_789


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything that lies under a path, with what is kept of it."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        content: object = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else "folder"
        mode = None if path.is_symlink() else status.st_mode & 0o777
        found[str(path.relative_to(root))] = (content, mode, status.st_mtime_ns)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "inner" / "empty").mkdir(parents=True)
    (root / "large").write_bytes(os.urandom(3_000_000))
    (root / "inner" / ("long name " * 20)).write_bytes(b"long")
    (root / "inner" / "日本語").write_bytes(b"")
    (root / os.fsdecode(b"\xff")).write_bytes(b"not utf-8")
    (root / "up").symlink_to("../../..")
    for number in range(30):
        (root / "inner" / str(number)).write_bytes(b"%d" % number)
    (root / "large").chmod(0o640)
    (root / "inner").chmod(0o500)
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, ns=(TIME, TIME), follow_symlinks=False)
    os.utime(root, ns=(TIME, TIME))
    return root


def stored(path: Path, profile: Profile = KEEPING) -> tuple[Blocks, CID]:
    blocks = Blocks()
    return blocks, Importer(blocks, profile).add_path(path, hidden=True).cid


def tarred(blocks: Blocks, cid: CID, name: str) -> bytes:
    async def collect() -> bytes:
        return b"".join([part async for part in export.tar(blocks, cid, name)])

    return run(collect())


def test_a_tree_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(folder)
    reports: list[tuple[int, int]] = []
    target = tmp_path / "back"
    run(export.get(blocks, cid, target, progress=lambda *report: reports.append(report)))
    assert snapshot(target) == snapshot(folder)
    assert reports[-1][1] == 35


def test_single_files_and_symlinks_come_back(folder: Path, tmp_path: Path) -> None:
    for name in ("large", "up"):
        blocks, cid = stored(folder / name)
        run(export.get(blocks, cid, tmp_path / name))
        assert (tmp_path / name).lstat().st_mtime_ns == TIME
    assert (tmp_path / "large").read_bytes() == (folder / "large").read_bytes()
    assert os.readlink(tmp_path / "up") == "../../.."


def test_without_metadata_the_disk_decides(folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(folder, Profile())
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
def test_what_exists_is_left_alone(folder: Path, tmp_path: Path, existing: str) -> None:
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
    for source in (folder, folder / "large", folder / "up"):
        with pytest.raises(ExportFailed, match="target exists already"):
            run(export.get(*stored(source), target))
    assert existing != "file" or target.read_bytes() == b"precious"
    assert not outside.is_dir() or list(outside.iterdir()) == []


def test_what_exists_is_replaced_when_asked(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "inner").mkdir(parents=True)
    (target / "inner" / "7").write_bytes(b"old")
    (target / "other").write_bytes(b"stays")
    (target / "up").symlink_to("somewhere")
    run(export.get(*stored(folder), target, overwrite=True))
    assert (target / "other").read_bytes() == b"stays"
    (target / "other").unlink()
    os.utime(target, ns=(TIME, TIME))
    assert snapshot(target) == snapshot(folder)


def test_a_symlink_in_the_way_is_replaced_or_refused_but_never_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "large").write_bytes(b"precious")
    target = tmp_path / "target"
    target.mkdir()
    (target / "large").symlink_to(outside / "large")
    blocks, cid = stored(folder)
    run(export.get(blocks, cid, target, overwrite=True))
    assert not (target / "large").is_symlink()
    (target / "inner").rename(tmp_path / "moved")
    (target / "inner").symlink_to(outside)
    with pytest.raises(ExportFailed, match=r"cannot write .*/target/inner: "):
        run(export.get(blocks, cid, target, overwrite=True))
    assert sorted(path.name for path in outside.iterdir()) == ["large"]
    assert (outside / "large").read_bytes() == b"precious"


def test_a_tree_whose_symlink_names_a_later_folder_writes_nothing_through_it(tmp_path: Path) -> None:
    """Two entries of one name, the classic escape: first a symlink to elsewhere, then a folder through it."""
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


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b", "nul\0"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    blocks = Blocks()
    root = blocks.node(UnixFSData(DataType.DIRECTORY), [PBLink(blocks.raw(b"x"), name, 1)])
    with pytest.raises(WireError, match="cannot be written to a disk"):
        run(export.get(blocks, root, tmp_path / "target"))
    with pytest.raises(WireError, match="cannot be written to a disk"):
        tarred(blocks, root, "root")
    assert list(tmp_path.rglob("*")) in ([], [tmp_path / "target"])


def test_a_target_whose_folder_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match=r"cannot write .*/missing/target: no such file or directory"):
        run(export.get(*stored(folder), tmp_path / "missing" / "target"))


def test_a_file_that_cannot_be_finished_is_not_there(folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(folder / "large")
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


def test_cancelling_leaves_no_file_in_part(folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(folder / "large")

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


def nested(blocks: Blocks, levels: int, width: int = 1) -> CID:
    cid = blocks.node(UnixFSData(DataType.DIRECTORY))
    for _ in range(levels - 1):
        cid = blocks.node(UnixFSData(DataType.DIRECTORY), [PBLink(cid, f"d{number}", 1) for number in range(width)])
    return cid


def test_folders_inside_each_other_are_written_up_to_the_limit(tmp_path: Path) -> None:
    blocks = Blocks()
    run(export.get(blocks, nested(blocks, export.MAX_DEPTH), tmp_path / "deep"))
    with pytest.raises(ResourceLimitError, match="more than 256 folders inside each other"):
        run(export.get(blocks, nested(blocks, export.MAX_DEPTH + 1), tmp_path / "too deep"))


def test_a_folded_tree_is_walked_as_far_as_its_reader_wants(tmp_path: Path) -> None:
    """Two links to the same folder, fifty times: who asks for the first hundred entries gets them at once."""
    blocks = Blocks()
    root = nested(blocks, 50, 2)

    class Enough(Exception):
        pass

    async def check() -> None:
        walking = export.walk(blocks, root)
        items = [await anext(walking) for _ in range(100)]
        await walking.aclose()
        assert len({item.path for item in items if not item.leaving}) > 50

    run(check())


def test_a_tar_holds_the_tree(folder: Path) -> None:
    archive = tarred(*stored(folder), "root")
    with tarfile.open(fileobj=io.BytesIO(archive), errorlevel=2) as tar:
        members = {member.name: member for member in tar.getmembers()}
        assert len(members) == 38
        assert members["root"].isdir()
        assert members["root/inner"].mode == 0o500
        assert members["root/large"].mode == 0o640
        assert members["root/large"].mtime == TIME // 10**9
        assert members["root/up"].linkname == "../../.."
        assert members["root/inner/" + "long name " * 20].size == 4
        large = tar.extractfile("root/large")
        assert large is not None
        assert large.read() == (folder / "large").read_bytes()
        assert f"root/{os.fsdecode(bytes([255]))}" in members


def test_a_tar_unpacks_with_the_tar_of_the_system(folder: Path, tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "-x", "-C", str(tmp_path / "unpacked")], input=tarred(*stored(folder), "root"), check=True)
    ours, theirs = snapshot(folder), snapshot(tmp_path / "unpacked" / "root")
    assert [(name, what[:2]) for name, what in sorted(ours.items())] == [
        (name, what[:2]) for name, what in sorted(theirs.items())
    ]


def test_equal_trees_give_equal_tars(folder: Path) -> None:
    first, second = stored(folder, Profile()), stored(folder, Profile())
    assert tarred(*first, "root") == tarred(*second, "root")


def test_the_root_of_a_tar_needs_a_name_too(folder: Path) -> None:
    with pytest.raises(WireError):
        tarred(*stored(folder), "..")
