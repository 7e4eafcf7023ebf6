"""Walking what is named on a command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.rpc.body import DiskBody
from zwerm.daemon.rpc.disk import path_name, walk


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
    with pytest.raises(LocalProtocolError, match="is a folder; use -r"):
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
    with pytest.raises(LocalProtocolError, match="is a symbolic link to a folder that it is in"):
        names(DiskBody([tree], recursive=True, dereference_symlinks=True))


def test_a_pipe_is_taken_when_it_is_named_and_refused_in_a_folder(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert names(DiskBody([tree / "pipe"])) == ["pipe"]
    with pytest.raises(LocalProtocolError, match="is a device, pipe or socket"):
        names(DiskBody([tree], recursive=True))


def test_every_path_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_name(Path()) == tmp_path.name
    assert path_name(Path("/")) == "root"
    assert path_name(Path("x/y")) == "y"
