"""Opening after a crash: what proves itself stays, what does not is cut off, what was acknowledged is not touched."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from tests.conformance.check_blockstore import block
from tests.ipfs.blockstore.conftest import OpenStore
from tests.ipfs.blockstore.crash import abandon
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.blockstore.pack import HEADER
from zwerm.ipfs.database import Database

BLOCKS = [block(number, 1_000) for number in range(20)]


def crash(store: PackBlockstore) -> None:
    for cid, _ in BLOCKS:
        store.locate(cid)  # which empties the buffer
    abandon(store)
    store.database.close()


def test_whole_blocks_behind_the_acknowledged_end_join_the_index(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    store.put(BLOCKS[:5])
    store.sync()
    store.put(BLOCKS[5:])
    crash(store)
    pack = tmp_path / "blocks" / "00000001.pack"
    os.truncate(pack, pack.stat().st_size - 10)
    store = open_store()
    assert store.recovered == (False, 14, 1_028, (), (), ())
    assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS[:19])
    assert not store.has(BLOCKS[19].cid)
    assert pack.stat().st_size == len(HEADER) + 19 * 1_038
    store.put(BLOCKS)
    assert open_store().recovered == (False, 0, 0, (), (), ())


def test_a_pack_that_nobody_was_told_of_goes_when_nothing_in_it_is_whole(open_store: OpenStore, tmp_path: Path) -> None:
    open_store().close()
    (tmp_path / "blocks" / "00000007.pack").write_bytes(HEADER + bytes(5_000))
    store = open_store()
    assert store.recovered == (False, 0, 5_026, (), (), ())
    assert list((tmp_path / "blocks").iterdir()) == []
    store.put(BLOCKS)
    store.sync()
    assert [path.name for path in (tmp_path / "blocks").iterdir()] == ["00000008.pack"]


def test_a_lost_index_is_made_again_from_the_packs(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=5_000)
    store.put(BLOCKS)
    store.sync()
    store.delete([BLOCKS[3].cid])
    assert not store.pins_lost
    store.close()
    store.database.close()
    for path in tmp_path.glob("index.sqlite*"):
        path.unlink()
    store = open_store()
    assert store.recovered == (True, 20, 0, (), (), ())
    assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS)
    assert store.pins_lost
    assert open_store().pins_lost
    store = open_store()
    store.accept_lost_pins()
    assert not open_store().pins_lost


def test_an_older_index_learns_of_what_came_after_it(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(pack_size=5_000)
    store.put(BLOCKS[:6])
    store.close()
    store.database.close()
    backup = (tmp_path / "index.sqlite").read_bytes()
    store = open_store(pack_size=5_000)
    store.put(BLOCKS[6:])
    store.close()
    store.database.close()
    (tmp_path / "index.sqlite").write_bytes(backup)
    store = open_store()
    assert store.recovered == (False, 14, 0, (), (), ())
    assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS)
    assert not store.pins_lost


def test_the_same_block_in_two_packs_is_indexed_once(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    store.put(BLOCKS)
    store.close()
    store.database.close()
    pack = tmp_path / "blocks" / "00000001.pack"
    (tmp_path / "blocks" / "00000002.pack").write_bytes(pack.read_bytes())
    store = open_store()
    assert store.recovered.found == 0
    assert [path.name for path in (tmp_path / "blocks").iterdir()] == ["00000001.pack"]
    assert store.statistics().blocks == 20


def test_what_a_full_disk_has_no_room_to_index_waits_for_another_opening(open_store: OpenStore, tmp_path: Path) -> None:
    more = [block(number) for number in range(100, 3_000)]
    store = open_store()
    store.put(BLOCKS)
    store.sync()
    store.put(more)
    crash(store)
    with closing(Database(tmp_path / "index.sqlite")) as database:
        pages = database.query("PRAGMA page_count")[0][0]
        database._writer.execute(f"PRAGMA max_page_count = {pages + 4}").fetchall()
        with closing(PackBlockstore(tmp_path / "blocks", database)) as store:
            assert store.recovered.unread == (1,)
            assert all(store.get(cid, verify=True) == data for cid, data in BLOCKS)
            assert not store.has(more[-1].cid)
            database._writer.execute("PRAGMA max_page_count = 1000000").fetchall()
            store.put([block(5_000)])
            assert store.delete(item.cid for item in BLOCKS[1:]) == len(BLOCKS) - 1
            store.compact()
    store = open_store()
    assert store.recovered.unread == ()
    assert store.recovered.found > 2_000  # the others were in the buffer
    kept = [*more[: store.recovered.found], BLOCKS[0], block(5_000)]
    assert all(store.get(cid, verify=True) == data for cid, data in kept)
    assert not store.has(BLOCKS[1].cid)


def test_files_that_are_no_packs_are_left_alone(open_store: OpenStore, tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "notes.txt").write_text("mine")
    store = open_store()
    assert store.recovered == (False, 0, 0, (), (), ())
    assert not store.pins_lost
    assert (tmp_path / "blocks" / "notes.txt").read_text() == "mine"
