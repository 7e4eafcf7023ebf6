"""Completion scripts, tried in the shells they are for."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.harness import Harness

ZSH = """
autoload -Uz compinit; compinit -u -D
_describe() { print -l -- ${${(P)2}%%:*}; }
_files() { print -l -- *; }
source completion
"""


def script(local: Harness, shell: str) -> None:
    """Write the script into the working folder."""
    local.file("completion", local.run("completion", shell).out)
    local.file("notes.txt", "")


def shell(local: Harness, name: str, *arguments: str) -> list[str]:
    """Run a line in a shell; return the words it prints."""
    program = shutil.which(name)
    assert program is not None, f"{name} is not installed; tools/install-peers does it"
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, cwd=local.folder, env=local.environment(), check=True
    )
    assert done.stderr == ""
    return done.stdout.split("\n")


CASES = [
    ("zwerm publ", ["publish"]),
    ("zwerm files mk", ["mkdir"]),
    ("zwerm add --cid-v", ["--cid-version"]),
    ("zwerm add --tim", ["--timeout"]),
    ("zwerm add -r note", ["notes.txt"]),
]


@pytest.mark.parametrize(("typed", "expected"), [*CASES, ("zwerm config profile ", ["apply"])])
def test_bash_completes_what_was_begun(local: Harness, typed: str, expected: list[str]) -> None:
    script(local, "bash")
    words = typed.split(" ")
    given = " ".join(f"'{word}'" for word in words)
    line = f"source completion; COMP_WORDS=({given}); COMP_CWORD={len(words) - 1}; _zwerm"
    offered = shell(local, "bash", "-c", f"{line}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    assert sorted(set(filter(None, offered))) == expected


@pytest.mark.interop
@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_zsh_offers_what_was_begun(local: Harness, typed: str, expected: list[str]) -> None:
    script(local, "zsh")
    words = typed.split(" ")
    given = " ".join(f"'{word}'" for word in words)
    offered = shell(local, "zsh", "-f", "-c", f"{ZSH}; words=({given}); CURRENT={len(words)}; _zwerm; true")
    assert [word for word in dict.fromkeys(offered) if word.startswith(words[-1])] == expected


@pytest.mark.interop
@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_fish_completes_what_was_begun(local: Harness, typed: str, expected: list[str]) -> None:
    script(local, "fish")
    offered = shell(local, "fish", "--no-config", "-c", f"source completion; complete -C '{typed}'")
    assert [line.split("\t")[0] for line in offered if line] == expected


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_scripts_name_every_command(local: Harness, name: str) -> None:
    text = local.run("completion", name).out
    for word in ("publish", "files", "mkdir", "doctor", "cid-version", "recursive"):
        assert word in text
