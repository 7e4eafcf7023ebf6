"""Compaction gives space back, keeps small packs from gathering, and leaves a damaged pack to repair."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.check_blockstore import block
from tests.ipfs.blockstore.conftest import OpenStore
from tests.ipfs.blockstore.crash import abandon
from zwerm.core.errors import DiskFull, StorageError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.pack import HEADER


def packs(folder: Path) -> list[Path]:
    return sorted((folder / "blocks").iterdir())


def blocks(start: int, end: int) -> list[Block]:
    return [block(number, 1_000) for number in range(start, end)]


def drop(store: PackBlockstore, gone: list[Block]) -> None:
    assert store.delete(item.cid for item in gone) == len(gone)


def damage_block_7(folder: Path, *, before: int = 0) -> Path:
    """Change its first byte, or one so far before it, in the only pack; return the pack."""
    (path,) = packs(folder)
    data = bytearray(path.read_bytes())
    data[data.index(block(7, 1_000).data) - before] ^= 1
    path.write_bytes(data)
    return path


def test_nothing_deleted_nothing_moved(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=5_000)
    store.put(blocks(0, 20))
    store.sync()
    before = [path.read_bytes() for path in packs(tmp_path)]
    assert store.compact() == 0
    assert [path.read_bytes() for path in packs(tmp_path)] == before


def test_an_empty_store_takes_no_space(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=5_000)
    store.put(blocks(0, 20))
    store.sync()
    drop(store, blocks(0, 20))
    assert store.compact() == 20 * 1_038 + 5 * len(HEADER)
    assert packs(tmp_path) == []
    store.put(blocks(0, 3))
    store.sync()
    assert store.get(block(2, 1_000).cid, verify=True)


def test_the_pack_being_written_is_compacted_too(store: PackBlockstore, tmp_path: Path) -> None:
    store.put(blocks(0, 100))
    store.sync()
    drop(store, blocks(0, 90))
    store.put(blocks(100, 101))  # not synced
    assert store.compact() == 90 * 1_038
    assert sum(path.stat().st_size for path in packs(tmp_path)) < 13_000
    assert all(store.get(cid, verify=True) == data for cid, data in blocks(90, 101))


def test_small_packs_do_not_gather(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=20_000)
    for start in range(0, 300, 15):
        store.put(blocks(start, start + 15))
        store.sync()
        drop(store, blocks(start, start + 10))
        store.compact()
    assert len(packs(tmp_path)) <= 8  # 100 blocks are left, 20 fill a pack
    for start in range(0, 300, 15):
        assert all(store.get(cid, verify=True) == data for cid, data in blocks(start + 10, start + 15))


def test_a_pack_with_a_damaged_block_is_left_as_it_is(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=10_000)
    store.put(blocks(0, 9))
    store.sync()
    drop(store, blocks(0, 6))
    path = damage_block_7(tmp_path)
    assert store.compact() == 0
    assert packs(tmp_path) == [path]
    assert store.get(block(6, 1_000).cid, verify=True)


def test_a_block_that_scanning_does_not_find_stays_where_it_is(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=10_000)
    store.put(blocks(0, 9))
    store.sync()
    drop(store, blocks(0, 6))
    path = damage_block_7(tmp_path, before=36)  # its CID, not its bytes
    store.compact()
    assert path in packs(tmp_path)
    assert all(store.get(cid, verify=True) == data for cid, data in blocks(6, 9))


class SmallDisk(Disk):
    """A disk of so many bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.size = 1_000_000

    def write(self, descriptor: int, buffers: Sequence[Any], offset: int) -> int:
        used = sum(path.stat().st_size for path in packs(self.folder))
        if used - os.fstat(descriptor).st_size + max(offset + sum(map(len, buffers)), 0) > self.size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(descriptor, buffers, offset)


def total(folder: Path) -> int:
    return sum(path.stat().st_size for path in packs(folder))


def test_without_any_room_it_ends_without_a_loss(open_store: OpenStore, tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path)
    store = open_store(disk=disk)
    store.put(blocks(0, 90))
    store.sync()
    drop(store, blocks(0, 90)[::2])  # the last one lives, so that nothing can be cut off before something has moved
    disk.size = before = total(tmp_path)
    with pytest.raises(DiskFull, match="cannot copy blocks: the disk is full; make room and try again"):
        store.compact()
    assert total(tmp_path) == before
    assert all(store.get(cid, verify=True) == data for cid, data in blocks(0, 90)[1::2])
    disk.size = 1_000_000
    assert store.compact() > 40_000
    assert all(store.get(cid, verify=True) == data for cid, data in blocks(0, 90)[1::2])


