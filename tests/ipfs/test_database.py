"""The database: what a transaction promises, to one thread and to many, and what its failures are called."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from zwerm.core.errors import LocalProtocolError, StorageError
from zwerm.ipfs.database import Database

TABLE = "CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER)"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "index.sqlite")
    database.define("things", [TABLE])
    yield database
    database.close()


def put(database: Database, name: str, size: int = 0) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES (?, ?)", (name, size))


def names(database: Database) -> list[str]:
    return [name for (name,) in database.query("SELECT name FROM things ORDER BY name")]


def test_what_a_transaction_wrote_is_there_in_the_next_process(tmp_path: Path, database: Database) -> None:
    put(database, "kept", 7)
    database.close()
    again = Database(tmp_path / "index.sqlite")
    assert again.row("SELECT name, size FROM things") == ("kept", 7)
    assert again.row("SELECT name FROM things WHERE size = 8") is None
    again.close()


def test_a_raising_transaction_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO things VALUES ('half', 1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(database) == []
    put(database, "next")


def test_an_inner_transaction_can_fail_alone(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as inner:
            inner.execute("INSERT INTO things VALUES ('inner', 1)")
            inner.execute("INSERT INTO things VALUES ('outer', 1)")

    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('outer', 1)")
        with pytest.raises(sqlite3.IntegrityError):
            fail()
        assert names(database) == ["outer"]
        with database.transaction() as inner:
            inner.execute("INSERT INTO things VALUES ('second', 1)")
    assert names(database) == ["outer", "second"]


def test_only_the_writing_thread_sees_an_open_transaction(database: Database) -> None:
    seen: list[object] = []
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('mine', 1)")
        assert database.in_transaction
        assert names(database) == ["mine"]
        thread = threading.Thread(target=lambda: seen.extend([names(database), database.in_transaction]))
        thread.start()
        thread.join()
    assert seen == [[], False]
    assert names(database) == ["mine"]


def test_writers_take_turns(database: Database) -> None:
    def write(part: int) -> None:
        for number in range(50):
            put(database, f"{part}-{number}")

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(database)) == 200


def test_tables_are_brought_up_to_date_once_and_in_order(tmp_path: Path, database: Database) -> None:
    put(database, "old", 3)

    def double(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE things SET size = size * 2")

    steps = [TABLE, "ALTER TABLE things ADD COLUMN kind TEXT; CREATE INDEX by_kind ON things (kind)", double]
    assert database.define("things", steps) == 1
    assert database.define("things", steps) == 3
    assert database.has("things")
    assert not database.has("others")
    assert database.query("SELECT * FROM things") == [("old", 6, None)]


def test_a_failing_migration_changes_nothing(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        database.define("things", [TABLE, "DROP TABLE things", "INSERT INTO nowhere VALUES (1)"])
    assert names(database) == []
    assert database.define("things", [TABLE]) == 1


def test_tables_of_a_newer_version_are_refused(database: Database) -> None:
    database.define("things", [TABLE, "DROP TABLE things"])
    with pytest.raises(StorageError, match=r"written by a newer zwerm \(things version 2, this one knows 1\)"):
        database.define("things", [TABLE])


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StorageError, match=r"index.sqlite is damaged .* run `zwerm repo repair`"):
        Database(tmp_path / "index.sqlite")


def test_a_folder_that_does_not_exist_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        Database(tmp_path / "nowhere" / "index.sqlite")


def test_a_full_disk_fails_the_transaction_and_nothing_else(database: Database) -> None:
    pages = database.query("PRAGMA page_count")[0][0]
    database._writer.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()
    put(database, "before")
    with pytest.raises(StorageError, match="the disk is full; make room and try again"):
        put(database, "x" * 100_000)
    assert names(database) == ["before"]
    database._writer.execute("PRAGMA max_page_count = 1000000").fetchall()
    put(database, "x" * 100_000)


def test_damage_is_found_and_said(tmp_path: Path, database: Database) -> None:
    assert database.damage() == []
    with database.transaction() as connection:
        connection.executemany("INSERT INTO things VALUES (?, 0)", [(f"{number:05}" * 10,) for number in range(2_000)])
    database.close()
    path = tmp_path / "index.sqlite"
    data = bytearray(path.read_bytes())
    data[20_000:24_000] = bytes(4_000)
    path.write_bytes(data)
    damaged = Database(path)
    assert damaged.damage() != []
    damaged.close()


def test_a_snapshot_stays_as_it_was_and_holds_nothing_up(database: Database) -> None:
    put(database, "b", 2)
    put(database, "a", 1)
    copy = database.snapshot("SELECT name, size FROM things ORDER BY name")
    put(database, "c", 3)
    assert copy.execute("SELECT * FROM rows").fetchall() == [("a", 1), ("b", 2)]
    copy.close()
    with pytest.raises(sqlite3.OperationalError, match="no such table: absent"):
        database.snapshot("SELECT * FROM absent")


def test_shrinking_gives_space_back(tmp_path: Path, database: Database) -> None:
    with database.transaction() as connection:
        connection.executemany("INSERT INTO things VALUES (?, 0)", [(f"{number}" * 50,) for number in range(5_000)])
    with database.transaction() as connection:
        connection.execute("DELETE FROM things")
    path = tmp_path / "index.sqlite"
    assert path.stat().st_size > 1_000_000
    database.shrink()
    assert path.stat().st_size < 100_000
    assert database.size() < 5_000_000  # the log is cut back to 4 MiB


def test_a_closed_database_says_so(database: Database) -> None:
    database.close()
    with pytest.raises(LocalProtocolError, match=r"index.sqlite is closed"):
        names(database)
    with pytest.raises(LocalProtocolError, match=r"index.sqlite is closed"):
        put(database, "late")
