"""The collector and the file system side by side: nothing that a file, a version or a reader needs is ever removed."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.ipfs.mfs.room import Room, disk_room
from zwerm.core.errors import ZwermError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.mfs.journal import Change
from zwerm.ipfs.pins.collector import Collector
from zwerm.ipfs.pins.pins import Pins
from zwerm.ipfs.versions.policy import Policy
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


def collector_of(room: Room) -> Collector:
    def roots() -> list[CID]:
        alone = [CID(1, multicodec.RAW, cid.multihash) for cid in room.history.commits()]
        return [*room.files.roots(), *room.history.roots(), *alone]

    return Collector(room.store, Pins(room.database, room.store), roots)


async def test_files_that_are_there_stay_and_removed_ones_go_with_their_last_version(tmp_path) -> None:
    async with disk_room(tmp_path) as room:
        collector = collector_of(room)
        await room.files.write("/a", b"stays", create=True)
        await room.files.write("/b", b"goes", create=True)
        await room.files.rm("/b")
        loose = room.add(b"loose")
        room.store.sync()
        await collector.collect()
        assert room.store.has(CID.of(b"goes"))
        assert not room.store.has(loose)
        await room.files.mkdir("/c")
        room.history.policy = Policy(last=1)
        await room.history.thin()
        await collector.collect()
        assert not room.store.has(CID.of(b"goes"))
        assert await room.snapshot() == {"/a": b"stays", "/c": None}
        await collector.close()


async def test_an_incomplete_directory_survives_and_keeps_what_comes_later(tmp_path) -> None:
    # Kubo, test/sharness/t0252-files-gc.sh.
    async with disk_room(tmp_path, record=False) as room:
        collector = collector_of(room)
        await room.files.write("/adir/file1", b"file1\n", create=True, parents=True)
        folder = await room.cid("/adir")
        block = room.store.get(folder)
        await room.files.rm("/adir", recursive=True)
        await collector.collect()
        assert not room.store.has(folder)
        room.store.put([block_of(folder, block)])
        await room.files.cp(f"/ipfs/{folder}", "/adir")
        await collector.collect()
        assert room.store.has(folder)
        with pytest.raises(BlockNotFound):
            await room.read("/adir/file1")
        room.add(b"file1\n")
        await collector.collect()
        assert await room.read("/adir/file1") == b"file1\n"
        await collector.close()


def block_of(cid: CID, data: bytes):  # type: ignore[no-untyped-def]
    from zwerm.ipfs.block import Block

    return Block.check(cid, data)


async def test_unflushed_changes_and_open_batches_outlive_a_collection(tmp_path) -> None:
    async with disk_room(tmp_path) as room:
        collector = collector_of(room)
        await room.files.write("/waits", random.Random(1).randbytes(700_000), create=True, flush=False)
        await collector.collect()
        async with room.files.batch():
            await room.files.write("/inside", random.Random(2).randbytes(700_000), create=True)
            await collector.collect()
        await room.files.flush()
        await collector.collect()
        assert len(await room.read("/waits")) == len(await room.read("/inside")) == 700_000
        await collector.close()


class Hands:
    """Changes files at random, and remembers which versions that made."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.made: list[Change] = []
        self._rng = random.Random(5)

    async def change(self) -> None:
        rng, files = self._rng, self.room.files
        path = f"/d{rng.randrange(2)}/f{rng.randrange(4)}"
        data = rng.randbytes(rng.choice([10, 5_000, 600_000]))
        match rng.randrange(9):
            case 0 | 1:
                self.made.append(await files.write(path, data, create=True, parents=True, truncate=True))
            case 2:
                self.made.append(await files.rm(path, force=True))
            case 3:
                self.made.append(await files.mv(path, "/moved"))
            case 4 | 5:
                await files.write(path, data, create=True, parents=True, truncate=True, flush=False)
            case 6:
                await files.write(path, data, create=True, parents=True, offset=400_000, flush=False)
            case 7:
                async with files.batch() as batch:
                    for number in range(3):
                        await files.write(f"/b{number}/{path}", data, create=True, parents=True, offset=number)
                self.made.append(batch.change)
            case _:
                self.made.append(await self.room.history.restore(path, f"~{rng.randrange(1, 4)}"))

    async def work(self, times: int) -> None:
        for _ in range(times):
            try:
                await self.change()
            except ZwermError:
                continue


@pytest.mark.slow
async def test_collecting_all_the_time_removes_nothing_that_is_needed(tmp_path) -> None:
    async with disk_room(tmp_path) as room:
        collector, hands, done = collector_of(room), Hands(room), asyncio.Event()

        async def collect() -> None:
            while not done.is_set():
                await collector.collect()

        async def look() -> None:
            while not done.is_set():
                await room.files.root()
                await asyncio.to_thread(room.store.sync)  # only what is durable can be removed

        async def work() -> None:
            await hands.work(300)
            done.set()

        async with asyncio.TaskGroup() as group:
            for task in (collect(), look(), work()):
                group.create_task(task)
        await collector.collect()
        before = await room.snapshot()
        await room.files.flush()
        await collector.collect()
        assert await room.snapshot() == before
        versions = [change.version for change in hands.made if change.version is not None]
        assert len(versions) > 90
        # The newest commit leads to every version and all content; each block must be here, and right.
        assert room.history.head is not None
        blocks = [cid async for cid, _ in walk(room.source, [room.history.head])]
        for cid in blocks:
            room.store.get(cid, verify=True)
        assert set(versions) <= set(blocks)
        await collector.close()
