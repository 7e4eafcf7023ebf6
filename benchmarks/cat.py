"""Reading a file back to a pipe, plain and verified, beside the machine's own sha256."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row, alternate
from benchmarks.processes import random_file, seconds, zwerm

MIB = 1 << 20


def measure(*, quick: bool) -> list[Row]:
    """Megabytes a second through the command line."""
    size = 64 * MIB if quick else 1024 * MIB
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        source = random_file(here / "file", size)
        repository = here / "repository"
        cid = subprocess.check_output(zwerm(repository, "add", "-Q", str(source)), text=True).strip()

        def cat(*options: str) -> float:
            # Into a pipe that somebody reads: writing to /dev/null would cost nothing.
            reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            took = seconds(zwerm(repository, "cat", *options, cid), stdout=reader.stdin)
            assert reader.stdin is not None
            reader.stdin.close()
            reader.wait()
            return size / took / 1e6

        def plain() -> float:
            return cat()

        def verified() -> float:
            return cat("--verify")

        def sha256() -> float:
            data = source.read_bytes()
            began = time.perf_counter()
            hashlib.sha256(data).digest()
            return size / (time.perf_counter() - began) / 1e6

        us, them = alternate(plain, {"verified": verified, "sha256": sha256}, rounds=1 if quick else 3)
        return [
            Row(f"cat {size // MIB} MiB to a pipe", "MB/s", us, "the bar", 1000, 1),
            Row("  every block verified", "MB/s", them["verified"], "hashlib sha256", them["sha256"], 0.8),
        ]
