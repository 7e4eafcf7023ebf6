"""Reading a file back to a pipe, beside the machine's own sha256: by a new process, and through a daemon.

A process that has just started has checked no block yet, so it hashes all that it gives out. A daemon does so once.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row, alternate
from benchmarks.processes import daemon, random_file, seconds, zwerm

MIB = 1 << 20


def measure(*, quick: bool) -> list[Row]:
    """Megabytes a second through the command line."""
    size = 64 * MIB if quick else 1024 * MIB
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        source = random_file(here / "file", size)
        repository = here / "repository"
        small = here / "small"
        small.write_bytes(b"hardly anything")

        def add(path: Path) -> str:
            return subprocess.check_output(zwerm(repository, "add", "-Q", str(path)), text=True).strip()

        cid, small_cid = add(source), add(small)

        def took(cid: str) -> float:
            # Into a pipe that somebody reads: writing to /dev/null would cost nothing.
            reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            taken = seconds(zwerm(repository, "cat", cid), stdout=reader.stdin)
            assert reader.stdin is not None
            reader.stdin.close()
            reader.wait()
            return taken

        def cat() -> float:
            return size / took(cid) / 1e6

        def started() -> float:
            return size / (took(cid) - took(small_cid)) / 1e6

        def unchecked() -> float:
            forget(repository)
            return cat()

        def sha256() -> float:
            data = source.read_bytes()
            began = time.perf_counter()
            hashlib.sha256(data).digest()
            return size / (time.perf_counter() - began) / 1e6

        rounds = 1 if quick else 3
        new, them = alternate(cat, {"started": started, "sha256": sha256}, rounds=rounds)
        with daemon(repository):
            unchecked()
            again, first = alternate(cat, {"first": unchecked}, rounds=rounds)
        return [
            Row(f"cat {size // MIB} MiB to a pipe, every block checked", "MB/s", new, "the bar", 1000, 1),
            Row(
                "  the same, less the start of the process",
                "MB/s",
                them["started"],
                "hashlib sha256",
                them["sha256"],
                0.8,
            ),
            Row("  through a daemon, first read", "MB/s", first["first"], "hashlib sha256", them["sha256"], 0.3),
            Row("  through a daemon, checked before", "MB/s", again, "the bar", 1000, 1),
        ]


def forget(repository: Path) -> None:
    """Make a running daemon check every block anew: the packs look as if somebody had written to them."""
    for pack in (repository / "blocks").iterdir():
        os.utime(pack)
