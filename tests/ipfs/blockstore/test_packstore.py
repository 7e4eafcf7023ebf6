"""The pack store does what every blockstore does, keeps to its limit, and says what went wrong with the disk."""

from __future__ import annotations

import errno
import itertools
import os
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.check_blockstore import CHECKS, Check, block, name_of
from tests.ipfs.blockstore.conftest import OpenStore
from tests.ipfs.blockstore.crash import abandon
from zwerm.core.errors import DiskFull, LocalProtocolError, ResourceLimitError, StorageError
from zwerm.ipfs.block import Block, BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.blockstore.disk import Disk, Sync
from zwerm.ipfs.blockstore.pack import HEADER
from zwerm.multiformats.cid import CID


@pytest.mark.parametrize("pack_size", [None, 4_096], ids=["large packs", "small packs"])
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_conformance(check: Check, pack_size: int | None, open_store: OpenStore) -> None:
    check(open_store(pack_size=pack_size))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm"))


class FaultyDisk(Disk):
    """Fails where it is told to, and counts."""

    def __init__(self) -> None:
        self.room: int | None = None  # bytes that can still be written
        self.sync_error: int | None = None
        self.syncs: list[Sync] = []

    def write(self, descriptor: int, buffers: Sequence[Any], offset: int) -> int:
        data = b"".join(buffers)
        if self.room is not None:
            if not self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            data = data[: self.room]
            self.room -= len(data)
        return super().write(descriptor, [data], offset)

    def sync(self, descriptor: int, reason: Sync) -> None:
        self.syncs.append(reason)
        if self.sync_error is not None:
            raise OSError(self.sync_error, os.strerror(self.sync_error))
        super().sync(descriptor, reason)


def test_blocks_survive_closing(open_store: OpenStore) -> None:
    blocks = [block(number, 5_000) for number in range(100)]
    open_store(pack_size=50_000).put(blocks)
    store = open_store()
    assert all(store.get(cid, verify=True) == data for cid, data in blocks)
    assert store.recovered == (False, 0, 0, (), (), ())


def test_a_block_put_again_takes_no_space(store: PackBlockstore) -> None:
    store.put([block(1, 100_000), block(1, 100_000)])
    store.sync()
    used = store.used()
    store.put([block(1, 100_000)])
    store.sync()
    assert store.used() == used
    assert store.statistics().packs == len(HEADER) + 3 + 36 + 100_000


def test_sync_without_changes_touches_nothing(open_store: OpenStore) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    store.put([block(1)])
    store.sync()
    store.sync()
    store.put([block(1)])
    store.sync()
    assert disk.syncs == [Sync.PACK]


