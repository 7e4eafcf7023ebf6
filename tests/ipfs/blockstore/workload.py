"""Work on a repository that says what it does, line by line, and the judge of what must be there after a crash.

As a program (`python -m tests.ipfs.blockstore.workload FOLDER SEED WORK [SYNC]`) it works on an empty or used folder
and prints an event before and after each operation. `WORK` is `tour`, `alone` or `beside collections`; the latter two
end when they are killed. `SYNC` is a sync to leave out, by its name in `disk.Sync`, or `SQLITE`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import secrets
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.ipfs.blockstore.crash import abandon
from zwerm.core.errors import StorageError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore import LocalSource, PackBlockstore
from zwerm.ipfs.blockstore.disk import Disk, Sync
from zwerm.ipfs.blockstore.repair import save_database
from zwerm.ipfs.database import Database
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.pins import Collector, Pins
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

PACK_SIZE = 30_000
BLOCKS = 60
ENDLESS = 1_000_000


def leaf(number: int) -> Block:
    return Block.create(random.Random(number).randbytes(number * 577 % 2_500))


def tree(number: int) -> tuple[Block, list[Block]]:
    """A root and the leaves that it links to."""
    leaves = [leaf(other) for other in random.Random(number).sample(range(BLOCKS), 8)]
    links = tuple(PBLink(block.cid, f"{position}", len(block.data)) for position, block in enumerate(leaves))
    return Block.create(PBNode(links, b"%d" % number).serialize(), multicodec.DAG_PB), leaves


class Unreliable(Disk):
    """A disk that leaves out one kind of sync, and fails when told so."""

    def __init__(self, left_out: str | None = None, say: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self.left_out = left_out
        self.say = say
        self.fills_up = False  # whether it is full two writes after copies were synced
        self.writes_left: int | None = None  # until it is full; None: no end
        self.is_stuck = False  # whether files can be shortened no more

    def write(self, descriptor: int, buffers: Any, offset: int) -> int:
        if self.writes_left is not None:
            if not self.writes_left:
                raise OSError(28, "No space left on device")
            self.writes_left -= 1
        return super().write(descriptor, buffers, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        if self.is_stuck:
            raise OSError(5, "Input/output error")
        super().truncate(descriptor, size)

    def unlink(self, path: str) -> None:
        self.say({"unlinking": path})  # a good place for a cut
        super().unlink(path)

    def sync(self, descriptor: int, reason: Sync) -> None:
        if reason is Sync.COPIES and self.fills_up:
            self.writes_left = 2
        if reason.name != self.left_out:
            super().sync(descriptor, reason)

    def sync_ahead(self, descriptor: int) -> None:
        """Left out always: it must not stand in for another."""

    def sync_directory(self, path: str, reason: Sync) -> None:
        if reason.name != self.left_out:
            super().sync_directory(path, reason)


class Workload:
    """Operations on the repository in a folder, in an order that a seed decides."""

    def __init__(
        self, folder: Path, seed: int, say: Callable[[dict[str, Any]], None], left_out: str | None = None
    ) -> None:
        self.folder = folder
        self.say = say
        self.chance = random.Random(seed)
        self.left_out = left_out
        self.disk = Unreliable(left_out, say)
        self.open()

    def open(self) -> None:
        self.database = Database(self.folder / "index.sqlite")
        if self.left_out == "SQLITE":
            self.database._writer.execute("PRAGMA synchronous = OFF")
        self.store = PackBlockstore(self.folder / "blocks", self.database, pack_size=PACK_SIZE, disk=self.disk)
        self.pins = Pins(self.database, self.store)
        self.collector = Collector(self.store, self.pins, list)

    def close(self) -> None:
        self.store.close()
        self.database.close()

    async def run(self, steps: int) -> None:
        operations = [self.put, self.put, self.put, self.pin, self.unpin, self.delete, self.collect, self.compact]
        for _ in range(steps):
            await self.chance.choice(operations)()

    def some(self) -> list[Block]:
        return [leaf(number) for number in self.chance.sample(range(BLOCKS), self.chance.randint(1, 15))]

    async def run_beside_collections(self, steps: int) -> None:
        """The same, with one collection after the other going on meanwhile."""
        ended = asyncio.Event()

        def roots() -> list[CID]:
            self.say({"collecting": []})  # the threshold is fixed, nothing is deleted yet
            return []

        async def collect() -> None:
            while not ended.is_set():
                await Collector(self.store, self.pins, roots).collect()

        collecting = asyncio.create_task(collect())
        for _ in range(steps):
            await self.chance.choice([self.put, self.put, self.put, self.pin, self.unpin, self.delete])()
        ended.set()
        await collecting

    async def put(self, numbers: Iterable[int] | None = None) -> None:
        blocks = self.some() if numbers is None else [leaf(number) for number in numbers]
        self.say({"putting": _names(blocks)})
        with self.store.hold():
            await asyncio.to_thread(self.lend if len(blocks) % 2 else self.store.put, blocks)
            await asyncio.to_thread(self.store.sync)
            self.say({"put": _names(blocks)})

    def lend(self, blocks: list[Block]) -> None:
        """Put them out of memory that is used for something else as soon as it comes back."""
        room = bytearray(b"".join(block.data for block in blocks))
        ends = list(itertools.accumulate(len(block.data) for block in blocks))
        with memoryview(room) as lent:
            chunks = [lent[start:end] for start, end in itertools.pairwise([0, *ends])]
            self.store.put_chunks(chunks, CID.of)
        room[:] = bytes(len(room))

    async def put_without_sync(self, numbers: Iterable[int] | None) -> list[Block]:
        blocks = self.some() if numbers is None else [leaf(number) for number in numbers]
        self.say({"putting": _names(blocks)})
        self.store.put(blocks)
        for block in blocks:
            self.store.locate(block.cid)  # which takes it out of the buffer into the file
        return blocks

    async def delete(self, numbers: Iterable[int] | None = None) -> None:
        some = self.some() if numbers is None else [leaf(number) for number in numbers]
        pinned = {_name(pin.cid.multihash) async for pin in self.pins.list()}
        blocks = [block for block in some if _name(block.cid.multihash) not in pinned]
        self.say({"deleting": _names(blocks)})
        await asyncio.to_thread(self.store.delete, [block.cid for block in blocks])
        self.say({"deleted": _names(blocks)})

    async def pin(self) -> None:
        root, leaves = tree(self.chance.randrange(12))
        self.say({"putting": _names([root, *leaves])})
        with self.store.hold():
            self.store.put([*leaves, root])
            await self.pins.add(LocalSource(self.store), root.cid, name="kept")
            self.say({"put": _names([root, *leaves])})
            self.say({"pinned": str(root.cid), "blocks": _names([root, *leaves])})

    async def unpin(self) -> None:
        root, _ = tree(self.chance.randrange(12))
        if await self.pins.check(root.cid):
            self.say({"unpinning": str(root.cid)})
            await self.pins.remove(root.cid)
            self.say({"unpinned": str(root.cid)})

    async def collect(self) -> None:
        self.say({"collecting": []})
        removed: list[str] = []
        await self.collector.collect(lambda progress: removed.extend(map(_name, progress.keys)))
        self.say({"deleted": removed})

    async def compact(self) -> None:
        self.store.compact()

    async def compact_on_a_full_disk(self) -> None:
        """End a compaction between two of its transactions, with copies behind the committed end of their pack."""
        self.disk.fills_up = True
        with contextlib.suppress(StorageError):
            self.store.compact()
        self.disk.fills_up = False
        self.disk.writes_left = None

    async def crash_in_compaction(self) -> None:
        """End a compaction there as well, without the tidying up behind it."""
        self.disk.is_stuck = True
        await self.compact_on_a_full_disk()
        self.disk.is_stuck = False
        await self.crash()

    async def lose_the_index(self) -> None:
        """Damage the database and save what can be saved of it."""
        self.close()
        self.say({"forgotten": []})
        database = self.folder / "index.sqlite"
        descriptor = os.open(database, os.O_RDWR)
        os.pwrite(descriptor, bytes(100), 0)
        os.fsync(descriptor)
        os.close(descriptor)
        save_database(database, self.disk)
        self.say({"saved": []})
        self.open()

    async def crash(self) -> None:
        abandon(self.store)
        self.database.close()
        self.open()


async def tour(work: Workload) -> None:
    """Everything that a sync protects, at least once."""
    for part in range(3):
        await work.put()
        await work.pin()
        blocks = await work.put_without_sync(range(BLOCKS) if part == 1 else None)  # which takes more than one pack
        await work.crash()
        work.store.put(blocks)  # found again: the store must not rest on what it has only found
        work.store.sync()
        work.say({"put": _names(blocks)})
        for _ in range(4):
            await work.put()
        await work.delete()
        if part:
            await work.put(range(BLOCKS))
            await work.delete(range(0, BLOCKS, 3))
            await (work.compact_on_a_full_disk if part == 1 else work.crash_in_compaction)()
            await work.delete(range(BLOCKS))
        await work.delete()
        await work.put()
        await work.compact()
        await work.put()
        await work.collect()
        await work.crash()
        await work.unpin()
    await work.run(12)
    await work.lose_the_index()
    await work.put()


class Expectation:
    """What must and must not be in a repository, after the events so far."""

    def __init__(self) -> None:
        self.here: set[str] = set()
        self.gone: set[str] = set()
        self.pins: dict[str, list[str]] = {}
        self.index_is_whole = True

    def see(self, event: dict[str, Any]) -> None:
        match event:
            case {"putting": names}:
                self.gone.difference_update(names)
            case {"put": names}:
                self.here.update(names)
            case {"deleting": names}:
                self.here.difference_update(names)
            case {"deleted": names}:
                self.here.difference_update(names)
                self.gone.update(names)
            case {"pinned": root, "blocks": names}:
                self.pins[root] = names
            case {"unpinning": root}:
                self.pins.pop(root, None)
            case {"collecting": _}:
                self.here.intersection_update({name for names in self.pins.values() for name in names})
            case {"forgotten": _}:
                self.pins.clear()
                self.here.clear()
                self.gone.clear()
                self.index_is_whole = False
            case {"saved": _}:
                self.index_is_whole = True
            case {"unpinned": _} | {"unlinking": _}:
                pass
            case _:
                raise AssertionError(event)

    def problems(self, folder: Path) -> list[str]:
        """Open the repository and compare. Leaves it opened once and closed."""
        if not self.index_is_whole:
            return []
        try:
            with contextlib.closing(Database(folder / "index.sqlite")) as database:
                store = PackBlockstore(folder / "blocks", database, pack_size=PACK_SIZE)
                with contextlib.closing(store):
                    return self._compare(store, Pins(database, store))
        except StorageError as error:
            return [str(error)]

    def _compare(self, store: PackBlockstore, pins: Pins) -> list[str]:
        found = []
        for name in sorted(self.here):
            try:
                store.get(CID.from_text(name), verify=True)
            except (BlockNotFound, StorageError) as error:
                found.append(f"acknowledged: {error}")
        found += [f"deleted, and here again: {name}" for name in sorted(self.gone) if store.has(CID.from_text(name))]
        found += [f"unpinned: {root}" for root in self.pins if pins.find(CID.from_text(root)) is None]
        if store.recovered.short or store.recovered.missing:
            found.append(f"packs have lost acknowledged bytes: {store.recovered}")
        verification = store.verification()
        while verification.step():
            pass
        verification.close()
        found += [f"corrupt: {key.hex()}" for key in verification.corrupt + verification.unlabelled]
        found += verification.index_damage
        store.put([leaf(secrets.randbelow(1 << 32) + BLOCKS)])  # it still takes blocks
        store.sync()
        return found


def _names(blocks: list[Block]) -> list[str]:
    return [_name(block.cid.multihash) for block in blocks]


def _name(key: bytes) -> str:
    return str(CID(1, multicodec.RAW, key))


def main(folder: str, seed: str, kind: str, left_out: str | None = None) -> None:
    def say(event: dict[str, Any]) -> None:
        os.write(1, json.dumps(event).encode() + b"\n")

    work = Workload(Path(folder), int(seed), say, left_out)
    kinds = {"tour": tour, "alone": lambda work: work.run(ENDLESS)}
    kinds["beside collections"] = lambda work: work.run_beside_collections(ENDLESS)
    asyncio.run(kinds[kind](work))
    work.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
