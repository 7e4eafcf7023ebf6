"""Files on the disk: read as they are, and noticed when they change meanwhile."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from tests.ipfs.unixfs.trees import added, tree
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.builder import FileBuilder, NoStore
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.errors import FileChanged
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.importer import Importer
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Layout, Profile
from zwerm.ipfs.unixfs.reader import Stat, stat


class Meddler(Blocks):
    """Changes a file whenever blocks are put, so many times."""

    def __init__(self, path: Path, times: int) -> None:
        super().__init__()
        self.path, self.times = path, times

    def put(self, blocks: object) -> None:
        super().put(blocks)  # type: ignore[arg-type]
        if self.times:
            self.times -= 1
            with self.path.open("ab") as file:
                file.write(b"more")


BUILT_IN_PARTS = Profile(chunker="size-1000")


def test_a_file_that_changes_once_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(6 * 1024 * 1024))
    blocks = Meddler(path, 1)
    entry = Importer(blocks, BUILT_IN_PARTS).add_path(path)
    assert run(tree(blocks, entry.cid)) == path.read_bytes()


def test_a_file_that_never_rests_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(6 * 1024 * 1024))
    for where in (path, tmp_path):
        with pytest.raises(FileChanged, match=r"cannot add .*/file: it changed each time it was read"):
            Importer(Meddler(path, -1), BUILT_IN_PARTS).add_path(where)


def test_a_small_file_that_is_cut_while_it_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"whole")
    really = os.read

    def cut(descriptor: int, size: int) -> bytes:
        path.write_bytes(path.read_bytes()[:-1])
        return really(descriptor, size)

    monkeypatch.setattr(os, "read", cut)
    with pytest.raises(FileChanged, match="it changed each time"):
        added(path)


def test_a_file_that_changes_while_a_thread_reads_it_is_read_again(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = iter([b"first", b"second"])
    really = os.pread

    def meddle(descriptor: int, size: int, offset: int) -> bytes:
        if (change := next(changes, None)) is not None:
            with (album / "0").open("ab") as file:
                file.write(change)
        return really(descriptor, size, offset)

    for number in range(1, 12):
        (album / f"{number}").unlink()
    (album / "0").write_bytes(os.urandom(1_000_000))
    monkeypatch.setattr(os, "pread", meddle)
    blocks = Blocks()
    with Hashers() as hashers:
        entry = Importer(blocks, Profile(chunker="size-600000"), hashers=hashers).add_path(album)
    assert run(tree(blocks, entry.cid)) == {"0": (album / "0").read_bytes()}


def test_a_file_whose_size_is_known_only_by_reading_is_read(tmp_path: Path) -> None:
    """Below /proc everything has size 0."""
    found = added(Path("/proc/self/cmdline"))
    assert isinstance(found, bytes)
    assert b"python" in found or b"pytest" in found


@pytest.mark.parametrize("profile", [*PROFILES.values(), Profile(layout=Layout.TRICKLE), Profile(chunker="buzhash")])
@pytest.mark.parametrize("size", [0, 1, 131_072, 262_144, 262_145, 1_100_000])
def test_a_file_is_what_the_builder_makes_of_its_bytes(tmp_path: Path, profile: Profile, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    builder = FileBuilder(NoStore(), profile)
    builder.write(data)
    expected = builder.finish()
    with Hashers() as hashers:
        assert Importer(NoStore(), profile, hashers=hashers).add_path(tmp_path / "file") == expected
        assert Importer(NoStore(), profile, hashers=hashers).add_file([data]) == expected


def test_metadata_is_kept_when_the_profile_says_so(folder: Path) -> None:
    os.chmod(folder / "file", 0o4751)
    for path in (folder / "file", folder, folder / "dangling"):
        os.utime(path, ns=(0, 1_234_567_890_123_456_789), follow_symlinks=False)
    os.chmod(folder, 0o700)
    profile = dataclasses.replace(DEFAULT, keep_mode=True, keep_mtime=True)
    blocks = Blocks()
    root = Importer(blocks, profile).add_path(folder)

    async def check() -> None:
        mtime = Mtime(1_234_567_890, 123_456_789)
        found: dict[str, Stat] = {}
        async for entry in directory.entries(blocks, root.cid):
            found[entry.name] = await stat(blocks, entry.cid)
        assert (found["file"].mode, found["file"].mtime) == (0o4751, mtime)
        assert (found["dangling"].mode, found["dangling"].mtime) == (None, mtime)
        described = await stat(blocks, root.cid)
        assert (described.mode, described.mtime) == (0o700, mtime)
        assert (root.mode, root.mtime) == (0o700, mtime)

    run(check())
