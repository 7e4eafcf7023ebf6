"""A disk without room: a command says so in one line, keeps what was acknowledged, and goes on when there is room."""

from __future__ import annotations

import os
import subprocess

from tests.cli.harness import ZWERM, Harness

_SCRIPT = """
mount -t tmpfs -o size=6m none "$1" && export ZWERM_PATH="$1/repository" || exit 99
kept=$("$2" add -Q small)
"$2" add -Q big; echo "status $?"
"$2" cat "$kept"; echo
"$2" repo verify
"$2" repo gc --quiet > /dev/null
"$2" add -Q small > /dev/null; echo "status $?"
"""


def test_a_full_disk_is_said_and_costs_nothing(local: Harness) -> None:
    local.file("small", "kept")
    local.file("big", os.urandom(9_000_000))
    disk = local.folder / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", _SCRIPT, "sh", disk, ZWERM],
        cwd=local.folder,
        env=local.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == ["status 1", "kept", "verify complete, all blocks validated.", "status 0"]
    assert "Error: cannot write blocks: the disk is full; make room and try again\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_output_that_takes_nothing_is_an_error_and_no_crash(local: Harness) -> None:
    address = local.add(os.urandom(100_000))
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            local.command("cat", address),
            env=local.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device\n")
