"""Files from one node to another over TCP on the loopback, two processes: what one has, the other takes.

Ours with ours against Kubo with Kubo and libtorrent with libtorrent; ours with Kubo and with Helia in both roles,
against the slower of the two with its own kind. And how long a small block takes from a peer that is connected.

Each taker finds room on the disk and in memory that has just been freed: what a virtual machine never touched before
costs 0.3 s of processor for 256 MiB, whoever writes it, and that is the machine's.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.exchangers import Kind, helia, kubo, torrent, zwerm
from benchmarks.harness import Row, alternate
from benchmarks.processes import provision, random_file

_SIZE: Final = 256 * 1024 * 1024
_HELIA_SIZE: Final = _SIZE // 4  # it takes ten times as long
_SMALL: Final = 1024  # bytes
_SMALLS: Final = 100
_MET: Final = 1.0  # seconds until both have said who they are
_SLOWER: Final = "the slower, own kind"


def transfer(here: Path, size: int, giver: Kind, taker: Kind) -> Callable[[], float]:
    """Return what times one transfer between new nodes: MB/s."""

    def run() -> float:
        with tempfile.TemporaryDirectory(dir=here) as folder, ExitStack() as stack:
            place = Path(folder)
            one = stack.enter_context(giver(place / "giver"))
            other = stack.enter_context(taker(place / "taker"))
            name = one.add(random_file(place / "file", size))
            other.connect(one.address())
            time.sleep(_MET)
            provision(place, place / "file")
            return size / 1e6 / other.take(name)

    return run


def small_blocks(here: Path, count: int) -> float:
    """Return the milliseconds that one of `count` small blocks takes, the median."""
    with tempfile.TemporaryDirectory(dir=here) as folder, ExitStack() as stack:
        one = stack.enter_context(zwerm(Path(folder) / "giver"))
        other = stack.enter_context(zwerm(Path(folder) / "taker"))
        names = [one.add_bytes(os.urandom(_SMALL)) for _ in range(count)]
        other.connect(one.address())
        time.sleep(_MET)
        return statistics.median(other.block_times(names)) * 1e3


def larger(here: Path, *, quick: bool) -> list[Row]:
    """Ours beside Kubo and libtorrent, and with Kubo."""
    size, rounds = (_SIZE // 8, 1) if quick else (_SIZE, 3)
    ours, figures = alternate(
        transfer(here, size, zwerm, zwerm),
        {
            "Kubo to Kubo": transfer(here, size, kubo, kubo),
            "libtorrent": transfer(here, size, torrent, torrent),
            "zwerm to Kubo": transfer(here, size, zwerm, kubo),
            "Kubo to zwerm": transfer(here, size, kubo, zwerm),
        },
        rounds=rounds,
    )
    slower = min(ours, figures["Kubo to Kubo"])
    what = f"bitswap {size >> 20} MiB, TCP"
    return [
        Row(f"{what}, zwerm to zwerm", "MB/s", ours, "Kubo to Kubo", figures["Kubo to Kubo"], 4.0),
        Row(f"{what}, zwerm to zwerm", "MB/s", ours, "libtorrent", figures["libtorrent"], 2.0),
        Row(f"{what}, zwerm to Kubo", "MB/s", figures["zwerm to Kubo"], _SLOWER, slower, 1.0),
        Row(f"{what}, Kubo to zwerm", "MB/s", figures["Kubo to zwerm"], _SLOWER, slower, 1.0),
    ]


def smaller(here: Path, *, quick: bool) -> list[Row]:
    """Ours beside Helia, and with it."""
    size, rounds = (_HELIA_SIZE // 8, 1) if quick else (_HELIA_SIZE, 3)
    ours, figures = alternate(
        transfer(here, size, zwerm, zwerm),
        {
            "Helia to Helia": transfer(here, size, helia, helia),
            "zwerm to Helia": transfer(here, size, zwerm, helia),
            "Helia to zwerm": transfer(here, size, helia, zwerm),
        },
        rounds=rounds,
    )
    slower = min(ours, figures["Helia to Helia"])
    what = f"bitswap {size >> 20} MiB, TCP"
    return [
        Row(f"{what}, zwerm to Helia", "MB/s", figures["zwerm to Helia"], _SLOWER, slower, 1.0),
        Row(f"{what}, Helia to zwerm", "MB/s", figures["Helia to zwerm"], _SLOWER, slower, 1.0),
    ]


def small(here: Path, *, quick: bool) -> list[Row]:
    """How long a small block takes."""
    delay = small_blocks(here, 10 if quick else _SMALLS)
    return [Row("1 KiB from a connected peer", "ms", delay, "the bar", 3.0, 1.0, higher_is_better=False)]


PARTS: Final = {"kubo": larger, "helia": smaller, "small": small}


def measure(*, quick: bool) -> list[Row]:
    """Measure all parts, or those that `BITSWAP` in the environment names: `BITSWAP=kubo make bench ARGS=bitswap`."""
    names = os.environ.get("BITSWAP", " ".join(PARTS)).split()
    with tempfile.TemporaryDirectory() as folder:
        return [row for name in names for row in PARTS[name](Path(folder), quick=quick)]
