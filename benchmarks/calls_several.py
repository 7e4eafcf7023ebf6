"""Several processes of the calls service: what a ring costs them, beside one process that does it alone.

Two `zwerm signal` on one store and one bus, half of all rings from one to the other (`zwerm load calls URL URL`), and
in the same minute one process on a store of the same kind. The bar: 1.25 times the processor time for each ring.
"""

from __future__ import annotations

import contextlib
import json
import signal
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import Row
from benchmarks.processes import ZWERM
from tests.daemon.calls.buses import bus_server
from tests.daemon.calls.postgres import postgres

BAR: Final = 1.25
USERS: Final = 2_000


@contextlib.contextmanager
def services(count: int, store: str, bus: str | None) -> Iterator[list[str]]:
    """So many processes of one service; their URLs."""
    command = [ZWERM, "--json", "signal", "--listen", "127.0.0.1:0", "--store", store, "--allow-load", "--no-push"]
    if bus is not None:
        command += ["--bus", bus]
    with contextlib.ExitStack() as stack:
        urls = []
        for _ in range(count):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            stack.enter_context(process)
            stack.callback(process.send_signal, signal.SIGTERM)
            assert process.stdout is not None
            urls.append(str(json.loads(process.stdout.readline())["url"]))
            process.stdout.readline()
        yield urls


def load(urls: list[str], rate: int, seconds: int) -> dict[str, Any]:
    """What `zwerm load calls` found."""
    options = ["--users", str(USERS), "--rate", str(rate), "--seconds", str(seconds)]
    done = subprocess.run([ZWERM, "--json", "load", "calls", *options, *urls], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def alone_and_two(store: str, bus: str, rate: int, seconds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same load on one process and on two, one after the other."""
    with services(1, store, None) as urls:
        alone = load(urls, rate, seconds)
    with services(2, store, bus) as urls:
        return alone, load(urls, rate, seconds)


def measure(*, quick: bool) -> list[Row]:
    """CPU for each ring on two processes beside one; how long rings took there."""
    rounds, seconds, rates = (1, 3, (50,)) if quick else (3, 8, (200, 500))
    rows = []
    for kind in ("redis", "nats", "postgresql"):
        with contextlib.ExitStack() as stack:
            bus = stack.enter_context(bus_server("redis" if kind == "postgresql" else kind)).url
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="zwerm-several-"))
            store = stack.enter_context(postgres()).url if kind == "postgresql" else str(Path(folder) / "calls.sqlite")
            for rate in rates:
                runs = [alone_and_two(store, bus, rate, seconds) for _ in range(rounds)]
                rows += _rows("redis and postgresql" if kind == "postgresql" else kind, rate, runs)
    return rows


def _rows(kind: str, rate: int, runs: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[Row]:
    alone, two = (statistics.median(each[n]["processor_ms_each_ring"] for each in runs) for n in (0, 1))
    what = f"two processes, {kind}, {rate} rings a second"
    rows = [Row(f"{what}: CPU each ring", "ms", two, f"{BAR} x one process", BAR * alone, 1, higher_is_better=False)]
    for part in ("p50", "p99"):
        middle = statistics.median(each[1]["acknowledged_ms"][part] for each in runs)
        rows.append(Row(f"  acknowledged, {part}", "ms", middle, "the bar", 100, 1, higher_is_better=False))
    return rows
