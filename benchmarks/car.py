"""CAR archives: written from a store, imported durably, read in memory, beside the disk and the hash."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Row, alternate
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.packstore import PackBlockstore
from zwerm.ipfs.car.importer import READ_SIZE, import_car
from zwerm.ipfs.car.reader import CarReader
from zwerm.ipfs.car.writer import write
from zwerm.ipfs.database import Database
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.unixfs import PROFILES, FileBuilder
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.multiformats.cid import CID

MIB = 1 << 20


def measure(*, quick: bool) -> list[Row]:
    """Megabytes of archive a second."""
    size = 64 * MIB if quick else 512 * MIB
    rounds = 1 if quick else 3
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        here = Path(folder)
        archive = here / "archive.car"
        with opened(here / "source") as store:
            root = filled(store, size)

            def export() -> float:
                began = time.perf_counter()
                asyncio.run(exported(store, root, archive))
                return rate(archive, began)

            out, _ = alternate(export, {}, rounds=rounds)

        def load() -> float:
            with opened(here / "target") as target:
                began = time.perf_counter()
                import_car(target, pieces(archive))
                figure = rate(archive, began)
            shutil.rmtree(here / "target")
            return figure

        def dd() -> float:
            copy = here / "copy"
            began = time.perf_counter()
            command = ["dd", f"if={archive}", f"of={copy}", "bs=1M", "conv=fsync"]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            figure = rate(archive, began)
            copy.unlink()
            return figure

        def read() -> float:
            reader = CarReader()
            began = time.perf_counter()
            for piece in held:
                reader.receive_data(piece)
            reader.receive_eof()
            return rate(archive, began)

        def sha256() -> float:
            began = time.perf_counter()
            for piece in held:
                hashlib.sha256(piece).digest()
            return rate(archive, began)

        into, disk = alternate(load, {"dd": dd}, rounds=rounds)
        held = list(pieces(archive))
        verified, floor = alternate(read, {"sha256": sha256}, rounds=rounds)
    return [
        Row(f"CAR export, {size // MIB} MiB to a file", "MB/s", out, "the bar", 500, 1),
        Row("CAR import, verified and durable", "MB/s", into, "dd conv=fsync", disk["dd"], 0.3),
        Row("CAR read in memory, verified", "MB/s", verified, "hashlib sha256", floor["sha256"], 0.7),
    ]


@contextmanager
def opened(path: Path) -> Iterator[PackBlockstore]:
    """Open a store in a new folder."""
    path.mkdir()
    database = Database(path / "index.sqlite")
    store = PackBlockstore(path / "blocks", database)
    try:
        yield store
    finally:
        store.close()
        database.close()


def filled(store: PackBlockstore, size: int) -> CID:
    """Put a file of random bytes into the store; return its root."""
    with Hashers() as hashers:
        builder = FileBuilder(store, PROFILES["default"], hashers=hashers)
        for _ in range(size // MIB):
            builder.write(os.urandom(MIB))
        root = builder.finish().cid
    store.sync()
    return root


async def exported(store: PackBlockstore, root: CID, path: Path) -> None:
    """Write everything below `root` to a file."""
    with path.open("wb") as file:
        async for part in write([root], walk(LocalSource(store), [root]), repeats=True):
            file.write(part)


def pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(READ_SIZE):
            yield piece


def rate(archive: Path, began: float) -> float:
    """Megabytes of the archive a second since `began`."""
    return archive.stat().st_size / (time.perf_counter() - began) / 1e6
