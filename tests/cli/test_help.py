"""Help: every command has it, every example in it can be typed, and none of it is slow to come."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.cli.harness import Harness
from zwerm.cli.command import CliCommand
from zwerm.cli.commands import ALIASES, TABLE, load
from zwerm.cli.main import main
from zwerm.cli.parser import parse

COMMANDS = [command for word in TABLE for command in load(word)]
HEAVY = {"aiohttp", "uvloop", "rich", "cryptography", "asyncio", "dataclasses", "zwerm.node", "zwerm.ipfs"}


def typed(capsys: pytest.CaptureFixture[str], *words: str, program: str = "zwerm") -> tuple[int, str, str]:
    status = main(list(words), program)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_command_explains_itself_with_examples(command: CliCommand, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = typed(capsys, *command.words.split(), "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"zwerm {command.words}: {command.one_line()}\n")
    assert f"  $ zwerm {command.words}" in out
    assert max(map(len, out.splitlines())) <= 120
    for option in command.all_options():
        assert f"--{option.name}" in out or f"-{option.name}" in out
    assert typed(capsys, *command.words.split(), "-h")[1] == out


@pytest.mark.parametrize(
    ("command", "line"),
    [(command, example.line) for command in COMMANDS for example in command.examples],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_example_is_understood(command: CliCommand, line: str) -> None:
    words = shlex.split(line, comments=False)
    for sign in (">", "<", "<<<", "|", ">>"):
        if sign in words:
            words = words[: words.index(sign)]
    assert words[: len(command.words.split())] == command.words.split() or command.words in ("cat", "history")
    longest = max(
        (other for other in COMMANDS if words[: len(other.words.split())] == other.words.split()),
        key=lambda other: len(other.words),
    )
    parsed, _ = parse(longest, words[len(longest.words.split()) :])
    required = sum(1 for argument in longest.all_arguments() if argument.required and not argument.stdin)
    assert len(parsed.arguments) >= required


@pytest.mark.parametrize("word", TABLE)
def test_families_list_their_commands(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    commands = load(word)
    if any(command.words == word for command in commands):
        return
    status, out, _ = typed(capsys, word, "--help")
    assert status == 0
    assert all((f"  {command.words} " in out) is not command.hidden for command in commands)
    assert typed(capsys, word)[0] == 2
    status, _, err = typed(capsys, word, "nothing")
    assert status == 2
    assert f"there is no command {word} nothing" in err


def test_the_list_of_all_commands_is_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        status, out, _ = typed(capsys, *words)
        assert status == 0
        assert all(f"  {word} " in out for word in TABLE)
    assert typed(capsys, "help", "cat")[1].startswith("zwerm cat: ")
    assert typed(capsys, "--help", program="ipfs")[1].startswith("ipfs: ")


def test_summaries_and_words_are_unique() -> None:
    words = [command.words for command in COMMANDS]
    assert len(words) == len(set(words))
    assert set(ALIASES.values()) <= set(TABLE)
    for word in TABLE:
        assert all(command.words.split()[0] == word for command in load(word))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fils"], "there is no command 'fils'; did you mean files?"),
        (["files", "lss"], "there is no command files lss; did you mean ls?"),
        (["cat", "--ofset", "3", "x"], "unknown option '--ofset'; did you mean --offset?"),
        (["cat", "-z", "x"], "unknown option '-z'"),
        (["cat", "--offset"], "--offset needs a value"),
        (["cat", "--offset=ten", "x"], "--offset is 'ten', expected a whole number"),
        (["ls", "--size=maybe", "x"], "--size is 'maybe', expected true or false"),
        (["get", "a", "b"], "'b' is one argument too many"),
        (["files", "cp", "/a"], "<dest> is missing"),
        (["cat", "--enc", "xml", "x"], "--encoding is 'xml'"),
        (["--nothing", "cat"], "unknown option '--nothing'"),
        (["pin", "ls", "--type", "direct", "--type", "all"], "--type was given twice"),
        (["completion", "tcsh"], "name one shell"),
        (["restore", "/a"], "PATH@VERSION"),
        (["publish"], "name one folder"),
        (["up", "now"], "'now' is one argument too many"),
        (["up", "--set", "x"], "expected KEY=VALUE"),
    ],
)
def test_what_is_not_understood_is_said_in_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    status, out, err = typed(capsys, *words)
    assert (status, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert message in err
    assert "--help`)" in err


def test_help_imports_nothing_heavy(local: Harness) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "zwerm", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=local.environment(),
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & HEAVY
    assert len([name for name in imported if name.startswith("zwerm")]) <= 6
    assert local.run("--help").out == done.stdout


def test_help_of_a_command_imports_no_server_and_no_node() -> None:
    for word in ("add", "files", "up", "repo"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "zwerm", word, "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert not imported & (HEAVY - {"asyncio", "dataclasses"}), (word, imported & HEAVY)


@pytest.mark.parametrize("columns", ["40", "60", "100"])
@pytest.mark.parametrize(
    "words", [("--help",), ("add", "--help"), ("files", "--help"), ("config", "--help")], ids=" ".join
)
def test_help_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    _, out, _ = typed(capsys, *words)
    wide = [line for line in out.splitlines() if len(line) > int(columns) and not line.lstrip().startswith(("$", "-"))]
    assert [line for line in wide if " " in line.strip() and not line.startswith(("Usage:", "zwerm", "The repo"))] == []
