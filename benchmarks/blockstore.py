"""The pack store alone: blocks that are hashed already, put and synced, beside `dd conv=fsync` of the same bytes."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row, alternate, print_rows
from benchmarks.processes import dd, provision, random_file
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.database import Database

MIB = 1 << 20


def measure(*, quick: bool) -> list[Row]:
    """Large blocks against the disk, small ones against the clock."""
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        return [
            large_blocks(here, 64 * MIB if quick else 1024 * MIB, rounds=1 if quick else 3),
            *small_blocks(here, 1_000 if quick else 10_000, rounds=1 if quick else 3),
        ]


def large_blocks(here: Path, size: int, *, rounds: int) -> Row:
    """Megabytes a second of 256 KiB blocks until they are durable."""
    source = random_file(here / "large", size)
    blocks = blocks_of(source, 262_144)

    def theirs() -> float:
        provision(here, source)
        took = dd(source, here / "copy")
        (here / "copy").unlink()
        return size / took / 1e6

    def ours() -> float:
        provision(here, source)
        return size / put(here, blocks) / 1e6

    us, them = alternate(ours, {"dd conv=fsync": theirs}, rounds=rounds)
    return Row(f"put and sync {size // MIB} MiB of 256 KiB", "MB/s", us, "dd conv=fsync", them["dd conv=fsync"], 0.9)


def small_blocks(here: Path, count: int, *, rounds: int) -> list[Row]:
    """Microseconds a block of 4 KiB until they are durable, put together and one at a time."""
    blocks = blocks_of(random_file(here / "small", count * 4_096), 4_096)
    together, others = alternate(
        lambda: put(here, blocks) / count * 1e6,
        {"one at a time": lambda: put(here, blocks, one_at_a_time=True) / count * 1e6},
        rounds=rounds,
    )
    rows = {"together": together, "one at a time": others["one at a time"]}
    return [
        Row(f"put and sync {count:,} x 4 KiB, {how}", "us", figure, "the bar", 30, 1, higher_is_better=False)
        for how, figure in rows.items()
    ]


def blocks_of(path: Path, size: int) -> list[Block]:
    data = memoryview(path.read_bytes())
    return [Block.create(bytes(data[start : start + size])) for start in range(0, len(data), size)]


def put(here: Path, blocks: list[Block], *, one_at_a_time: bool = False) -> float:
    """Seconds to take blocks into a new store and make them durable."""
    with tempfile.TemporaryDirectory(dir=here) as folder:
        database = Database(Path(folder, "index.sqlite"))
        store = PackBlockstore(Path(folder, "blocks"), database)
        began = time.perf_counter()
        if one_at_a_time:
            for block in blocks:
                store.put([block])
        else:
            store.put(blocks)
        store.sync()
        took = time.perf_counter() - began
        store.close()
        database.close()
    return took


if __name__ == "__main__":
    sys.exit(0 if print_rows(measure(quick="--quick" in sys.argv)) else 1)