@pytest.mark.parametrize("pack_size", [20_000, 1_000_000])
def test_with_hardly_any_room_all_space_comes_back(open_store: OpenStore, tmp_path: Path, pack_size: int) -> None:
    disk = SmallDisk(tmp_path)
    store = open_store(pack_size=pack_size, disk=disk)
    store.put(blocks(0, 900))
    store.sync()
    drop(store, blocks(0, 900)[::2])
    disk.size = total(tmp_path) + 300_000 // 2
    left = blocks(0, 900)[1::2]
    assert store.compact() > 400_000
    assert total(tmp_path) < 500_000
    assert all(store.get(cid, verify=True) == data for cid, data in left)
    store = open_store(disk=disk)
    assert store.recovered[1:] == (0, 0, (), (), ())
    assert all(store.get(cid, verify=True) == data for cid, data in left)
    run = store.statistics()
    assert (run.blocks, run.dead < 30_000) == (450, True)


def test_a_crash_before_a_pack_is_cut_brings_no_deleted_block_back(open_store: OpenStore, tmp_path: Path) -> None:
    class Stuck(SmallDisk):
        cuts = 2

        def truncate(self, descriptor: int, size: int) -> None:
            self.cuts -= 1
            if self.cuts < 0:
                raise OSError(errno.EIO, "Input/output error")
            super().truncate(descriptor, size)

    disk = Stuck(tmp_path)
    store = open_store(disk=disk)
    store.put(blocks(0, 900))
    store.sync()
    drop(store, blocks(0, 900)[::2])
    disk.size = total(tmp_path) + 150_000
    with pytest.raises(StorageError, match="cannot copy blocks: the disk failed"):
        store.compact()
    abandon(store)
    store.database.close()
    store = open_store()
    assert store.recovered == (False, 0, 0, (), (), ())
    assert not any(store.has(item.cid) for item in blocks(0, 900)[::2])
    assert all(store.get(cid, verify=True) == data for cid, data in blocks(0, 900)[1::2])
    store.compact()
    assert total(tmp_path) < 500_000


def test_a_pack_that_is_read_from_is_not_made_shorter(open_store: OpenStore, tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path)
    store = open_store(disk=disk)
    store.put(blocks(0, 900))
    store.sync()
    drop(store, blocks(100, 850))
    disk.size = total(tmp_path) + 60_000
    with store.hold():
        where = store.locate(block(899, 1_000).cid)
        assert where is not None
        with pytest.raises(DiskFull):
            store.compact()
        assert os.pread(where.descriptor, where.size, where.offset) == block(899, 1_000).data
    assert store.compact() > 700_000
    assert all(store.get(cid, verify=True) == data for cid, data in [*blocks(0, 100), *blocks(850, 900)])


def test_closing_ends_it_early(open_store: OpenStore) -> None:
    entered, go_on = threading.Event(), threading.Event()

    class SlowDisk(Disk):
        def unlink(self, path: str) -> None:
            entered.set()
            assert go_on.wait(10)
            super().unlink(path)

    store = open_store(pack_size=5_000, disk=SlowDisk())
    store.put(blocks(0, 40))
    store.sync()
    drop(store, blocks(0, 40)[::2])
    compacting = threading.Thread(target=store.compact)
    compacting.start()
    assert entered.wait(10)
    closing = threading.Thread(target=store.close)
    closing.start()
    while not store._closed:
        pass
    go_on.set()
    compacting.join()
    closing.join()
    store = open_store(pack_size=5_000)
    assert all(store.get(cid, verify=True) == data for cid, data in blocks(0, 40)[1::2])
    assert store.compact() > 10_000


def test_blocks_deleted_and_read_meanwhile(open_store: OpenStore) -> None:
    """A deletion between the copying of a block and its new place, and readers all the time."""
    store = open_store(pack_size=20_000)
    errors: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            for cid, data in blocks(0, 100)[::3]:
                if store.get(cid, verify=True) != data:
                    errors.append(str(cid))

    store.put(blocks(0, 100))
    store.sync()
    reading = threading.Thread(target=read)
    reading.start()
    gone = [item for number, item in enumerate(blocks(0, 100)) if number % 3]
    for number, item in enumerate(gone):
        compacting = threading.Thread(target=store.compact)
        if number % 10 == 0:
            compacting.start()
        store.delete([item.cid])
        if number % 10 == 0:
            compacting.join()
    ended.set()
    reading.join()
    assert errors == []
    assert store.statistics().blocks == 34
    store.compact()
    assert store.statistics().dead < 20_000
