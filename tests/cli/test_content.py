"""Adding, showing, getting, listing: Kubo's words, with and without a daemon."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.cli.harness import Harness

HELLO = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"
UNUSED = {"cryptography", "pathspec", "zwerm.ipfs.mfs.files", "zwerm.ipfs.pins.collector"}
BIG = random.Random(3).randbytes(3_000_000)


@pytest.fixture
def tree(zwerm: Harness) -> Path:
    zwerm.file("tree/a.txt", "hello\n")
    zwerm.file("tree/sub/big", BIG)
    zwerm.file("tree/.hidden", "hidden")
    link = zwerm.folder / "tree" / "link"
    if not link.is_symlink():
        link.symlink_to("a.txt")
    return zwerm.folder / "tree"


def test_adding_says_what_was_added(zwerm: Harness, tree: Path) -> None:
    assert zwerm.run("add", tree / "a.txt").lines == [f"added {HELLO} a.txt"]
    assert zwerm.run("add", "-q", tree / "a.txt").lines == [HELLO]
    lines = zwerm.run("add", "-r", tree).lines
    assert {line.split(" ", 2)[2] for line in lines} == {"tree/a.txt", "tree/link", "tree/sub/big", "tree/sub", "tree"}
    root = lines[-1].split()
    assert root[2] == "tree"
    assert zwerm.run("add", "-rQ", tree).out.strip() == root[1]
    assert zwerm.run("add", "-r", "--silent", tree).out == ""
    hidden = zwerm.run("add", "-r", "-H", "--ignore", "sub/", tree).lines
    assert {line.split(" ", 2)[2] for line in hidden} == {"tree/a.txt", "tree/.hidden", "tree/link", "tree"}


def test_wrapping_keeps_the_name(zwerm: Harness, tree: Path) -> None:
    lines = zwerm.run("add", "-w", tree / "a.txt").lines
    assert lines[0] == f"added {HELLO} a.txt"
    wrapper = lines[1].split()[1]
    assert zwerm.run("cat", f"{wrapper}/a.txt").out == "hello\n"


def test_standard_input_is_a_file(zwerm: Harness) -> None:
    assert zwerm.run("add", data="hello\n").lines == [f"added {HELLO} {HELLO}"]
    assert zwerm.run("add", "--stdin-name", "x", "-w", "-", data="hello\n").lines[0] == f"added {HELLO} x"


def test_profiles_and_options_decide_the_address(zwerm: Harness) -> None:
    assert zwerm.add("hello\n", "--profile", "unixfs-v0-2015") == "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN"
    assert zwerm.add("hello\n", "--cid-version=0") == "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN"
    assert zwerm.add("hello\n", "-n") == HELLO
    assert zwerm.add("hello\n", "--hash", "blake3").startswith("bafkr4i")
    assert zwerm.add("hello\n", "--cid-base=base36").startswith("k2cw")


def test_metadata_is_kept_when_asked(zwerm: Harness) -> None:
    file = zwerm.file("meta", "x")
    file.chmod(0o600)
    os.utime(file, ns=(0, 1_600_000_000_123_456_789))
    address = zwerm.run("add", "-Q", "--preserve-mode", "--preserve-mtime", file).out.strip()
    shown = zwerm.run("files", "stat", f"/ipfs/{address}", "--format", "<mode> <mode-octal> <mtime-secs> <mtime-nsecs>")
    assert shown.out == "-rw------- 0600 1600000000 123456789\n"
    zwerm.run("get", "-o", "meta-back", address)
    back = (zwerm.folder / "meta-back").stat()
    assert back.st_mode & 0o777 == 0o600


def test_cat_writes_bytes_as_they_are(zwerm: Harness, tree: Path) -> None:
    root = zwerm.run("add", "-rQ", tree).out.strip()
    assert zwerm.run("cat", f"{root}/sub/big").raw == BIG
    assert zwerm.run("cat", f"/ipfs/{root}/a.txt", f"{root}/a.txt").out == "hello\nhello\n"
    assert zwerm.run("cat", "-o", "1000000", "-l", "500", f"{root}/sub/big").raw == BIG[1_000_000:1_000_500]
    assert zwerm.run("cat", data=f"{root}/a.txt\n").out == "hello\n"


def test_cat_appends_to_a_file(zwerm: Harness) -> None:
    address = zwerm.add(BIG)
    target = zwerm.file("appended", b"before")
    import subprocess

    with target.open("ab") as file:
        subprocess.run(zwerm.command("cat", address), stdout=file, env=zwerm.environment(), check=True)
    assert target.read_bytes() == b"before" + BIG


def test_get_writes_trees_and_files(zwerm: Harness, tree: Path) -> None:
    root = zwerm.run("add", "-rQ", tree).out.strip()
    target = zwerm.folder / "out"
    for _ in range(2):  # a second time over what is there
        assert zwerm.run("get", "-o", target, root).lines == [f"Saving file(s) to {target}"]
    assert (target / "a.txt").read_text() == "hello\n"
    assert (target / "sub" / "big").read_bytes() == BIG
    assert os.readlink(target / "link") == "a.txt"
    zwerm.run("get", f"{root}/a.txt")
    assert (zwerm.folder / "a.txt").read_text() == "hello\n"
    zwerm.run("get", "-o", "out", f"{root}/sub/big")
    assert (target / "big").read_bytes() == BIG


def test_get_writes_archives(zwerm: Harness, tree: Path) -> None:
    root = zwerm.run("add", "-rQ", tree).out.strip()
    assert zwerm.run("get", "-a", "-o", "t", root).lines == ["Saving archive to t.tar"]
    with tarfile.open(zwerm.folder / "t.tar") as archive:
        assert f"{root}/sub/big" in archive.getnames()
    assert zwerm.run("get", "-a", "-C", "-o", "t", root).lines == ["Saving archive to t.tar.gz"]
    with tarfile.open(zwerm.folder / "t.tar.gz") as archive:
        assert f"{root}/a.txt" in archive.getnames()
    zwerm.run("get", "-C", "-o", "h", f"{root}/a.txt")
    import gzip

    assert gzip.decompress((zwerm.folder / "h.gz").read_bytes()) == b"hello\n"


def test_ls_lists_in_columns(zwerm: Harness, tree: Path) -> None:
    root = zwerm.run("add", "-rQ", tree).out.strip()
    lines = zwerm.run("ls", "-v", root).lines
    assert [line.split()[1:] for line in lines] == [
        ["Size", "Name"],
        ["6", "a.txt"],
        ["0", "link"],
        ["-", "sub/"],
    ]
    assert lines[1].split()[0] == HELLO
    assert zwerm.run("ls", root, f"{root}/sub").lines[0] == f"{root}:"
    assert zwerm.run("ls", "--stream", "--size=false", "--resolve-type=false", root).lines[0].endswith(" a.txt")
    long = zwerm.run("ls", "-l", root).lines
    assert long[0].split()[0] == "-"


def test_json_gives_documents(zwerm: Harness, tree: Path) -> None:
    (item,) = zwerm.run("add", "--json", tree / "a.txt").documents
    assert item == {"Name": "a.txt", "Hash": HELLO, "Size": "6"}
    assert zwerm.run("--json", "ls", HELLO).json["Objects"][0]["Hash"] == HELLO
    assert zwerm.run("cat", "--enc=json", HELLO).out == "hello\n"
    assert zwerm.run("get", "--json", "-o", "j", HELLO).json["Path"] == "j"


def test_names_cannot_fake_lines(zwerm: Harness) -> None:
    zwerm.file("odd/a\nb\x1b[2J", "x")
    lines = zwerm.run("add", "-r", zwerm.folder / "odd").lines
    assert len(lines) == 2
    assert "\\x1b[2J" in lines[0]
    assert "\\n" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "nothing-here"], "nothing-here"),
        (["add", "."], "is a folder; "),
        (["add", "--nocopy", "/etc/hostname"], "--nocopy is not offered"),
        (["cat", HELLO[:-1] + "a"], "is not here"),
        (["cat", "bafybogus"], "invalid path 'bafybogus'"),
        (["cat", "/nothing"], "/nothing: file does not exist"),
        (["get", "/nothing"], "/nothing: file does not exist"),
        (["get", "-a", "/nothing"], "/nothing: file does not exist"),
        (["get", HELLO[:-1] + "a"], "is not here"),
        (["get", "/ipfs/"], "invalid path '/ipfs/'"),
        (["ls", "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXE1"], "Qm"),
        (["add", "--chunker", "x", "/etc/hostname"], "x"),
        (["add", "--hash", "md5", "/etc/hostname"], "hash function 'md5' is not known"),
        (["cat", "--timeout", "5", HELLO], "duration '5'"),
    ],
)
def test_bad_input_gets_one_line(zwerm: Harness, arguments: list[str], message: str) -> None:
    status = 2 if arguments[0] == "cat" and "--timeout" in arguments else 1
    assert message in zwerm.fails(*arguments, status=status)


def test_pipes_are_read_to_their_end_however_they_are_named(zwerm: Harness) -> None:
    """Process substitution gives names of pipes; one that ends early is what came until then."""
    zwerm.file("plain", "hello\n")
    program = shlex.quote(str(zwerm.command()[0]))

    def lines(line: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", line.replace("ZWERM", program)],
            cwd=zwerm.folder,
            env=zwerm.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert lines("ZWERM add -q <(printf 'hello\\n')") == [HELLO]
    assert lines("ZWERM add -q <(printf 'hello\\n') <(printf 'hel'; printf 'lo\\n'; exit 3)") == [HELLO, HELLO]
    assert lines("ZWERM add -q /dev/stdin < plain") == [HELLO]
    assert lines("ZWERM add -q /dev/stdin plain < plain") == [HELLO, HELLO]
    assert lines("mkfifo early; (printf 'hello\\n' > early; exit 1) & ZWERM add -q early; rm early") == [HELLO]


def test_adding_and_reading_by_address_load_nothing_that_they_do_not_use(local: Harness) -> None:
    file = local.file("once.txt", "once")
    cid = local.run("add", "-Q", file).out.strip()
    for words in (("add", "-Q", str(file)), ("cat", cid)):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "zwerm", *words],
            capture_output=True,
            text=True,
            check=True,
            env=local.environment(),
        )
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert "zwerm.ipfs.blockstore.packstore" in imported
        assert not imported & UNUSED, words
