"""The tree of files, its history, differences, restoring, publishing."""

from __future__ import annotations

import re

import pytest

from tests.cli.harness import Harness


@pytest.fixture
def at(zwerm: Harness, request: pytest.FixtureRequest) -> str:
    """A folder of the tree that no other test uses."""
    return "/" + re.sub(r"\W+", "-", request.node.name)


def test_files_are_written_listed_and_read(zwerm: Harness, at: str) -> None:
    file = zwerm.file("note.txt", "one\n")
    assert zwerm.run("files", "write", "--create", "--parents", f"{at}/note", file).out == ""
    zwerm.run("files", "write", f"{at}/note", "-o", "4", data="two\n")
    assert zwerm.run("files", "read", f"{at}/note").out == "one\ntwo\n"
    zwerm.run("files", "mkdir", f"{at}/sub")
    assert zwerm.run("files", "ls", at).lines == ["note", "sub"]
    long = zwerm.run("files", "ls", "-l", at).lines
    assert [line.split("\t")[0::2] for line in long] == [["note", "8"], ["sub/", "0"]]


def test_stat_prints_kubos_form(zwerm: Harness, at: str) -> None:
    zwerm.run("files", "write", "-e", at, data="hello\n")
    address = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"
    assert zwerm.run("files", "stat", at).lines == [
        address,
        "Size: 6",
        "CumulativeSize: 6",
        "ChildBlocks: 0",
        "Type: file",
        "Mode: not set (not set)",
        "Mtime: not set",
    ]
    assert zwerm.run("files", "stat", "--hash", at).lines == [address]
    assert zwerm.run("files", "stat", "--size", at).lines == ["6"]
    assert zwerm.run("files", "stat", "--format=<type> <childs>", at).lines == ["file 0"]
    assert zwerm.run("files", "stat", "--with-local", at).lines[-1] == "Local: 6 B of 6 B (100.00%)"
    assert zwerm.run("files", "flush", at).lines == [address]
    assert "cannot be given together" in zwerm.fails("files", "stat", "--hash", "--size", at, status=2)


def test_moving_copying_removing_and_metadata(zwerm: Harness, at: str) -> None:
    zwerm.run("files", "write", "-e", "-p", f"{at}/a", data="x")
    zwerm.run("files", "cp", f"{at}/a", f"{at}/b")
    zwerm.run("files", "mv", f"{at}/a", f"{at}/c")
    zwerm.run("files", "chmod", "0750", f"{at}/c")
    zwerm.run("files", "touch", "--mtime=60", f"{at}/c")
    assert zwerm.run("files", "stat", "--format=<mode> <mode-octal>|<mtime>", f"{at}/c").lines == [
        "-rwxr-x--- 0750|1 Jan 1970, 00:01:00 UTC"
    ]
    zwerm.run("files", "chcid", "--cid-version=0", at)
    assert zwerm.run("files", "stat", "--hash", at).out.startswith("Qm")
    assert "-r" in zwerm.fails("files", "rm", at)
    zwerm.run("files", "rm", "-r", at)
    assert "file does not exist" in zwerm.fails("files", "stat", at)


def test_versions_are_shown_compared_and_restored(zwerm: Harness, at: str) -> None:
    zwerm.run("files", "write", "-e", "-p", "-m", "first words", f"{at}/n", data="one\n")
    zwerm.run("files", "write", "-e", "-t", f"{at}/n", data="one\ntwo\n")
    newest, oldest = zwerm.run("history", f"{at}/n").lines
    assert re.fullmatch(r"now   [a-z2-7]{12}  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  changed", newest)
    assert re.fullmatch(r"~1    [a-z2-7]{12}  .*  added    first words", oldest)
    assert zwerm.run("history", "-l", "-n", "1", f"{at}/n").lines[2].split()[0] == "author"
    assert zwerm.run("cat", f"{at}/n@~1").out == "one\n"
    assert zwerm.run("diff", f"{at}/n").lines == ["changed  /  (4 -> 8 bytes)"]
    assert "+two" in zwerm.run("diff", "-p", f"{at}/n@~1", f"{at}/n").lines
    short = oldest.split()[1]
    assert zwerm.run("restore", f"{at}/n@{short}").out.startswith(f"restored {at}/n to baf")
    assert zwerm.run("cat", f"{at}/n").out == "one\n"
    zwerm.run("restore", f"{at}/n", "~1", "-m", "again")
    assert zwerm.run("cat", f"{at}/n").out == "one\ntwo\n"
    assert zwerm.run("history", "--json", "-n", "1", f"{at}/n").json["Message"] == "again"
    assert "has no version ~9" in zwerm.fails("restore", f"{at}/n@~9")
    assert "no history" in zwerm.fails("history", f"{at}/nothing")
    assert zwerm.run("history", "verify").out.endswith("\n")


def test_a_history_travels(zwerm: Harness, at: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    zwerm.run("add", "--to", f"{at}/doc", data="one\n")
    zwerm.run("add", "--to", f"{at}/doc", data="two\n")
    archive = zwerm.file("history.car", zwerm.run("history", "export", f"{at}/doc").raw)
    other = Harness(tmp_path_factory.mktemp("other") / "work")
    commit = other.run("car", "import", archive).out.split("\t")[1]
    assert "all signed and whole" in other.run("history", "verify", commit).out
    other.run("history", "adopt", commit, "/mine")
    assert other.run("cat", "/mine").out == "two\n"
    assert len(other.run("history", "/mine").lines) >= 2


def test_publishing_a_folder_again_makes_a_version(zwerm: Harness, at: str) -> None:
    page = zwerm.file("public/index.html", "<h1>one</h1>")
    first = zwerm.run("publish", "public", "--to", at).lines
    assert first[0] == f"published {at}"
    assert first[1].startswith("address   /ipfs/baf")
    page.write_text("<h1>two</h1>")
    second = zwerm.run("publish", "public", "--to", at, "--json").json
    assert second["Path"] == at
    assert zwerm.run("cat", f"/ipfs/{second['Cid']}/index.html").out == "<h1>two</h1>"
    assert [item["Message"] for item in zwerm.run("history", "--json", at).documents] == ["Publish public"] * 2
    assert "does not exist" in zwerm.fails("publish", "no-such-folder")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["files", "read", "/no"], "file does not exist"),
        (["files", "mkdir", "relative"], "paths must start with a leading slash"),
        (["files", "mkdir", "/no/such/parent"], "file does not exist"),
        (["files", "cp", "/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6aa", "/x"], "x"),
        (["files", "chmod", "rwx", "/"], "expected octal digits"),
        (["files", "rm", "/"], "cannot delete root"),
    ],
)
def test_failures_say_what_is_wrong(zwerm: Harness, arguments: list[str], message: str) -> None:
    assert message in zwerm.fails(*arguments)
