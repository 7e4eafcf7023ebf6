"""How long until the command line answers, adds and reads, until the daemon is ready, and what an idle daemon holds."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row, alternate
from benchmarks.processes import ZWERM, Kubo, daemon, resident, seconds, zwerm


def measure(*, quick: bool) -> list[Row]:
    """Help, ready, idle memory."""
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        memory: list[int] = []
        help_time = statistics.median(seconds([ZWERM, "--help"], stdout=subprocess.DEVNULL) for _ in range(9))
        small = here / "small"
        small.write_bytes(b"hardly anything")
        add = zwerm(here / "commands", "add", "-Q", str(small))
        cid = subprocess.check_output(add, text=True).strip()
        add_time = statistics.median(seconds(add, stdout=subprocess.DEVNULL) for _ in range(9))
        cat = zwerm(here / "commands", "cat", cid)
        cat_time = statistics.median(seconds(cat, stdout=subprocess.DEVNULL) for _ in range(9))

        def ours() -> float:
            with daemon(here / "ours") as (process, _, ready):
                time.sleep(0.5)  # what starts up after the first answer counts too
                memory.append(resident(process.pid))
                return ready

        def theirs() -> float:
            kubo = Kubo(here / "kubo")
            kubo.close()
            return kubo.started_in

        ours(), theirs()  # make the repositories
        us, them = alternate(ours, {"Kubo": theirs}, rounds=1 if quick else 5)
        return [
            Row("zwerm --help", "ms", help_time * 1000, "the bar", 150, 1, higher_is_better=False),
            Row("zwerm add of a few bytes", "ms", add_time * 1000, "the bar", 150, 1, higher_is_better=False),
            Row("zwerm cat of a few bytes", "ms", cat_time * 1000, "the bar", 150, 1, higher_is_better=False),
            Row("zwerm up: ready", "s", us, "the bar", 0.8, 1, higher_is_better=False),
            Row("zwerm up: ready", "s", us, "Kubo 0.22 library", them["Kubo"], 0, higher_is_better=False),
            Row("zwerm up: idle memory", "MB", max(memory) / 1e6, "the bar", 90, 1, higher_is_better=False),
        ]
