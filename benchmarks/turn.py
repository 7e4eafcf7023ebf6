"""A relay's CPU for each packet, ours beside coturn's: the same clients, the same rate, nothing lost.

Three loads of 1,200-byte payloads on channels: *spread*, a hundred clients whose packets come one by one; *bursts*, one
client that sends 16 in a row, as a video frame or a file does; *merged*, the same handed to the kernel in one call.
Each goes from clients to a peer and from a peer to the clients. CPU is what the scheduler counted for all threads.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.harness import Row, alternate
from benchmarks.processes import ROOT, ZWERM, resident

RATE: Final = 10_000  # packets a second
SECONDS: Final = 2.0
ALLOCATIONS: Final = 10_000
MEMORY: Final = 300.0  # megabytes that they may take
ATTEMPTS: Final = 3  # a machine that stands still for a moment loses packets, whoever relays


class Lost(Exception):
    """There was no equal load: this machine is too busy, or too slow for the rate."""


def measure(*, quick: bool) -> list[Row]:
    """Microseconds of CPU for each relayed packet; then the memory of 10,000 allocations."""
    rounds, seconds = (1, 0.5) if quick else (3, SECONDS)
    rows = []
    for kind, words in (("spread", "100 clients"), ("bursts", "bursts of 16"), ("merged", "bursts by GSO")):
        for direction in ("to-peer", "to-client"):
            what = f"TURN, CPU a packet, {words}, {direction.replace('-', ' ')}"
            try:
                ours, theirs = alternate(
                    timing(zwerm_turn, kind, direction, seconds),
                    {"coturn": timing(coturn, kind, direction, seconds)},
                    rounds=rounds,
                )
            except Lost as lost:
                print(f"{what}: no figure, as {lost}", file=sys.stderr, flush=True)
                continue
            rows.append(Row(what, "us", ours, "coturn", theirs["coturn"], 1.0, higher_is_better=False))
    count = 500 if quick else ALLOCATIONS
    taken = [memory(server, count) for server in (zwerm_turn, coturn)]
    rows.append(
        Row(f"TURN, memory of {count} allocations", "MB", taken[0], "the limit", MEMORY, 1.0, higher_is_better=False)
    )
    rows.append(
        Row(f"TURN, memory of {count} allocations", "MB", taken[0], "coturn", taken[1], 1.0, higher_is_better=False)
    )
    return rows


def memory(server: Callable[[], contextlib.AbstractContextManager[tuple[int, int]]], count: int) -> float:
    """Make so many allocations; return the resident megabytes of the relay that holds them."""
    with server() as (pid, port):
        command = [sys.executable, "-m", "benchmarks.turn_load", str(port), "allocate", "", str(count), "0"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as load:
            assert load.stdin is not None
            assert load.stdout is not None
            assert json.loads(load.stdout.readline())["clients"] == count
            held = resident(pid)
            load.stdin.close()
    return held / 1e6


def timing(
    server: Callable[[], contextlib.AbstractContextManager[tuple[int, int]]], kind: str, direction: str, seconds: float
) -> Callable[[], float]:
    """Return what runs one load against one server."""

    def run() -> float:
        for _ in range(ATTEMPTS):
            with server() as (pid, port):
                figure = cpu_a_packet(pid, port, kind, direction, seconds)
            if figure is not None:
                return figure
        raise Lost(f"{server.__name__} lost packets each of {ATTEMPTS} times")

    return run


def cpu_a_packet(pid: int, port: int, kind: str, direction: str, seconds: float) -> float | None:
    """Relay for so long; return the relay's microseconds for each packet, or None when packets were lost."""
    command = [sys.executable, "-m", "benchmarks.turn_load", str(port), kind, direction, str(RATE), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdout.readline()
        before = cpu_seconds(pid)
        load.stdin.write("go\n")
        load.stdin.flush()
        figures = json.loads(load.stdout.readline())
        used = cpu_seconds(pid) - before
        load.stdin.close()
        load.wait(10)
    if os.environ.get("ZWERM_BENCH_VERBOSE"):
        print(kind, direction, figures, used * 1e6 / max(1, figures["received"]), file=sys.stderr)
    if figures["received"] < figures["sent"]:
        return None
    return used * 1e6 / figures["received"]


def cpu_seconds(pid: int) -> float:
    """Return what all threads of the process, and of its children that live, have used.

    The scheduler counts nanoseconds; utime and stime of /proc/PID/stat are samples, which a server that works by a
    clock of its own meets too often or too seldom.
    """
    pids = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    threads = [thread for each in pids for thread in Path(f"/proc/{each}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


@contextlib.contextmanager
def zwerm_turn(*options: str) -> Iterator[tuple[int, int]]:
    """Run `zwerm turn`; give its process id and port."""
    command = [
        ZWERM, "--json", "turn", "--listen", "127.0.0.1:0", "--user", "alice:wonder", "--no-self-test", "--user-quota",
        str(ALLOCATIONS), "--allow-peer", "127.0.0.0/8", *options,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            urls = json.loads(process.stdout.readline())["iceServers"][0]["urls"]
            while "ready" not in process.stdout.readline():
                pass
            yield process.pid, int(urls[0].rsplit(":", 1)[1].partition("?")[0])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@contextlib.contextmanager
def coturn(*options: str) -> Iterator[tuple[int, int]]:
    """Run Debian's `turnserver`; give its process id and port."""
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [
            "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file", "stdout", "--simple-log",
            "--pidfile", f"{folder}/pid", "--userdb", f"{folder}/userdb", "-L", "127.0.0.1", "-p", str(port),
            "--relay-ip", "127.0.0.1", "--lt-cred-mech", "--user", "alice:wonder", "--realm", "zwerm",
            "--allow-loopback-peers", *options,
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(port)
                yield process.pid, port
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def wait_for(port: int) -> None:
    """Wait until somebody takes connections there."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("turnserver does not listen")
