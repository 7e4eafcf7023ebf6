"""Walking what is named on a command line."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from zwerm.daemon.rpc.body import DiskBody, PartKind
from zwerm.daemon.rpc.disk import check_named, path_name, walk
from zwerm.ipfs.unixfs.errors import ImportFailed


def names(body: DiskBody) -> list[str]:
    return [entry.name for entry in walk(body)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name in ("a.txt", "b.tmp", ".hidden", "sub/c.txt", "sub/d.tmp", "sub/.git/x", "skip/e"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_hidden_names_are_left_out_unless_asked_for(tree: Path) -> None:
    assert names(DiskBody([tree], recursive=True)) == [
        "tree", "tree/a.txt", "tree/b.tmp", "tree/skip", "tree/skip/e", "tree/sub", "tree/sub/c.txt", "tree/sub/d.tmp",
    ]  # fmt: skip
    assert "tree/sub/.git/x" in names(DiskBody([tree], recursive=True, hidden=True))
    assert names(DiskBody([tree / ".hidden"])) == [".hidden"]


def test_rules_leave_out_what_they_match(tree: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("# comment\nskip/\n")
    found = names(DiskBody([tree], recursive=True, ignore=["*.tmp", "!b.tmp"], ignore_rules_path=rules))
    assert found == ["tree", "tree/a.txt", "tree/b.tmp", "tree/sub", "tree/sub/c.txt"]


def test_a_folder_needs_recursive(tree: Path) -> None:
    with pytest.raises(ImportFailed, match=r"^cannot add .*/tree: it is a folder; add it recursively \(-r\)"):
        names(DiskBody([tree]))


def test_symbolic_links_are_kept_or_followed(tree: Path) -> None:
    (tree / "link").symlink_to("a.txt")
    (tree / "folder").symlink_to("sub")
    kept = {entry.name: entry.target for entry in walk(DiskBody([tree], recursive=True))}
    assert kept["tree/link"] == "a.txt"
    assert kept["tree/folder"] == "sub"
    followed = names(DiskBody([tree], recursive=True, dereference_symlinks=True))
    assert "tree/folder/c.txt" in followed
    assert names(DiskBody([tree / "folder"], recursive=True, dereference_arguments=True))[0] == "folder"


def test_a_loop_of_links_is_named(tree: Path) -> None:
    (tree / "sub" / "up").symlink_to("..")
    with pytest.raises(ImportFailed, match=r"^cannot add .*/up: it is a symlink to a folder that it lies in"):
        names(DiskBody([tree], recursive=True, dereference_symlinks=True))


def test_a_pipe_is_taken_when_it_is_named_and_refused_in_a_folder(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert names(DiskBody([tree / "pipe"])) == ["pipe"]
    with pytest.raises(ImportFailed, match=r"^cannot add .*/pipe: it is a named pipe; only files"):
        names(DiskBody([tree], recursive=True))


@pytest.mark.parametrize("device", ["/dev/full", "/dev/zero", "/dev/urandom"])
def test_devices_without_an_end_are_refused_by_name(device: str) -> None:
    with pytest.raises(ImportFailed, match=f"^cannot add {device}: it is a device; only files"):
        check_named(DiskBody([Path(device)]))


def test_sockets_are_refused_before_anything_is_read(tree: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "door"))
        with pytest.raises(ImportFailed, match="/door: it is a socket; only files"):
            check_named(DiskBody([tree / "a.txt", tree / "door"]))


def test_what_ends_is_read_though_it_is_no_file(tree: Path) -> None:
    (tree / "link").symlink_to("/dev/null")
    reader, writer = os.openpty()
    for path in (Path("/dev/null"), tree / "link", Path(os.ttyname(writer))):
        check_named(DiskBody([path]))
        assert names(DiskBody([path])) == [path.name]
    os.close(reader)
    os.close(writer)


def test_an_open_descriptor_stands_for_what_is_open_there(tree: Path) -> None:
    with (tree / "a.txt").open() as file:
        (entry,) = walk(DiskBody([Path(f"/dev/fd/{file.fileno()}")]))
    assert (entry.kind, entry.status.st_size) == (PartKind.FILE, 5)


def test_what_cannot_be_read_is_named_in_the_importers_words(tree: Path) -> None:
    (tree / "sub" / "away").symlink_to("nowhere")
    with pytest.raises(ImportFailed, match=r"^cannot add .*/tree/sub/away: no such file or directory$"):
        names(DiskBody([tree], recursive=True, dereference_symlinks=True))


def test_every_path_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_name(Path()) == tmp_path.name
    assert path_name(Path("/")) == "root"
    assert path_name(Path("x/y")) == "y"
