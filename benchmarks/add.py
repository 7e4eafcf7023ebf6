"""Adding files, durably, beside `dd conv=fsync` and Kubo 0.22; adding a directory of a million entries."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from functools import partial
from pathlib import Path

from benchmarks.harness import Row, alternate
from benchmarks.processes import Kubo, daemon, dd, peak_memory, provision, random_file, seconds, zwerm

MIB = 1 << 20
EMPTY = "bafyaabakaieac"  # the empty directory, inside its own CID


def measure(*, quick: bool) -> list[Row]:
    """One large file, many small ones, one very wide directory."""
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        return [
            *large_file(here, 64 * MIB if quick else 1024 * MIB, rounds=1 if quick else 3),
            *small_files(here, 1_000 if quick else 10_000, rounds=1 if quick else 3),
            *wide_directory(here, 10_000 if quick else 1_000_000),
        ]


def new_repository(here: Path) -> Path:
    """Make an empty repository: those of Kubo exist too, and its node runs, before the clock starts."""
    repository = here / "ours"
    subprocess.run(zwerm(repository, "pin", "ls"), check=True, stdout=subprocess.DEVNULL)
    return repository


def large_file(here: Path, size: int, *, rounds: int) -> list[Row]:
    """Megabytes a second of random bytes, from the command to a durable CID; the start of the process counts."""
    source = random_file(here / "large", size)
    kubo = Kubo(here / "kubo")
    peak = 0

    def ours() -> float:
        nonlocal peak
        repository = new_repository(here)
        provision(here, source)
        began = time.perf_counter()
        peak = max(peak, peak_memory(zwerm(repository, "add", "-Q", str(source)), stdout=subprocess.DEVNULL))
        took = time.perf_counter() - began
        shutil.rmtree(repository)
        return size / took / 1e6

    def copied() -> float:
        copy = here / "copy"
        provision(here, source)
        took = dd(source, copy)
        copy.unlink()
        return size / took / 1e6

    def theirs() -> float:
        # Fresh bytes each time: Kubo keeps what it has, and would skip it.
        again = random_file(here / "again", size)
        provision(here, source)
        began = time.perf_counter()
        kubo.call("add", str(again))
        took = time.perf_counter() - began
        again.unlink()
        return size / took / 1e6

    try:
        us, them = alternate(ours, {"dd": copied, "Kubo": theirs}, rounds=rounds)
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
    room = random_file(here / "room", count * 8192)
    kubos = {f"sync {word}": Kubo(here / f"kubo-{word}", sync=word == "on") for word in ("on", "off")}

    def ours() -> float:
        repository = new_repository(here)
        provision(here, room)
        took = seconds(zwerm(repository, "add", "-Q", "-r", str(source)), stdout=subprocess.DEVNULL)
        shutil.rmtree(repository)
        return count / took

    def theirs(kubo: Kubo) -> float:
        again = folder("again")
        provision(here, room)
        began = time.perf_counter()
        kubo.call("add", str(again))
        took = time.perf_counter() - began
        shutil.rmtree(again)
        return count / took

    try:
        peers = {name: partial(theirs, kubo) for name, kubo in kubos.items()}
        us, them = alternate(ours, peers, rounds=rounds)
    finally:
        for kubo in kubos.values():
            kubo.close()
        shutil.rmtree(source)
    what = f"add {count:,} files of 4 KiB, durable"
    return [Row(what, "/s", us, f"Kubo 0.22, {name}", figure, 4) for name, figure in them.items()]


def wide_directory(here: Path, count: int) -> list[Row]:
    """The most memory that adding one directory of very many entries takes, and how fast it is looked into."""
    source = here / "wide"
    source.mkdir()
    for number in range(count):
        (source / f"entry-{number:07}.txt").write_bytes(b"%d" % number)
    repository = here / "wide-repository"
    with (here / "wide.cid").open("w+") as said:
        peak = peak_memory(zwerm(repository, "add", "-Q", "-r", str(source)), stdout=said)
        said.seek(0)
        cid = said.read().strip()
    shutil.rmtree(source)
    looks = [look_into(repository, cid, f"entry-{count // 2:07}.txt") for _ in range(3)]
    page, name = (statistics.median(times) for times in zip(*looks, strict=True))
    shutil.rmtree(repository)
    what = f"a directory of {count:,}"
    return [
        Row(f"{what}: peak of adding", "MB", peak / 1e6, "the bar", 300, 1, higher_is_better=False),
        Row(f"{what}: first page in the gateway", "ms", page * 1000, "the bar", 20, 1, higher_is_better=False),
        Row(f"{what}: one name in the gateway", "ms", name * 1000, "the bar", 20, 1, higher_is_better=False),
    ]


def look_into(repository: Path, directory: str, name: str) -> tuple[float, float]:
    """Seconds until a daemon that was just started gives the first page of a directory, and one of its files."""
    with daemon(repository) as (_, addresses, _):

        def fetch(path: str) -> float:
            began = time.perf_counter()
            with urllib.request.urlopen(f"{addresses['gateway']}/ipfs/{path}") as answer:
                answer.read()
            return time.perf_counter() - began

        fetch(f"{EMPTY}/")  # so that the code that draws pages is loaded
        return fetch(f"{directory}/"), fetch(f"{directory}/{name}")
