"""Reading: out of the buffer, out of the page cache, out of packs that move, and out of packs that are broken."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conformance.check_blockstore import block
from tests.ipfs.blockstore.conftest import OpenStore
from zwerm.core.errors import StorageError
from zwerm.ipfs.block import BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.index import Place
from zwerm.multiformats import multihash
from zwerm.multiformats.cid import CID


def read_at(store: PackBlockstore, number: int, size: int) -> bytes:
    location = store.locate(block(number, size).cid)
    assert location is not None
    return os.pread(location.descriptor, location.size, location.offset)


def test_locate_points_at_the_bytes_synced_or_not(store: PackBlockstore) -> None:
    store.put([block(1, 1_000), block(2, 2_000)])
    assert read_at(store, 1, 1_000) == block(1, 1_000).data
    store.sync()
    assert read_at(store, 2, 2_000) == block(2, 2_000).data
    assert store.locate(block(3).cid) is None


def test_what_was_located_under_a_hold_can_be_read_until_it_ends(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=10_000)
    store.put(block(number, 3_000) for number in range(9))
    store.sync()
    with store.hold():
        location = store.locate(block(0, 3_000).cid)
        assert location is not None
        store.delete(block(number, 3_000).cid for number in range(1, 9))
        before = store.statistics().packs
        store.compact()
        assert len(list((tmp_path / "blocks").iterdir())) == 1
        assert store.statistics().packs > before - 20_000  # the emptied pack still takes its space
        assert os.pread(location.descriptor, location.size, location.offset) == block(0, 3_000).data
    assert store.statistics().packs < 3_100
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(location.descriptor)
    assert read_at(store, 0, 3_000) == block(0, 3_000).data


def test_a_block_is_found_in_its_new_place_after_compaction(open_store: OpenStore) -> None:
    store = open_store(pack_size=10_000)
    store.put(block(number, 3_000) for number in range(30))
    store.sync()
    for number in range(30):
        assert store.get(block(number, 3_000).cid)  # remembered from here on
        assert store.get_nowait(block(number, 3_000).cid) == block(number, 3_000).data
    store.delete(block(number, 3_000).cid for number in range(0, 30, 2))
    store.compact()
    for number in range(30):
        if number % 2:
            assert store.get(block(number, 3_000).cid, verify=True) == block(number, 3_000).data
        else:
            assert store.get_nowait(block(number, 3_000).cid) is None
            with pytest.raises(BlockNotFound):
                store.get(block(number, 3_000).cid)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_without_a_descriptor_for_its_pack_a_block_is_not_called_damaged(open_store: OpenStore, number: int) -> None:
    class Busy(Disk):
        is_busy = False

        def open(self, path: str, *, writing: bool = False) -> int:
            if self.is_busy:
                raise OSError(number, os.strerror(number))
            return super().open(path, writing=writing)

    disk = Busy()
    store = open_store()
    store.put([block(1, 3_000)])
    store.close()
    store = open_store(disk=disk, pack_size=3_000)  # at which it does not go on with the pack, so that it is not open
    disk.is_busy = True
    for read in (store.get, store.locate):
        with pytest.raises(StorageError, match=r"00000001\.pack: too many files are open"):
            read(block(1, 3_000).cid)
    disk.is_busy = False
    assert store.get(block(1, 3_000).cid) == block(1, 3_000).data


def test_a_block_that_is_cut_short_or_whose_pack_is_gone_is_damaged(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=10_000)
    store.put(block(number, 3_000) for number in range(6))
    store.close()
    first, second = sorted((tmp_path / "blocks").iterdir())
    os.truncate(first, first.stat().st_size - 1)
    second.unlink()
    store = open_store()
    assert store.recovered[3:] == ((1,), (2,), ())
    for number in range(6):
        cid, data = block(number, 3_000)
        if number < 2:
            assert store.get(cid, verify=True) == data
        else:
            assert store.has(cid)
            assert store.get_nowait(cid) is None
            with pytest.raises(
                CorruptBlock, match=r"is damaged on disk; run `zwerm repo verify` .* `zwerm repo repair`"
            ):
                store.get(cid)
    store.put([block(10)])  # which goes behind no broken end
    store.sync()
    assert store.locate(block(10).cid) is not None
    assert not first.read_bytes().endswith(block(10).data)


def test_many_packs_need_few_descriptors(open_store: OpenStore) -> None:
    store = open_store(pack_size=1_000)
    store.put(block(number, 1_500) for number in range(400))
    store.sync()
    for _ in range(2):
        for number in range(400):
            assert store.get(block(number, 1_500).cid) == block(number, 1_500).data
    assert len(os.listdir("/proc/self/fd")) < 200


def test_a_block_deleted_while_it_is_looked_up_is_not_remembered(store: PackBlockstore) -> None:
    store.put([block(1)])
    store.sync()
    find = store._index.find

    def find_and_lose(key: bytes) -> Place | None:
        found = find(key)
        store._index.find = find  # type: ignore[method-assign]
        store.delete([block(1).cid])
        return found

    store._index.find = find_and_lose  # type: ignore[method-assign]
    store.has(block(1).cid)
    assert not store.has(block(1).cid)
    assert store.get_nowait(block(1).cid) is None


def test_what_was_looked_up_is_read_without_asking_again(store: PackBlockstore) -> None:
    store.put(block(number) for number in range(40))
    store.sync()
    cids = [block(number).cid for number in range(50)]  # ten of which are not here
    assert not any(map(store.knows, cids))
    assert store.get_nowait(cids[0]) is None
    store.look_up(cids)
    assert list(map(store.knows, cids)) == [True] * 40 + [False] * 10
    assert [store.get_nowait(cid) for cid in cids] == [block(number).data for number in range(40)] + [None] * 10


def test_blocks_deleted_while_they_are_looked_up_together_are_not_remembered(store: PackBlockstore) -> None:
    store.put([block(1), block(2)])
    store.sync()
    find_many = store._index.find_many

    def find_and_lose(keys: Iterable[bytes]) -> dict[bytes, Place]:
        found = find_many(keys)
        store._index.find_many = find_many  # type: ignore[method-assign]
        store.delete([block(1).cid])
        return found

    store._index.find_many = find_and_lose  # type: ignore[method-assign]
    store.look_up([block(1).cid, block(2).cid])
    assert not store.knows(block(1).cid)
    assert store.get_nowait(block(1).cid) is None


def test_a_block_that_a_flush_moves_while_it_is_looked_up_is_found(store: PackBlockstore) -> None:
    find = store._index.find

    def find_too_early(key: bytes) -> Place | None:
        found = find(key)
        store._index.find = find  # type: ignore[method-assign]
        store.put([block(1)])
        store.sync()
        return found

    store._index.find = find_too_early  # type: ignore[method-assign]
    assert store.get(block(1).cid) == block(1).data


def test_a_block_that_a_flush_moves_while_it_is_asked_for_is_not_absent(store: PackBlockstore) -> None:
    find_many = store._index.find_many

    def find_too_early(keys: Iterable[bytes]) -> dict[bytes, Place]:
        found = find_many(keys)
        store._index.find_many = find_many  # type: ignore[method-assign]
        store.put([block(1)])
        store.sync()
        return found

    store._index.find_many = find_too_early  # type: ignore[method-assign]
    assert store.absent([block(1).cid, block(2).cid]) == [block(2).cid]


READS: dict[str, Callable[[PackBlockstore, CID], object]] = {
    "get": lambda store, cid: store.get(cid),
    "get_nowait, then get": lambda store, cid: store.get_nowait(cid) or store.get(cid),
    "locate": lambda store, cid: store.locate(cid),
    "locate_nowait, then locate": lambda store, cid: store.locate_nowait(cid) or store.locate(cid),
}


def rot(store: PackBlockstore, number: int, size: int) -> None:
    """Change one bit in the middle of a block on the disk."""
    place = store._reader.find(block(number, size).cid.multihash)
    assert place is not None
    with open(store._files.path(place.pack), "r+b", buffering=0) as pack:
        pack.seek(place.offset + place.size // 2)
        byte = pack.read(1)[0]
        pack.seek(-1, os.SEEK_CUR)
        pack.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("size", [100, 10_000, 300_000])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("known", ["never read", "read before", "just put"])
def test_a_rotten_block_is_named_and_never_served(
    open_store: OpenStore, known: str, read: Callable[[PackBlockstore, CID], object], size: int
) -> None:
    store = open_store()
    store.put([block(1, size), block(2, size)])
    store.sync()
    if known != "just put":
        store = open_store()
    if known == "read before":
        assert read(store, block(1, size).cid)
        assert read(store, block(1, size).cid)
    rot(store, 1, size)
    for _ in range(2):
        with pytest.raises(CorruptBlock, match=str(block(1, size).cid)):
            read(store, block(1, size).cid)
    for other in READS.values():
        with pytest.raises(CorruptBlock):
            other(store, block(1, size).cid)
        assert other(store, block(2, size).cid)


def test_what_was_found_rotten_is_counted_kept_over_a_restart_and_healed_by_the_same_content(
    open_store: OpenStore,
) -> None:
    store = open_store()
    store.put([block(1, 5_000), block(2, 5_000)])
    store.sync()
    rot(store, 1, 5_000)
    with pytest.raises(CorruptBlock):
        store.get(block(1, 5_000).cid)
    assert store.statistics().damaged == 1
    store = open_store()
    assert store.statistics().damaged == 1
    assert store.get_nowait(block(1, 5_000).cid) is None
    store.put([block(1, 5_000)])
    assert store.get(block(1, 5_000).cid) == block(1, 5_000).data
    store = open_store()
    assert store.statistics().damaged == 0
    assert store.get(block(1, 5_000).cid) == block(1, 5_000).data


def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that every block which is held against its hash from now on is added to."""
    found: list[bytes] = []

    def verify(key: bytes, data: bytes) -> bool:
        found.append(key)
        return multihash.verify(key, data)

    monkeypatch.setattr("zwerm.ipfs.blockstore.block_reader.multihash", SimpleNamespace(verify=verify))
    return found


