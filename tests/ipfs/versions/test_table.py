"""The table of versions: order, ranges of CIDs, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs.journal import Graft
from zwerm.ipfs.versions import table as module
from zwerm.ipfs.versions.table import Row, VersionTable
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


def row(number: int) -> Row:
    return Row(number, CID.of(b"commit %d" % number, multicodec.DAG_CBOR), CID.of(b"root %d" % (number // 2)), number)


@pytest.fixture
def table(tmp_path) -> Iterator[VersionTable]:
    database = Database(tmp_path / "index.sqlite")
    made = VersionTable(database)
    with database.transaction() as connection:
        for number in range(1, 11):
            made.add(connection, row(number), [])
    yield made
    database.close()


def test_versions_come_newest_first_a_page_at_a_time(table: VersionTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    assert [found.sequence for found in table.page()] == [10, 9, 8]
    assert [found.sequence for found in table.page(8)] == [7, 6, 5]
    assert list(table.all()) == [row(number) for number in range(10, 0, -1)]
    assert table.newest() == row(10)
    assert table.count() == 10
    assert table.newer(7) == 3


def test_a_commit_is_found_by_a_range_of_cids(table: VersionTable) -> None:
    assert table.find(row(4).cid) == row(4)
    assert table.find(CID.of(b"none", multicodec.DAG_CBOR)) is None
    everything = table.between(b"\x00", b"\xff" * 40)
    assert len(everything) == 5


def test_what_is_dropped_loses_its_content_and_keeps_its_commit(table: VersionTable) -> None:
    assert not table.thinned
    assert table.drop([3, 4, 4, 99]) == 2
    assert table.thinned
    assert [found.sequence for found in table.all() if not found.kept] == [4, 3]
    assert set(table.commits()) == {row(number).cid for number in range(1, 11)}
    assert set(table.kept_roots()) == {CID.of(b"root %d" % number) for number in range(6)}
    table.drop([2, 5])
    assert CID.of(b"root 2") not in table.kept_roots()


def test_commits_older_than_all_that_is_kept_are_cut_off(table: VersionTable) -> None:
    table.drop([1, 2, 3, 5])
    assert table.cut() == 3
    assert [found.sequence for found in table.all()] == [10, 9, 8, 7, 6, 5, 4]
    assert table.cut() == 0


def test_dropping_nothing_thins_nothing(table: VersionTable) -> None:
    assert table.drop([]) == 0
    assert not table.thinned


def test_grafts_are_remembered_once(table: VersionTable, tmp_path) -> None:
    commit = CID.of(b"other chain", multicodec.DAG_CBOR)
    with table._database.transaction() as connection:
        for number in (11, 12):
            table.add(connection, row(number)._replace(grafted=True), [Graft("/", commit)])
    assert table.grafts() == [commit]
    assert table.newest().grafted
