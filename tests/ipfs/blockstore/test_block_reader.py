"""Reading: out of the buffer, out of the page cache, out of packs that move, and out of packs that are broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conformance.check_blockstore import block
from tests.ipfs.blockstore.conftest import OpenStore
from zwerm.ipfs.block import BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.blockstore.index import Place


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


def test_a_block_that_is_cut_short_or_whose_pack_is_gone_is_damaged(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=10_000)
    store.put(block(number, 3_000) for number in range(6))
    store.close()
    first, second = sorted((tmp_path / "blocks").iterdir())
    os.truncate(first, first.stat().st_size - 1)
    second.unlink()
    store = open_store()
    assert store.recovered[3:] == ((1,), (2,))
    for number in range(6):
        cid, data = block(number, 3_000)
        if number < 2:
            assert store.get(cid, verify=True) == data
        else:
            assert store.has(cid)
            assert store.get_nowait(cid) is None
            with pytest.raises(CorruptBlock, match="is damaged on disk; run `zwerm repo repair`"):
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
