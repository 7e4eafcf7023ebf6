"""Files to send: hashed, read in pieces, and never sent as something they are not any more."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from zwerm.apps.connect.outgoing import OutgoingFile, SourceChanged
from zwerm.core.errors import LocalProtocolError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(bytes(range(256)) * 5_000)
    return path


def test_a_file_is_hashed_and_read_in_pieces(path: Path) -> None:
    file = OutgoingFile.hash(path)
    assert (file.name, file.size, file.sha256) == ("photo.jpg", 1_280_000, hashlib.sha256(path.read_bytes()).digest())
    assert file.read(250, 10) == bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3])
    assert file.read(0, 0) == b""


@pytest.mark.parametrize("change", ["content", "length", "gone"])
def test_a_file_that_changes_is_not_read_further(path: Path, change: str) -> None:
    file = OutgoingFile.hash(path)
    if change == "content":
        path.write_bytes(bytes(1_280_000))
        os.utime(path, ns=(0, file.changed_at + 1))
    elif change == "length":
        path.write_bytes(b"short")
        os.utime(path, ns=(0, file.changed_at))
    else:
        path.unlink()
    with pytest.raises(FileNotFoundError if change == "gone" else SourceChanged):
        file.read(0, 10)


def test_folders_and_pipes_are_not_sent(tmp_path: Path) -> None:
    with pytest.raises(LocalProtocolError, match="not a file"):
        OutgoingFile.hash(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LocalProtocolError, match="not a file"):
        OutgoingFile.hash(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        OutgoingFile.hash(tmp_path / "nothing")


def test_a_name_that_is_no_text_can_be_told(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.txt")
    path.write_bytes(b"x")
    assert OutgoingFile.hash(path).name == "\ufffd.txt"
