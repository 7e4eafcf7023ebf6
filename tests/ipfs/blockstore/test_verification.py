"""Verification hashes every block, names the bad ones, and is not deceived by what changes meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conformance.check_blockstore import block
from tests.ipfs.blockstore.conftest import OpenStore
from zwerm.ipfs.block import CorruptBlock
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.blockstore.verification import Verification

BLOCKS = [block(number, 1_000) for number in range(200)]


def damage(folder: Path, number: int, *, head: bool = False) -> None:
    for path in (folder / "blocks").iterdir():
        data = bytearray(path.read_bytes())
        at = data.find(BLOCKS[number].data[:9])
        if at >= 0:
            data[at - 10 if head else at + 10] ^= 0x40
            path.write_bytes(data)


def lose_a_pack_and_an_end(folder: Path) -> None:
    """Take the first pack away, and the end of the second."""
    first, second, *_ = sorted((folder / "blocks").iterdir())
    first.unlink()
    os.truncate(second, second.stat().st_size - 2_000)


def run(store: PackBlockstore) -> Verification:
    verification = store.verification()
    while verification.step():
        pass
    verification.close()
    return verification


def test_a_sound_store_is_called_sound(store: PackBlockstore) -> None:
    store.put(BLOCKS)
    verification = run(store)
    assert (verification.blocks, verification.total, verification.size) == (200, 200, 200_000)
    assert (verification.corrupt, verification.unlabelled, verification.index_damage) == ([], [], [])


def test_damaged_blocks_and_heads_are_told_apart(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=20_000)
    store.put(BLOCKS)
    store.sync()
    damage(tmp_path, 5)
    damage(tmp_path, 100)
    damage(tmp_path, 50, head=True)
    verification = run(store)
    assert set(verification.corrupt) == {BLOCKS[5].cid.multihash, BLOCKS[100].cid.multihash}
    assert verification.unlabelled == [BLOCKS[50].cid.multihash]
    for number in (5, 100):
        with pytest.raises(CorruptBlock):
            store.get(BLOCKS[number].cid)
    assert store.get(BLOCKS[50].cid, verify=True)
    with pytest.raises(CorruptBlock):
        open_store().get(BLOCKS[5].cid)  # it is remembered


def test_a_block_that_is_whole_again_is_served_again(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    store.put(BLOCKS)
    store.sync()
    damage(tmp_path, 5)
    assert run(store).corrupt == [BLOCKS[5].cid.multihash]
    damage(tmp_path, 5)  # which is its own opposite
    assert run(store).corrupt == []
    assert store.get(BLOCKS[5].cid) == BLOCKS[5].data


def test_lost_packs_and_lost_ends_are_damage(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=20_000)
    store.put(BLOCKS)
    store.close()
    lose_a_pack_and_an_end(tmp_path)
    found = run(open_store())
    assert len(found.corrupt) == 19 + 2


def test_what_is_deleted_or_moved_meanwhile_is_no_damage(open_store: OpenStore) -> None:
    store = open_store(pack_size=20_000)
    store.put(BLOCKS)
    verification = store.verification()
    assert verification.step()
    store.delete(item.cid for item in BLOCKS[::2])
    store.compact()
    while verification.step():
        pass
    verification.close()
    assert verification.corrupt == []
    assert verification.step() is False or verification.blocks < verification.total