def test_a_block_is_hashed_once_and_after_a_change_of_its_file_again(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    found = hashed(monkeypatch)
    cid, data = block(1, 100_000)
    store.put([block(1, 100_000)])
    store.sync()
    assert (store.get(cid), store.get_nowait(cid)) == (data, data)
    assert found == []  # it was hashed when it came
    store = open_store()
    for _ in range(3):
        assert (store.get(cid), store.get_nowait(cid)) == (data, data)
        assert store.locate(cid) == store.locate_nowait(cid)
    assert found == [cid.multihash]
    store.put([block(2, 100_000)])
    store.sync()
    assert store.get_nowait(cid) == data
    assert len(found) == 1  # our own writes are no reason
    os.utime(store._files.path(1))
    assert store.get_nowait(cid) is None
    assert store.get(cid) == data
    assert len(found) == 2
    assert store.get(cid, verify=True) == data
    assert store.locate(cid, verify=True) is not None
    assert len(found) == 4


def test_small_blocks_are_hashed_each_time(store: PackBlockstore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put([block(1, 4_096)])
    store.sync()
    found = hashed(monkeypatch)
    assert store.get(block(1, 4_096).cid) == store.get_nowait(block(1, 4_096).cid) == block(1, 4_096).data
    assert len(found) == 2


def test_a_copy_that_compaction_made_is_checked_on_its_own(open_store: OpenStore) -> None:
    store = open_store(pack_size=200_000)
    store.put(block(number, 50_000) for number in range(8))
    store.sync()
    store = open_store(pack_size=200_000)
    for number in range(8):
        assert store.get(block(number, 50_000).cid)
    store.delete(block(number, 50_000).cid for number in (0, 1, 2))
    store.compact()
    rot(store, 3, 50_000)
    with pytest.raises(CorruptBlock):
        store.get(block(3, 50_000).cid)
    for number in range(4, 8):
        assert store.get(block(number, 50_000).cid) == block(number, 50_000).data


def test_a_block_deleted_while_its_rotten_bytes_are_read_is_absent(store: PackBlockstore) -> None:
    store.put([block(1, 5_000)])
    store.sync()
    rot(store, 1, 5_000)
    condemn = store._reader._is_right

    def delete_first(*arguments: Any) -> bool:
        store.delete([block(1, 5_000).cid])
        return condemn(*arguments)

    store._reader._is_right = delete_first  # type: ignore[method-assign]
    with pytest.raises(BlockNotFound):
        store.get(block(1, 5_000).cid)
    assert store.statistics().damaged == 0
