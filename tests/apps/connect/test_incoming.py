"""Files that arrive: kept as parts until they are whole, verified, and never in the way of what is there."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from zwerm.apps.connect.incoming import DamagedFile, IncomingFile

CONTENT = bytes(range(256)) * 100
HASH = hashlib.sha256(CONTENT).digest()


def incoming(folder: Path, name: str = "photo.jpg", size: int = len(CONTENT)) -> IncomingFile:
    return IncomingFile(folder, name, size, HASH)


def test_a_whole_file_gets_its_name(tmp_path: Path) -> None:
    file = incoming(tmp_path / "new" / "folder")
    assert file.open() == 0
    file.write(CONTENT[:1_000])
    assert [path.suffix for path in file.part.parent.iterdir()] == [".part"]
    file.write(CONTENT[1_000:])
    path = file.finish()
    assert path == tmp_path / "new" / "folder" / "photo.jpg"
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    (tmp_path / "photo (2).jpg").symlink_to("nowhere")
    file = incoming(tmp_path)
    file.open()
    file.write(CONTENT)
    assert file.finish() == tmp_path / "photo (3).jpg"
    assert (tmp_path / "photo.jpg").read_text() == "mine"


def test_a_part_is_continued(tmp_path: Path) -> None:
    first = incoming(tmp_path)
    first.open()
    first.write(CONTENT[:5_000])
    first.close()
    first.close()
    second = incoming(tmp_path)
    assert second.open() == 5_000
    second.write(CONTENT[5_000:])
    assert second.finish().read_bytes() == CONTENT


@pytest.mark.parametrize("damage", [b"x" * 100, b"x" * (len(CONTENT) + 1)], ids=["other bytes", "longer than the file"])
def test_a_part_that_is_something_else_never_becomes_the_file(tmp_path: Path, damage: bytes) -> None:
    file = incoming(tmp_path)
    file.part.write_bytes(damage)
    kept = file.open()
    assert kept == (100 if len(damage) == 100 else 0)
    file.write(CONTENT[kept:])
    if kept:
        with pytest.raises(DamagedFile):
            file.finish()
        assert list(tmp_path.iterdir()) == []
    else:
        assert file.finish().read_bytes() == CONTENT


def test_a_link_in_the_way_of_the_part_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    file = incoming(tmp_path / "into")
    file.part.parent.mkdir()
    file.part.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        file.open()
    assert victim.read_text() == "mine"


def test_one_file_is_received_once_at_a_time(tmp_path: Path) -> None:
    first, second = incoming(tmp_path), incoming(tmp_path)
    first.open()
    with pytest.raises(BlockingIOError):
        second.open()
    second.close()
    first.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_keeps_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = incoming(tmp_path)
    file.open()
    write, room = os.write, 3_000

    def filling(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, data[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(OSError, match="No space"):
        file.write(CONTENT)
    monkeypatch.undo()
    file.close()
    again = incoming(tmp_path)
    assert again.open() == 3_000
    again.write(CONTENT[3_000:])
    assert again.finish().read_bytes() == CONTENT


def test_a_file_system_without_hard_links_is_served_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "photo.jpg").write_text("mine")
    file = incoming(tmp_path)
    file.open()
    file.write(CONTENT)
    assert file.finish() == tmp_path / "photo (2).jpg"
    assert (tmp_path / "photo (2).jpg").read_bytes() == CONTENT
    assert (tmp_path / "photo.jpg").read_text() == "mine"
