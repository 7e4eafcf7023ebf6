"""Back to the disk and into tars: everything comes back, and nothing else."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from tests.ipfs.unixfs.snapshots import TIME, snapshot, stored
from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs import export
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID


def tarred(blocks: Blocks, cid: CID, name: str) -> bytes:
    async def collect() -> bytes:
        return b"".join([part async for part in export.tar(blocks, cid, name)])

    return run(collect())


def test_a_tree_comes_back_as_it_was(rich_folder: Path, tmp_path: Path) -> None:
    blocks, cid = stored(rich_folder)
    reports: list[tuple[int, int]] = []
    target = tmp_path / "back"
    run(export.get(blocks, cid, target, progress=lambda *report: reports.append(report)))
    assert snapshot(target) == snapshot(rich_folder)
    assert reports[-1][1] == 35


def test_single_files_and_symlinks_come_back(rich_folder: Path, tmp_path: Path) -> None:
    for name in ("large", "up"):
        blocks, cid = stored(rich_folder / name)
        run(export.get(blocks, cid, tmp_path / name))
        assert (tmp_path / name).lstat().st_mtime_ns == TIME
    assert (tmp_path / "large").read_bytes() == (rich_folder / "large").read_bytes()
    assert os.readlink(tmp_path / "up") == "../../.."


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b", "nul\0"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    blocks = Blocks()
    root = blocks.node(UnixFSData(DataType.DIRECTORY), [PBLink(blocks.raw(b"x"), name, 1)])
    with pytest.raises(WireError, match="cannot be written to a disk"):
        run(export.get(blocks, root, tmp_path / "target"))
    with pytest.raises(WireError, match="cannot be written to a disk"):
        tarred(blocks, root, "root")
    assert list(tmp_path.rglob("*")) in ([], [tmp_path / "target"])


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
    """Two links to the same rich_folder, fifty times: who asks for the first hundred entries gets them at once."""
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


def test_a_tar_holds_the_tree(rich_folder: Path) -> None:
    archive = tarred(*stored(rich_folder), "root")
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
        assert large.read() == (rich_folder / "large").read_bytes()
        assert f"root/{os.fsdecode(bytes([255]))}" in members


def test_a_tar_unpacks_with_the_tar_of_the_system(rich_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    subprocess.run(
        ["tar", "-x", "-C", str(tmp_path / "unpacked")], input=tarred(*stored(rich_folder), "root"), check=True
    )
    ours, theirs = snapshot(rich_folder), snapshot(tmp_path / "unpacked" / "root")
    assert [(name, what[:2]) for name, what in sorted(ours.items())] == [
        (name, what[:2]) for name, what in sorted(theirs.items())
    ]


def test_equal_trees_give_equal_tars(rich_folder: Path) -> None:
    first, second = stored(rich_folder, Profile()), stored(rich_folder, Profile())
    assert tarred(*first, "root") == tarred(*second, "root")


def test_the_root_of_a_tar_needs_a_name_too(rich_folder: Path) -> None:
    with pytest.raises(WireError):
        tarred(*stored(rich_folder), "..")