def test_syncs_at_the_same_time_share_one(open_store: OpenStore) -> None:
    entered, go_on = threading.Event(), threading.Event()

    class SlowDisk(FaultyDisk):
        def sync(self, descriptor: int, reason: Sync) -> None:
            entered.set()
            assert go_on.wait(10)
            super().sync(descriptor, reason)

    disk = SlowDisk()
    store = open_store(disk=disk)
    store.put([block(0)])
    threads = [threading.Thread(target=store.sync)]
    threads[0].start()
    assert entered.wait(10)
    for number in range(1, 6):  # all of these come while the first is under way
        store.put([block(number)])
        threads.append(threading.Thread(target=store.sync))
        threads[-1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(disk.syncs) == 2


def test_sync_inside_a_transaction_is_refused_before_it_waits_for_itself(store: PackBlockstore) -> None:
    store.put([block(1)])
    with store.database.transaction(), pytest.raises(LocalProtocolError, match="inside a database transaction"):
        store.sync()


def test_a_long_put_is_synced_in_the_background(open_store: OpenStore) -> None:
    called = threading.Event()

    class WatchedDisk(Disk):
        def sync_ahead(self, descriptor: int) -> None:
            super().sync_ahead(descriptor)
            called.set()

    store = open_store(disk=WatchedDisk())
    data = os.urandom(1_000_000)
    store.put(Block.create(data + b"%d" % number) for number in range(80))
    assert called.wait(60)


def test_full_packs_are_committed_in_the_background(open_store: OpenStore) -> None:
    committed = threading.Event()
    store = open_store(pack_size=50_000_000)
    flush = store._flusher.sync
    store._flusher.sync = lambda: (flush(), committed.set())  # type: ignore[method-assign,assignment]
    data = os.urandom(1_000_000)
    store.put(Block.create(data + b"%d" % number) for number in range(140))
    assert committed.wait(60)
    assert store.database.row("SELECT count(*) FROM blocks")[0] > 50


def test_the_limit_is_never_exceeded_and_space_returns(open_store: OpenStore, tmp_path: Path) -> None:
    limit = 40_000_000
    most = 0

    class MeasuredDisk(Disk):
        def write(self, descriptor: int, buffers: Sequence[Any], offset: int) -> int:
            nonlocal most
            written = super().write(descriptor, buffers, offset)
            most = max(most, size_of(tmp_path))
            return written

    store = open_store(max_size=limit, disk=MeasuredDisk())
    numbers = itertools.count()

    def fill(kept: list[int]) -> None:
        while True:
            number = next(numbers)
            store.put([block(number, 200_000)])
            kept.append(number)
            if number % 10 == 0:
                store.sync()

    for _ in range(4):
        kept: list[int] = []
        with pytest.raises(ResourceLimitError) as refused:
            fill(kept)
        store.sync()
        assert str(limit) in str(refused.value)
        assert "run `zwerm repo gc`, unpin something or raise storage.max" in str(refused.value)
        assert all(store.has(block(one, 200_000).cid) for one in kept)
        assert not store.has(block(kept[-1] + 1, 200_000).cid)
        assert size_of(tmp_path) > 0.85 * limit
        gone = [block(one, 200_000).cid for one in kept if one % 3]
        assert store.delete(gone) == len(gone)
        freed = store.compact()
        assert freed > 0.9 * 200_000 * len(gone)
        store.delete(block(one, 200_000).cid for one in kept)
        store.compact()
        assert size_of(tmp_path) < 0.2 * limit
    assert most <= limit


def test_a_full_disk_loses_nothing_and_ends(open_store: OpenStore) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    store.put([block(1, 1_000)])
    store.sync()
    disk.room = 1_500_000
    with pytest.raises(StorageError, match="cannot write blocks: the disk is full; make room and try again"):
        store.put(block(number, 100_000) for number in range(100, 200))
    with pytest.raises(StorageError, match="the disk is full"):
        store.sync()
    held = [number for number in range(100, 200) if store.has(block(number, 100_000).cid)]
    assert 10 < len(held) < 30
    for number in held:
        assert store.get(block(number, 100_000).cid, verify=True)
    assert store.get(block(1, 1_000).cid, verify=True)
    disk.room = None
    store.sync()
    store.put([block(2)])
    abandon(store)
    store.database.close()
    store = open_store()
    assert all(store.get(block(number, 100_000).cid, verify=True) for number in held)
    assert store.get(block(1, 1_000).cid, verify=True)


def filled(store: PackBlockstore, disk: FaultyDisk) -> list[Block]:
    """Put more than there is room for; return what should be gone again."""
    disk.room = 1_500_000
    blocks = [block(number, 100_000) for number in range(100, 140)]
    with pytest.raises(DiskFull, match="cannot write blocks: the disk is full; make room and try again"):
        store.put(blocks)
    return blocks


def test_what_could_not_be_kept_gives_its_room_back_when_its_hold_ends(open_store: OpenStore, tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    with store.hold():
        store.put([block(1, 1_000)])
        store.sync()
    before = size_of(tmp_path / "blocks")
    with store.hold():
        blocks = filled(store, disk)
        assert store.get(blocks[0].cid) == blocks[0].data
        with pytest.raises(DiskFull):
            store.sync()
    assert size_of(tmp_path / "blocks") == before
    assert not any(store.has(item.cid) for item in blocks)
    with pytest.raises(BlockNotFound):
        store.get(blocks[0].cid)
    disk.room = None
    with store.hold():
        store.put(blocks)
        store.sync()
    abandon(store)
    store.database.close()
    store = open_store()
    assert store.recovered == (False, 0, 0, (), (), ())
    assert all(store.get(cid, verify=True) == data for cid, data in [block(1, 1_000), *blocks])


def test_a_new_pack_that_could_not_be_filled_goes(open_store: OpenStore, tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    with store.hold():
        filled(store, disk)
        assert size_of(tmp_path / "blocks") > 1_000_000
    assert list((tmp_path / "blocks").iterdir()) == []
    disk.room = None
    with store.hold():
        store.put([block(1)])
        store.sync()
    assert store.get(block(1).cid, verify=True) == block(1).data


def test_while_another_hold_is_open_everything_stays_and_can_still_be_kept(open_store: OpenStore) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    with store.hold():
        store.put([block(1, 1_000)])
        with store.hold():
            filled(store, disk)
        assert store.has(block(1, 1_000).cid)
        disk.room = None
        store.sync()
    assert store.get(block(1, 1_000).cid, verify=True) == block(1, 1_000).data
    assert store.has(block(100, 100_000).cid)  # with it, what the other had put: garbage that a collection finds


def test_what_somebody_counts_on_without_a_hold_stays(open_store: OpenStore) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    with store.hold():
        store.put([block(1, 1_000)])
        store.keep_pending()
    with store.hold():
        filled(store, disk)
    disk.room = None
    store.sync()
    assert store.get(block(1, 1_000).cid, verify=True) == block(1, 1_000).data


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=["disk", "quota"])
def test_a_sync_without_room_fails_all_that_wait_and_is_over_when_they_have_gone(
    open_store: OpenStore, number: int
) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    with store.hold():
        store.put([block(1)])
        store.sync()
    disk.sync_error = number
    with store.hold():
        store.put([block(2)])
        with pytest.raises(DiskFull, match="the disk is full and failed to keep blocks; make room"):
            store.sync()
        disk.sync_error = None
        with pytest.raises(DiskFull):  # what the kernel has kept of it is not known
            store.sync()
        with pytest.raises(DiskFull):
            store.put([block(3)])
    assert not store.has(block(2).cid)
    with store.hold():
        store.put([block(2)])
        store.sync()
    assert all(store.get(block(number).cid, verify=True) for number in (1, 2))


def test_a_full_disk_under_a_new_pack(open_store: OpenStore, tmp_path: Path) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk, pack_size=10_000)
    disk.room = 0
    with pytest.raises(StorageError, match="the disk is full"):
        store.put([block(1)])
    assert list((tmp_path / "blocks").iterdir()) == []
    assert not store.has(block(1).cid)
    disk.room = None
    store.put([block(1)])
    store.sync()


def test_a_full_disk_under_the_index(store: PackBlockstore) -> None:
    store.put(block(number) for number in range(10))
    store.sync()
    pages = store.database.query("PRAGMA page_count")[0][0]
    store.database._writer.execute(f"PRAGMA max_page_count = {pages + 1}").fetchall()
    store.put(block(number) for number in range(10, 2_000))
    for _ in range(2):
        with pytest.raises(StorageError, match="the disk is full; make room"):
            store.sync()
        assert store.get(block(1_999).cid, verify=True)
    store.database._writer.execute("PRAGMA max_page_count = 1000000").fetchall()
    store.sync()
    assert store.database.row("SELECT count(*) FROM blocks") == (2_000,)
    assert store.database.query("SELECT number, live FROM packs") == store.database.query(
        "SELECT pack, sum(size + head) FROM blocks GROUP BY pack"
    )


def test_an_index_that_fills_up_between_two_transactions_counts_each_block_once(open_store: OpenStore) -> None:
    store = open_store(pack_size=600_000)  # under which a transaction takes 73 rows
    store.put(block(number) for number in range(500))
    pages = store.database.query("PRAGMA page_count")[0][0]
    store.database._writer.execute(f"PRAGMA max_page_count = {pages + 6}").fetchall()
    with pytest.raises(StorageError, match="the disk is full; make room"):
        store.sync()
    assert 0 < store.database.row("SELECT count(*) FROM blocks")[0] < 500
    store.database._writer.execute("PRAGMA max_page_count = 1000000").fetchall()
    store.sync()
    assert store.database.row("SELECT sum(live) FROM packs") == store.database.row(
        "SELECT sum(size + head) FROM blocks"
    )


def test_after_a_failed_sync_nothing_is_taken_or_acknowledged_and_all_else_is_read(open_store: OpenStore) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    store.put([block(1)])
    store.sync()
    store.put([block(2)])
    disk.sync_error = errno.EIO
    with pytest.raises(StorageError, match=r"failed to keep blocks \(Input/output error\)"):
        store.sync()
    disk.sync_error = None
    for call in (store.sync, lambda: store.put([block(3)])):
        with pytest.raises(StorageError, match="nothing new is taken until the node is started again"):
            call()
    assert store.get(block(1).cid, verify=True)


def test_a_failed_background_sync_is_remembered(open_store: OpenStore) -> None:
    failed = threading.Event()

    class FailingDisk(Disk):
        def sync_ahead(self, descriptor: int) -> None:
            failed.set()
            raise OSError(errno.EIO, "Input/output error")

    store = open_store(disk=FailingDisk())
    data = os.urandom(1_000_000)
    with pytest.raises(StorageError, match="nothing new is taken"):
        store.put(Block.create(data + b"%d" % number) for number in range(2_000))
    assert failed.is_set()
    with pytest.raises(StorageError, match="nothing new is taken"):
        store.sync()


def test_closing_twice_is_harmless_and_what_comes_after_is_refused(store: PackBlockstore) -> None:
    store.put([block(1)])
    store.close()
    store.close()
    with pytest.raises(LocalProtocolError, match="is closed"):
        store.get(block(1).cid)
    with pytest.raises(LocalProtocolError, match="is closed"):
        store.put([block(2)])


def test_the_folder_must_be_one(tmp_path: Path, open_store: OpenStore) -> None:
    (tmp_path / "blocks").write_text("a file")
    with pytest.raises(StorageError, match=r"cannot open .*blocks: File exists"):
        open_store()


def test_a_block_known_to_be_damaged_is_replaced_when_it_comes_again(store: PackBlockstore, tmp_path: Path) -> None:
    store.put([block(1), block(2)])
    store.sync()
    path = tmp_path / "blocks" / "00000001.pack"
    data = bytearray(path.read_bytes())
    data[data.index(block(1).data)] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(CorruptBlock):
        store.get(block(1).cid, verify=True)
    verification = store.verification()
    while verification.step():
        pass
    verification.close()
    assert store.statistics().damaged == 1
    for call in (store.get, store.locate):
        with pytest.raises(CorruptBlock):
            call(block(1).cid)
    store.put([block(1)])
    assert store.get(block(1).cid, verify=True) == block(1).data
    assert store.repair(verification) == []
    assert store.get(block(1).cid, verify=True) == block(1).data
    assert store.statistics().damaged == 0


def test_statistics_add_up(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(max_size=100_000_000)
    store.put(block(number, 1_000) for number in range(10))
    store.sync()
    store.put([block(10, 1_000)])
    store.delete([block(0, 1_000).cid])
    found = store.statistics()
    assert (found.blocks, found.size, found.damaged, found.limit) == (10, 10_000, 0, 100_000_000)
    assert found.dead == len(HEADER) + 2 + 36 + 1_000
    on_disk = sum(path.stat().st_size for path in (tmp_path / "blocks").iterdir())
    assert found.packs == on_disk + 2 + 36 + 1_000  # the last one is in the buffer
    assert found.index > 10_000


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_block_put_while_it_is_being_deleted_is_there_afterwards(store: PackBlockstore) -> None:
    store.put([block(1)])
    store.sync()
    delete = store._index.delete

    def delete_late(*arguments: Any, **options: Any) -> None:
        in_a_thread(lambda: store.put([block(1)]))  # its row is still to be seen
        in_a_thread(lambda: missing.extend(store.touch([block(1).cid, block(2).cid])))
        delete(*arguments, **options)

    missing: list[CID] = []
    store._index.delete = delete_late  # type: ignore[method-assign]
    assert store.delete([block(1).cid]) == 1
    assert missing == [block(2).cid]
    assert store.get(block(1).cid, verify=True) == block(1).data
    store.sync()
    assert store.get(block(1).cid, verify=True) == block(1).data
    assert store.statistics().blocks == 1


def test_a_block_touched_while_it_is_being_deleted_is_said_to_be_missing(store: PackBlockstore) -> None:
    store.put([block(1)])
    store.sync()
    delete = store._index.delete

    def delete_late(*arguments: Any, **options: Any) -> None:
        in_a_thread(lambda: missing.extend(store.touch([block(1).cid])))
        delete(*arguments, **options)

    missing: list[CID] = []
    store._index.delete = delete_late  # type: ignore[method-assign]
    store.delete([block(1).cid])
    assert missing == [block(1).cid]


def test_a_deletion_that_fails_leaves_the_block_whether_put_meanwhile_or_not(store: PackBlockstore) -> None:
    store.put([block(1), block(2)])
    store.sync()

    def fail(*_arguments: Any, **_options: Any) -> None:
        in_a_thread(lambda: store.put([block(1)]))
        raise StorageError("the disk is full")

    store._index.delete = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(StorageError):
        store.delete([block(1).cid, block(2).cid])
    store.sync()
    assert store.get(block(1).cid, verify=True)
    assert store.get(block(2).cid, verify=True)
    assert store.statistics().blocks == 2
    assert store.database.row("SELECT live FROM packs") == store.database.row("SELECT sum(size + head) FROM blocks")


def raw(data: bytes | memoryview) -> CID:
    return CID.of(data)


def test_what_is_lent_is_stored_and_its_memory_free_again(open_store: OpenStore) -> None:
    store = open_store()
    room = bytearray(os.urandom(40_000))
    chunks = [memoryview(room)[start : start + 10_000] for start in range(0, 40_000, 10_000)]
    wanted = [bytes(chunk) for chunk in chunks]
    store.put([Block.create(b"buffered before")])
    cids = store.put_chunks([*chunks, chunks[0]], raw)
    room[:] = bytes(len(room))
    assert cids == [CID.of(data) for data in (*wanted, wanted[0])]
    assert [store.get(cid, verify=True) for cid in cids[:4]] == wanted
    assert store.statistics().blocks == 5
    store.sync()
    store = open_store()
    assert [store.get(cid, verify=True) for cid in cids[:4]] == wanted
    assert store.get(CID.of(b"buffered before")) == b"buffered before"


def test_what_is_lent_and_does_not_fit_on_the_disk_is_copied(open_store: OpenStore) -> None:
    disk = FaultyDisk()
    store = open_store(disk=disk)
    store.put([Block.create(b"first")])
    store.sync()
    room = bytearray(os.urandom(30_000))
    chunks = [memoryview(room)[start : start + 10_000] for start in range(0, 30_000, 10_000)]
    wanted = [bytes(chunk) for chunk in chunks]
    disk.room = 15_000
    with store.hold():
        with pytest.raises(DiskFull):
            store.put_chunks(chunks, raw)
        room[:] = bytes(len(room))
        assert [store.get(CID.of(data)) for data in wanted] == wanted
        disk.room = None
        store.sync()
    store = open_store()
    assert [store.get(CID.of(data), verify=True) for data in wanted] == wanted


def test_what_is_lent_counts_against_the_limit(open_store: OpenStore) -> None:
    store = open_store(max_size=2_000_000)
    room = bytearray(100_000)
    taken = 0
    for number in range(100):
        room[:4] = number.to_bytes(4)
        try:
            taken += len(store.put_chunks([memoryview(room)], raw))
        except ResourceLimitError:
            break
    assert 5 < taken < 20


def test_several_threads_may_lend_at_once(open_store: OpenStore) -> None:
    store = open_store(pack_size=300_000)
    failures: list[Exception] = []

    def lend(seed: int) -> None:
        room = bytearray(50_000)
        try:
            for number in range(30):
                room[:] = random.Random(seed * 100 + number % 25).randbytes(len(room))
                store.put_chunks([memoryview(room)[:20_000], memoryview(room)[20_000:]], raw)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=lend, args=(seed,)) for seed in (1, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store.sync()
    assert store.statistics().blocks == 100
    assert all(store.get(CID(1, 0x55, key), verify=True) for key in store.multihashes())
