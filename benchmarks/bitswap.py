"""Files from one node to another over TCP on the loopback, two processes: what one has, the other takes.

Ours with ours against Kubo with Kubo and libtorrent with libtorrent; ours with Kubo and with Helia in both roles,
against the slower of the two with its own kind. And how long a small block takes from a peer that is connected.
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
from benchmarks.processes import random_file

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


def measure(*, quick: bool) -> list[Row]:
    """Measure."""
    size, small, rounds = (_SIZE // 8, _HELIA_SIZE // 8, 1) if quick else (_SIZE, _HELIA_SIZE, 3)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        ours, large = alternate(
            transfer(here, size, zwerm, zwerm),
            {
                "Kubo to Kubo": transfer(here, size, kubo, kubo),
                "libtorrent": transfer(here, size, torrent, torrent),
                "zwerm to Kubo": transfer(here, size, zwerm, kubo),
                "Kubo to zwerm": transfer(here, size, kubo, zwerm),
            },
            rounds=rounds,
        )
        ours_smaller, smaller = alternate(
            transfer(here, small, zwerm, zwerm),
            {
                "Helia to Helia": transfer(here, small, helia, helia),
                "zwerm to Helia": transfer(here, small, zwerm, helia),
                "Helia to zwerm": transfer(here, small, helia, zwerm),
            },
            rounds=rounds,
        )
        delay = small_blocks(here, 10 if quick else _SMALLS)
    slower = min(ours, large["Kubo to Kubo"])
    slower_small = min(ours_smaller, smaller["Helia to Helia"])
    what, what_small = f"bitswap {size >> 20} MiB, TCP", f"bitswap {small >> 20} MiB, TCP"
    return [
        Row(f"{what}, zwerm to zwerm", "MB/s", ours, "Kubo to Kubo", large["Kubo to Kubo"], 4.0),
        Row(f"{what}, zwerm to zwerm", "MB/s", ours, "libtorrent", large["libtorrent"], 2.0),
        Row(f"{what}, zwerm to Kubo", "MB/s", large["zwerm to Kubo"], _SLOWER, slower, 1.0),
        Row(f"{what}, Kubo to zwerm", "MB/s", large["Kubo to zwerm"], _SLOWER, slower, 1.0),
        Row(f"{what_small}, zwerm to Helia", "MB/s", smaller["zwerm to Helia"], _SLOWER, slower_small, 1.0),
        Row(f"{what_small}, Helia to zwerm", "MB/s", smaller["Helia to zwerm"], _SLOWER, slower_small, 1.0),
        Row("1 KiB from a connected peer", "ms", delay, "the bar", 3.0, 1.0, higher_is_better=False),
    ]
