"""Adding files, durably, beside `dd conv=fsync` and Kubo 0.22; adding a directory of a million entries."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row, alternate
from benchmarks.processes import Kubo, peak_memory, random_file, seconds, zwerm

MIB = 1 << 20


def measure(*, quick: bool) -> list[Row]:
    """One large file, many small ones, one very wide directory."""
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        return [
            *large_file(here, 64 * MIB if quick else 1024 * MIB, rounds=1 if quick else 3),
            *small_files(here, 1_000 if quick else 10_000, rounds=1 if quick else 3),
            *wide_directory(here, 10_000 if quick else 1_000_000),
        ]


def _settle() -> None:
    """Let the disk finish what the side before left, so that nobody pays for another."""
    os.sync()
    time.sleep(1)


def large_file(here: Path, size: int, *, rounds: int) -> list[Row]:
    """Megabytes a second of random bytes, from the command to a durable CID."""
    source = random_file(here / "large", size)
    kubo = Kubo(here / "kubo")
    peak = 0

    def ours() -> float:
        nonlocal peak
        repository = here / "ours"
        _settle()
        began = time.perf_counter()
        peak = max(peak, peak_memory(zwerm(repository, "add", "-Q", str(source)), stdout=subprocess.DEVNULL))
        took = time.perf_counter() - began
        shutil.rmtree(repository)
        return size / took / 1e6

    def dd() -> float:
        _settle()
        copy = here / "copy"
        took = seconds(["dd", f"if={source}", f"of={copy}", "bs=1M", "conv=fsync"], stderr=subprocess.DEVNULL)
        copy.unlink()
        return size / took / 1e6

    def theirs() -> float:
        # Fresh bytes each time: Kubo keeps what it has, and would skip it.
        again = random_file(here / "again", size)
        _settle()
        began = time.perf_counter()
        kubo.call("add", str(again))
        took = time.perf_counter() - began
        again.unlink()
        return size / took / 1e6

    try:
        us, them = alternate(ours, {"dd": dd, "Kubo": theirs}, rounds=rounds)
    finally:
        kubo.close()
    name = f"add {size // MIB} MiB, durable"
    return [
        Row(name, "MB/s", us, "dd conv=fsync", them["dd"], 0.9),
        Row(name, "MB/s", us, "Kubo 0.22", them["Kubo"], 3),
        Row("  peak memory", "MB", peak / 1e6, "the bar", 250, 1, higher_is_better=False),
    ]


def small_files(here: Path, count: int, *, rounds: int) -> list[Row]:
    """Files of 4 KiB a second, one folder, from the command to a durable CID."""

    def folder(name: str) -> Path:
        path = here / name
        path.mkdir()
        for number in range(count):
            (path / f"{number:06}").write_bytes(os.urandom(4096))
        return path

    source = folder("small")
    kubo = Kubo(here / "kubo-small")

    def ours() -> float:
        repository = here / "ours"
        _settle()
        took = seconds(zwerm(repository, "add", "-Q", "-r", str(source)), stdout=subprocess.DEVNULL)
        shutil.rmtree(repository)
        return count / took

    def theirs() -> float:
        again = folder("again")
        _settle()
        began = time.perf_counter()
        kubo.call("add", str(again))
        took = time.perf_counter() - began
        shutil.rmtree(again)
        return count / took

    try:
        us, them = alternate(ours, {"Kubo": theirs}, rounds=rounds)
    finally:
        kubo.close()
        shutil.rmtree(source)
    return [Row(f"add {count:,} files of 4 KiB, durable", "/s", us, "Kubo 0.22, its default", them["Kubo"], 4)]


def wide_directory(here: Path, count: int) -> list[Row]:
    """The most memory that adding one directory of very many entries takes."""
    source = here / "wide"
    source.mkdir()
    for number in range(count):
        (source / f"entry-{number:07}.txt").write_bytes(b"%d" % number)
    repository = here / "wide-repository"
    peak = peak_memory(zwerm(repository, "add", "-Q", "-r", str(source)), stdout=subprocess.DEVNULL)
    shutil.rmtree(source)
    shutil.rmtree(repository)
    return [Row(f"add a directory of {count:,}: peak", "MB", peak / 1e6, "the bar", 300, 1, higher_is_better=False)]
