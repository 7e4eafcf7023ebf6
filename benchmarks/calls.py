"""The calls service alone: memory of 10,000 users online, and how long a ring takes until it is acknowledged and rings.

It is `zwerm load calls`, which starts a `zwerm signal` of its own with SQLite, synced at each commit; rings begin on a
fixed schedule, whether the ones before were answered or not.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from typing import Any

from benchmarks.harness import Row
from benchmarks.processes import ZWERM


def load(users: int, rate: int, seconds: int) -> dict[str, Any]:
    """What the command found."""
    command = [ZWERM, "--json", "load", "calls", "--users", str(users), "--rate", str(rate), "--seconds", str(seconds)]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def measure(*, quick: bool) -> list[Row]:
    """Memory, and the times of acknowledged and of heard rings."""
    users, rate, rounds = (500, 50, 1) if quick else (10_000, 500, 3)
    runs = [load(users, rate, 10) for _ in range(rounds)]

    def middle(kind: str, part: str) -> float:
        return statistics.median(run[kind][part] for run in runs)

    what = f"{rate} rings a second among {users:,} users"
    memory = max(run["memory"] for run in runs) / 1e6
    return [
        Row(f"{users:,} users online: memory", "MB", memory, "the bar", 400, 1, higher_is_better=False),
        Row(
            f"{what}: acknowledged, p50",
            "ms",
            middle("acknowledged_ms", "p50"),
            "the bar",
            100,
            1,
            higher_is_better=False,
        ),
        Row("  p99", "ms", middle("acknowledged_ms", "p99"), "the bar", 100, 1, higher_is_better=False),
        Row(
            "  rings at the other end, p99",
            "ms",
            middle("ringing_ms", "p99"),
            "the bar",
            100,
            1,
            higher_is_better=False,
        ),
    ]
