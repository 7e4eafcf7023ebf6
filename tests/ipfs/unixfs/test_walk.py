"""Walking folders: what is taken, what is left out, and what is said of what cannot be read."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks
from tests.ipfs.unixfs.trees import added
from zwerm.core.errors import ResourceLimitError, StorageError
from zwerm.ipfs.unixfs.builder import NoStore
from zwerm.ipfs.unixfs.errors import ImportFailed
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.ignore import GitIgnore
from zwerm.ipfs.unixfs.importer import Follow, Importer
from zwerm.ipfs.unixfs.profile import PROFILES, Layout, Profile


def test_a_folder_is_taken_with_all_that_is_in_it(folder: Path) -> None:
    assert added(folder, hidden=True) == {
        "inner": {"deep": {"file": b"deep"}, ".dot": b"dot"},
        "empty": {},
        ".hidden": {"file": b"hidden"},
        "file": b"file",
        "link": "-> inner/deep",
        "dangling": "-> nowhere",
    }


def test_hidden_names_are_left_out_unless_asked_for(folder: Path) -> None:
    assert added(folder) == {
        "inner": {"deep": {"file": b"deep"}},
        "empty": {},
        "file": b"file",
        "link": "-> inner/deep",
        "dangling": "-> nowhere",
    }


def test_the_path_that_is_given_may_be_hidden(folder: Path) -> None:
    assert added(folder / ".hidden") == {"file": b"hidden"}
    assert added(folder / ".hidden" / "file") == b"hidden"


def test_ignore_rules_leave_out_names_and_all_that_is_in_them(folder: Path) -> None:
    assert added(folder, ignore=GitIgnore(["deep/", "link", "# a comment", "", "/file", "dang*", "!dangling"])) == {
        "inner": {},
        "empty": {},
        "dangling": "-> nowhere",
    }


def test_symlinks_are_added_or_followed_as_asked(folder: Path) -> None:
    assert added(folder / "link") == "-> inner/deep"
    assert added(folder / "link", follow=Follow.ARGUMENT) == {"file": b"deep"}
    (folder / "dangling").unlink()
    found = added(folder, follow=Follow.EVERYTHING)
    assert isinstance(found, dict)
    assert found["link"] == {"file": b"deep"}


def test_a_symlink_to_nowhere_cannot_be_followed(folder: Path) -> None:
    with pytest.raises(ImportFailed, match=r"cannot add .*dangling: no such file"):
        added(folder, follow=Follow.EVERYTHING)
    with pytest.raises(ImportFailed, match=r"cannot add .*dangling: no such file"):
        added(folder / "dangling", follow=Follow.ARGUMENT)


def test_a_loop_of_symlinks_is_harmless_as_links_and_refused_when_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "round").symlink_to("round")
    assert added(tmp_path) == {"a": {"up": "-> .."}, "round": "-> round"}
    (tmp_path / "round").unlink()
    with pytest.raises(ImportFailed, match="a/up: it is a symlink to a folder that it lies in"):
        added(tmp_path, follow=Follow.EVERYTHING)


def test_a_folder_is_refused_when_only_files_are_wanted(folder: Path) -> None:
    with pytest.raises(ImportFailed, match="is a folder; add it recursively"):
        added(folder, recursive=False)
    assert added(folder / "file", recursive=False) == b"file"


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=r"cannot add .*/missing: no such file or directory"):
        added(tmp_path / "missing")
    assert issubclass(ImportFailed, StorageError)


@pytest.mark.parametrize("kind", ["a named pipe", "a socket"])
def test_special_files_are_refused_by_name_and_kind(tmp_path: Path, kind: str) -> None:
    special = tmp_path / "special"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "a socket":
            listener.bind(str(special))
        else:
            os.mkfifo(special)
        for path in (tmp_path, special):
            with pytest.raises(ImportFailed, match=f"cannot add .*/special: it is {kind}; only files"):
                added(path)


def test_a_device_is_refused() -> None:
    with pytest.raises(ImportFailed, match=r"cannot add /dev/null: it is a device"):
        added(Path("/dev/null"))


def test_what_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, who may read everything."""
    really = os.open

    def refuse(path: str, *arguments: int, dir_fd: int | None = None) -> int:
        if path.endswith("deep") or path == "file":
            raise PermissionError(13, "Permission denied")
        return really(path, *arguments, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ImportFailed, match=r"cannot add .*/folder/file: permission denied"):
        added(folder)
    (folder / "file").unlink()
    with pytest.raises(ImportFailed, match=r"cannot add .*/folder/inner/deep: permission denied"):
        added(folder)


@pytest.mark.parametrize(
    "profile", [*PROFILES.values(), Profile(layout=Layout.TRICKLE), Profile(chunker="rabin"), Profile(keep_mtime=True)]
)
def test_files_that_threads_read_are_those_that_are_read_here(album: Path, profile: Profile) -> None:
    blocks, counted = Blocks(), []
    with Hashers() as hashers:
        importer = Importer(blocks, profile, hashers=hashers, progress=lambda *report: counted.append(report))
        entry = importer.add_path(album)
    expected = Blocks()
    assert entry == Importer(expected, profile).add_path(album)
    assert blocks.data == expected.data
    assert counted[-1] == (100_000 * 78, 12)


class Quota:
    """A store that is full."""

    def put(self, blocks: object) -> None:
        raise ResourceLimitError("storage.max is reached")


@pytest.mark.parametrize("reason", ["a thread cannot read", "the store is full"])
def test_what_goes_wrong_leaves_no_descriptor_open(album: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    descriptors = len(os.listdir("/proc/self/fd"))
    with Hashers() as hashers:
        if reason == "the store is full":
            with pytest.raises(ResourceLimitError):
                Importer(Quota(), hashers=hashers).add_path(album)
        else:
            monkeypatch.setattr(os, "pread", fail)
            with pytest.raises(ImportFailed, match=r"cannot add .*/album/\d+: input/output error"):
                Importer(NoStore(), hashers=hashers).add_path(album)
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe name")
    (tmp_path / name).write_bytes(b"x")
    assert added(tmp_path) == {name: b"x"}


@pytest.fixture
def bottomless(tmp_path: Path) -> Iterator[Path]:
    """Folders inside each other, more than `shutil.rmtree` and so pytest could remove."""
    path = tmp_path / "bottomless"
    path.mkdir()
    inside = path
    for _ in range(1100):
        inside = inside / "d"
        inside.mkdir()
    (inside / "file").write_bytes(b"x")
    yield path
    (inside / "file").unlink()
    while inside != tmp_path:
        inside.rmdir()
        inside = inside.parent


def test_folders_may_lie_deeper_than_python_recurses(bottomless: Path) -> None:
    blocks = Blocks()
    entry = Importer(blocks).add_path(bottomless)
    assert len(blocks.data) == 1102
    assert entry.total_size == sum(map(len, blocks.data.values()))
