"""Hypothesis without deadlines, as the tests share their machine; and a folder with something of everything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.ipfs.unixfs.snapshots import TIME

settings.register_profile("unixfs", deadline=None)
settings.load_profile("unixfs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Hidden names, an empty folder, symlinks, one of them to nowhere."""
    root = tmp_path / "folder"
    (root / "inner" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / ".hidden").mkdir()
    (root / ".hidden" / "file").write_bytes(b"hidden")
    (root / "inner" / ".dot").write_bytes(b"dot")
    (root / "inner" / "deep" / "file").write_bytes(b"deep")
    (root / "file").write_bytes(b"file")
    (root / "link").symlink_to("inner/deep")
    (root / "dangling").symlink_to("nowhere")
    return root


@pytest.fixture
def rich_folder(tmp_path: Path) -> Path:
    """Odd names, permissions, times, a file of some mebibytes, many small ones."""
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


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Files of a few mebibytes, which hashing threads read whole."""
    root = tmp_path / "album"
    root.mkdir()
    for number in range(12):
        (root / f"{number}").write_bytes(os.urandom(100_000 * (number + 1)))
    return root
