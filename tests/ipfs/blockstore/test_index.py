"""The index: where blocks lie, and sums that stay true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from zwerm.ipfs.blockstore.index import Index, PackRow, Place, Role
from zwerm.ipfs.blockstore.pack import Section
from zwerm.ipfs.database import Database
from zwerm.multiformats.cid import CID


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    database = Database(tmp_path / "index.sqlite")
    yield Index(database)
    database.close()


def insert(index: Index, places: dict[bytes, Place]) -> dict[int, int]:
    with index.database.transaction() as connection:
        gained = index.insert(connection, places)
        for number, live in gained.items():
            index.grow_pack(connection, number, 1_000, live)
    return gained


def test_blocks_are_found_and_paged(index: Index) -> None:
    places = {bytes([number]): Place(1 + number % 2, number * 100, 60, 40, number) for number in range(20)}
    assert insert(index, places) == {1: 1_000, 2: 1_000}
    assert index.find(b"\x05") == places[b"\x05"]
    assert index.find(b"\xff") is None
    assert index.find_many([b"\x01", b"\xff", b"\x02"]) == {key: places[key] for key in (b"\x01", b"\x02")}
    assert index.page(b"", 5) == sorted(places)[:5]
    assert index.page(b"\x11", 5) == [b"\x12", b"\x13"]
    assert index.old_page(b"", 100, 3) == [b"\x00", b"\x01", b"\x02"]
    assert index.count() == (20, 1_200)


def test_a_block_that_is_there_stays_where_it_is_and_counts_once(index: Index) -> None:
    insert(index, {b"a": Place(1, 100, 60, 40, 0)})
    assert insert(index, {b"a": Place(2, 500, 60, 40, 0), b"b": Place(2, 600, 60, 40, 0)}) == {2: 100}
    assert index.find(b"a") == Place(1, 100, 60, 40, 0)
    assert insert(index, {b"a": Place(1, 100, 60, 40, 0)}) == {}
    assert index.packs() == [PackRow(1, 1_000, 100, 0), PackRow(2, 1_000, 100, 0)]


def test_deleting_takes_its_share_of_the_pack(index: Index) -> None:
    places = {bytes([number]): Place(number // 2, 100, 60, 40, 0) for number in range(2, 6)}
    insert(index, places)
    with index.database.transaction() as connection:
        index.set_damaged(connection, b"\x02", damaged=True)
        index.delete(connection, {key: places[key] for key in (b"\x02", b"\x03", b"\x04")}, damaged=[b"\x02"])
    assert [row.live for row in index.packs()] == [0, 100]
    assert index.damaged() == []


def test_moving_touches_only_blocks_that_are_still_there(index: Index) -> None:
    cids = [CID.of(b"%d" % number) for number in range(3)]
    insert(index, {cid.multihash: Place(1, 100 * n, 60, 40, 0) for n, cid in enumerate(cids)})
    before = [Section(cid, 100 * n, 60, 40, intact=True) for n, cid in enumerate(cids)]
    after = [section._replace(offset=section.offset + 7, head=38) for section in before]
    with index.database.transaction() as connection:
        index.delete(connection, {cids[1].multihash: Place(1, 100, 60, 40, 0)})
        assert index.move(connection, 1, 2, list(zip(before, after, strict=True))) == 2 * 98
        index.grow_pack(connection, 2, 500, 2 * 98)
    assert index.find(cids[0].multihash) == Place(2, 7, 60, 38, 0)
    assert [row.live for row in index.packs()] == [0, 196]


def test_epochs_only_grow(index: Index) -> None:
    insert(index, {b"a": Place(1, 100, 60, 40, 5)})
    with index.database.transaction() as connection:
        index.touch(connection, {b"a": 9, b"absent": 9})
        index.touch(connection, {b"a": 7})
    found = index.find(b"a")
    assert found is not None
    assert found.epoch == 9


def test_roles_and_state(index: Index) -> None:
    assert index.state("epoch") == 0
    with index.database.transaction() as connection:
        index.set_state(connection, "epoch", 12)
        index.set_role(connection, 4, Role.COPIES)
        index.grow_pack(connection, 4, 300, 50)
        index.set_role(connection, 5, Role.EMPTIED)
    assert index.state("epoch") == 12
    assert index.packs() == [PackRow(4, 300, 50, Role.COPIES), PackRow(5, 0, 0, Role.EMPTIED)]
    with index.database.transaction() as connection:
        index.drop_packs(connection, [5])
    assert len(index.packs()) == 1


def test_an_index_made_beside_packs_remembers_that_pins_were_lost(tmp_path: Path) -> None:
    for has_packs in (False, True):
        database = Database(tmp_path / f"{has_packs}.sqlite")
        assert bool(Index(database, has_packs=has_packs).state("rebuilt")) is has_packs
        assert bool(Index(database, has_packs=True).state("rebuilt")) is has_packs
        database.close()
