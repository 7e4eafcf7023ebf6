"""Ctrl-C in the middle of what takes long: one line, status 130, nothing half left, and the same can be done again."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.harness import Harness
from tests.daemon.harness import PATIENCE
from tests.faults.traced import Traced

LINE = "Error: interrupted; nothing is left half done\n"

# Words that stand for what `prepared` makes: ADDRESS of a large file, TREE of files, and paths of the disk.
COMMANDS = {
    "add a folder": "add -r --to /notes folder",
    "cat": "cat ADDRESS",
    "get": "get -o got TREE",
    "get an archive": "get -a -o got ADDRESS",
    "export an archive": "car export TREE",
    "import an archive": "car import archive.car",
    "pin": "pin add --name kept TREE",
    "collect": "repo gc",
    "verify": "repo verify",
    "write a file": "files write --create --truncate /new large",
}
MORE = {
    "add a file": "add large",
    "check pins": "pin verify",
    "repair": "repo repair",
    "copy within files": "files cp --force /ipfs/ADDRESS /copied",
    "remove from files": "files rm -r --force /notes",
    "show the history": "history /notes",
    "check the history": "history verify",
    "restore": "restore /notes@~1",
    "compare": "diff /notes@~1 /notes",
    "count a tree": "dag stat TREE",
    "list a tree": "refs -r TREE",
}
each = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


@dataclasses.dataclass
class Prepared:
    """A filled repository beside what is on the disk, to be copied; and what the words in capitals stand for."""

    folder: Path
    names: dict[str, str]

    def copy(self, folder: Path) -> Harness:
        shutil.copytree(self.folder, folder, symlinks=True)
        return Harness(folder)

    def words(self, command: str) -> list[str]:
        for word, meaning in self.names.items():
            command = command.replace(word, meaning)
        return command.split()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    harness = Harness(tmp_path_factory.mktemp("interrupts") / "work")
    harness.file("large", os.urandom(3_000_000))
    for number in range(20):
        harness.file(f"folder/part {number}", os.urandom(10_000 * number))
    address = harness.run("add", "-Q", "large").out.strip()
    harness.run("add", "-r", "--to", "/notes", "folder")
    harness.file("folder/last", "words")
    tree = harness.run("add", "-Q", "-r", "--to", "/notes", "folder").out.strip()
    elsewhere = Harness(harness.folder / "elsewhere")
    elsewhere.file("other/file", os.urandom(2_000_000))
    root = elsewhere.run("add", "-Q", "-r", "other").out.strip()
    (harness.folder / "archive.car").write_bytes(elsewhere.run("car", "export", root).raw)
    harness.run("block", "put", data=os.urandom(50_000))  # for the collector
    harness.file("large", os.urandom(3_000_000))  # not added yet
    harness.file("folder/last", os.urandom(100_000))
    return Prepared(harness.folder, {"ADDRESS": address, "TREE": tree})


def traced_files(harness: Harness) -> list[Path]:
    return [*(harness.repository / "blocks").glob("*.pack"), harness.repository / "index.sqlite-wal"]


def on_the_disk(harness: Harness) -> set[str]:
    return set(os.listdir(harness.folder))


def check_whole(harness: Harness, words: list[str], before: set[str]) -> None:
    """Nothing is damaged or half left, and what was interrupted can be done."""
    assert on_the_disk(harness) - before <= {"got", "got.tar"}  # whole files of a folder that was on its way
    assert not list(harness.folder.rglob(".zwerm-*"))
    assert "all blocks validated" in harness.run("repo", "verify").out
    harness.run(*words)


def interrupt(harness: Harness, words: list[str], calls: int) -> tuple[int, str]:
    """Interrupt a command at a call on the repository's files; return its status and what it complained."""
    command, environment = harness.command(*words), harness.environment()
    with Traced(traced_files(harness), command=command, cwd=harness.folder, env=environment) as traced:
        if traced.wait_calls(calls):
            traced.send(signal.SIGINT)
        return traced.result(PATIENCE)


@each
def test_a_command_on_the_repository_is_interrupted(prepared: Prepared, tmp_path: Path, command: str) -> None:
    zwerm, words = prepared.copy(tmp_path / "work"), prepared.words(command)
    before = on_the_disk(zwerm)
    assert interrupt(zwerm, words, 2) == (130, LINE)
    check_whole(zwerm, words, before)


@pytest.mark.full
@pytest.mark.parametrize("calls", [1, 4, 8, 16, 32])
@pytest.mark.parametrize("command", [*COMMANDS.values(), *MORE.values()], ids=[*COMMANDS, *MORE])
def test_a_command_may_be_interrupted_anywhere(prepared: Prepared, tmp_path: Path, command: str, calls: int) -> None:
    """Near its end it may be done, or done and on its way out."""
    zwerm, words = prepared.copy(tmp_path / "work"), prepared.words(command)
    before = on_the_disk(zwerm)
    status, complaint = interrupt(zwerm, words, calls)
    assert status in {130, 0, -signal.SIGINT}, complaint
    assert complaint.endswith(LINE) == (status == 130)
    assert "Traceback" not in complaint
    check_whole(zwerm, words, before)


@each
def test_a_command_that_the_node_carries_out_is_interrupted(prepared: Prepared, tmp_path: Path, command: str) -> None:
    zwerm, words = prepared.copy(tmp_path / "work"), prepared.words(command)
    before = on_the_disk(zwerm)
    daemon = zwerm.start()
    try:
        with Traced(traced_files(zwerm), process=daemon.process.pid) as traced:
            process = subprocess.Popen(
                zwerm.command(*words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                cwd=zwerm.folder,
                env=zwerm.environment(),
            )
            assert traced.wait_calls(1)
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=PATIENCE)
            assert (process.returncode, complaint) == (130, LINE)
        check_whole(zwerm, words, before)
    finally:
        zwerm.stop()
