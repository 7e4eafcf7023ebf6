"""Repair drops what is damaged and nothing else; a damaged database is saved as far as it can be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conformance.check_blockstore import block
from tests.ipfs.blockstore.conftest import OpenStore
from tests.ipfs.blockstore.test_verification import BLOCKS, damage, lose_a_pack_and_an_end, run
from zwerm.core.errors import StorageError
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.blockstore.repair import save_database
from zwerm.ipfs.database import Database

TABLE = "CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER) WITHOUT ROWID; CREATE INDEX by_size ON things (size)"


def is_sound(store: PackBlockstore) -> bool:
    found = run(store)
    truth = store.database.query("SELECT pack, sum(size + head) FROM blocks GROUP BY pack ORDER BY pack")
    rows = store.database.query("SELECT number, live FROM packs WHERE live > 0 ORDER BY number")
    return found.corrupt == found.unlabelled == found.index_damage == [] and truth == rows


def test_corrupt_blocks_are_dropped_and_the_others_stay(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=20_000)
    store.put(BLOCKS)
    store.sync()
    damage(tmp_path, 7)
    assert store.repair(run(store)) == [BLOCKS[7].cid.multihash]
    assert not store.has(BLOCKS[7].cid)
    assert is_sound(store)
    store.compact()
    store.put([BLOCKS[7]])
    assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS)


def test_a_block_with_a_damaged_head_is_written_anew(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=20_000)
    store.put(BLOCKS)
    store.sync()
    damage(tmp_path, 7, head=True)
    assert store.repair(run(store)) == []
    assert is_sound(store)
    store.delete(item.cid for item in BLOCKS[:7])
    store.compact()
    store.close()
    store.database.close()
    (tmp_path / "index.sqlite").unlink()
    store = open_store()
    assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS[7:])


def test_lost_packs_and_lost_ends_are_settled(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=20_000)
    store.put(BLOCKS)
    store.close()
    lose_a_pack_and_an_end(tmp_path)
    store = open_store(pack_size=20_000)
    assert len(store.repair(run(store))) == 21
    assert is_sound(store)
    store = open_store(pack_size=20_000)
    assert store.recovered[1:] == (0, 0, (), (), ())
    assert is_sound(store)


def test_a_repair_can_wait_while_things_change(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=20_000)
    store.put(BLOCKS)
    store.sync()
    damage(tmp_path, 7)
    damage(tmp_path, 9, head=True)
    found = run(store)
    store.put([BLOCKS[7]])
    store.delete([BLOCKS[9].cid])
    assert store.repair(found) == []
    assert store.get(BLOCKS[7].cid, verify=True) == BLOCKS[7].data
    assert is_sound(store)


def make(folder: Path, rows: int) -> Path:
    """A database with the store's tables and somebody else's."""
    database = Database(folder / "index.sqlite")
    store = PackBlockstore(folder / "blocks", database)
    store.put(BLOCKS)
    database.define("things", [TABLE])
    with database.transaction() as connection:
        connection.executemany("INSERT INTO things VALUES (?, ?)", [(f"{n:06}" * 8, n) for n in range(rows)])
    store.close()
    database.close()
    return folder / "index.sqlite"


def test_a_whole_database_is_saved_whole(tmp_path: Path, open_store: OpenStore) -> None:
    path = make(tmp_path, 3_000)
    saved = save_database(path)
    assert saved.whole
    assert saved.rows == {"schema": 2, "things": 3_000}
    assert saved.kept_as == f"{path}.damaged-1"
    assert Path(saved.kept_as).stat().st_size > 100_000
    store = open_store()
    assert store.database.define("things", [TABLE]) == 1
    assert store.database.row("SELECT count(*) FROM things INDEXED BY by_size WHERE size >= 0") == (3_000,)
    assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS)
    assert is_sound(store)


def test_rows_on_both_sides_of_the_damage_are_saved(tmp_path: Path, open_store: OpenStore) -> None:
    path = make(tmp_path, 3_000)
    data = bytearray(path.read_bytes())
    at = 0
    while (at := data.find(b"001500" * 8, at)) >= 0:  # in the table and in its index
        at = at // 4_096 * 4_096 + 4_096
        data[at - 4_096 : at] = os.urandom(4_096)
    path.write_bytes(data)
    saved = save_database(path)
    assert saved.damaged == ["things"]
    assert not saved.whole
    store = open_store()
    names = {name for (name,) in store.database.query("SELECT name FROM things")}
    assert {"000000" * 8, "002999" * 8} <= names
    assert 2_500 < len(names) < 3_000
    assert is_sound(store)


def test_of_a_database_that_cannot_be_read_at_all_only_the_blocks_are_left(
    tmp_path: Path, open_store: OpenStore
) -> None:
    path = make(tmp_path, 10)
    path.write_bytes(os.urandom(50_000))
    with pytest.raises(StorageError, match="repo repair"):
        open_store()
    saved = save_database(path)
    assert len(saved.damaged) == 1
    assert saved.damaged[0].startswith("everything (")
    store = open_store()
    assert store.pins_lost
    assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS)
    assert save_database_again(store, path).kept_as.endswith("-2")


def save_database_again(store: PackBlockstore, path: Path):
    store.close()
    store.database.close()
    return save_database(path)


def test_blocks_put_again_after_a_lost_index_are_found(tmp_path: Path, open_store: OpenStore) -> None:
    save_database(make(tmp_path, 1))
    store = open_store()
    store.put([BLOCKS[0], block(1_000)])
    store.sync()
    assert store.statistics().blocks == 201
