"""The programs that the benchmarks run: our command line and daemon, Kubo, nginx."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ZWERM = str(Path(sys.executable).parent / "zwerm")


def zwerm(repository: Path, *arguments: str) -> list[str]:
    """Return the command line of ours on a repository."""
    return [ZWERM, "--repo", str(repository), *arguments]


def seconds(command: list[str], **options: Any) -> float:
    """Run a command to its end and return how long it took; a failure is raised."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, **options)
    return time.perf_counter() - began


def peak_memory(command: list[str], **options: Any) -> int:
    """Run a command to its end and return the most memory it held, in bytes."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss * 1024


def random_file(path: Path, size: int) -> Path:
    """Write `size` random bytes."""
    with path.open("wb") as file:
        for offset in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - offset)))
    return path


def dd(source: Path, target: Path) -> float:
    """Copy a file until it is on the medium; return the seconds."""
    return seconds(["dd", f"if={source}", f"of={target}", "bs=1M", "conv=fsync", "status=none"])


def provision(here: Path, source: Path) -> None:
    """Have the file system free as much space as is about to be written, and the disk at rest.

    On a disk that is thinly provided, or that discards what is deleted, space never written before costs several times
    the space that has just been freed; each side is to find the latter.
    """
    copy = here / "provision"
    dd(source, copy)
    copy.unlink()
    os.sync()
    time.sleep(1)


def resident(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


class Kubo:
    """A Kubo 0.22 node in a process of its own, driven by lines of JSON."""

    def __init__(self, repository: Path, *, sync: bool = True) -> None:
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/peers/kubo.py"), str(repository), "0", "on" if sync else "off"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=repository.parent,
            text=True,
        )
        self._read()
        self.started_in = time.perf_counter() - began

    def call(self, *words: str) -> Any:
        """Send one verb; return its result."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "Kubo ended"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """End the node."""
        with contextlib.suppress(OSError, RuntimeError):
            self.call("quit")
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def daemon(repository: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], float]]:
    """Run `zwerm up` with free ports; give the process, its addresses and the seconds until it was ready."""
    began = time.perf_counter()
    process = subprocess.Popen(
        zwerm(repository, "up", "--profile", "test", "--set", "log.level=warning"),
        stdout=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        addresses: dict[str, str] = {}
        for line in process.stdout:
            if found := re.match(r"(RPC|Gateway).* /ip4/([\d.]+)/tcp/(\d+)", line):
                addresses[found[1].lower()] = f"http://{found[2]}:{found[3]}"
            if "ready" in line:
                break
        yield process, addresses, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()
