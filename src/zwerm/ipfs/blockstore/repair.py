"""Repair: dropping what is damaged, so that everything the store says it has is there; and saving a damaged index.

Blocks cannot be healed here, only named: who still has one puts it again. The index can be, because the packs hold
everything it says about blocks; the other tables of the database are copied as far as they can be read.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from zwerm.core.errors import StorageError
from zwerm.ipfs.blockstore import index as block_index
from zwerm.ipfs.blockstore.disk import Disk, Sync
from zwerm.ipfs.blockstore.index import Index
from zwerm.ipfs.blockstore.pack import HEADER
from zwerm.ipfs.blockstore.packfiles import PackFiles
from zwerm.ipfs.database import Database


class Saved(NamedTuple):
    """What became of a damaged database."""

    kept_as: str  # where the damaged file lies now
    rows: dict[str, int]  # table -> rows copied
    damaged: list[str]  # tables of which something was lost

    @property
    def whole(self) -> bool:
        return not self.damaged


def settle_packs(index: Index, files: PackFiles, disk: Disk) -> None:
    """Make the packs' rows true again after damaged blocks were dropped: live bytes, lost ends, lost files."""
    with index.database.transaction() as connection:
        truth = {
            number: (live, end)
            for number, live, end in connection.execute(
                "SELECT pack, sum(size + head), max(offset + size) FROM blocks GROUP BY pack"
            )
        }
        for row in index.packs():
            live, end = truth.get(row.number, (0, len(HEADER)))
            file = files.find(row.number)
            if file is None:
                connection.execute("DELETE FROM packs WHERE number = ?", (row.number,))
                continue
            committed = row.committed
            if file.size < committed:
                committed = min(end, file.size)
                _cut(files, row.number, committed, disk)
            connection.execute(
                "UPDATE packs SET live = ?, committed = ? WHERE number = ?", (live, committed, row.number)
            )


def _cut(files: PackFiles, number: int, size: int, disk: Disk) -> None:
    """End a pack behind its last whole block. Not synced: an end that comes back proves itself or is cut again."""
    file = files.acquire(number, writing=True)
    if file is None:
        return
    try:
        disk.truncate(file.descriptor, size)
        file.size = size
    finally:
        files.release(file)


def save_database(path: str | os.PathLike[str], disk: Disk | None = None) -> Saved:
    """Move a damaged database aside and make a new one from what can be read of it; nobody may have it open.

    The blockstore's own tables are left out: opening the store makes them again from the packs. Everything is in place,
    durable, or nothing has changed.

    Raises:
        StorageError: the disk is full or failed.
    """
    path = os.fspath(path)
    aside = _free_name(path + ".damaged")
    fresh = path + ".new"
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh + suffix)
    saved = Saved(aside, {}, [])
    database = Database(fresh)
    try:
        with contextlib.closing(sqlite3.connect(path)) as old:
            _copy(old, database, saved)
    except sqlite3.Error as error:
        saved.damaged.append(f"everything ({error})")
    finally:
        database.close()
    try:
        os.link(path, aside)
        for suffix in ("-wal", "-shm"):  # they belong to the old file: replayed into the new one the log would harm it
            with contextlib.suppress(FileNotFoundError):
                os.replace(path + suffix, aside + suffix)
        os.replace(fresh, path)
        (disk or Disk()).sync_directory(os.path.dirname(os.path.abspath(path)), Sync.SAVED)
    except OSError as error:
        raise StorageError(f"cannot put the saved database in place of {path}: {error.strerror}") from error
    return saved


def open_database(path: str | os.PathLike[str], *, save: bool) -> tuple[Database, Saved | None]:
    """Open the database; with `save`, a damaged one is first replaced by what can be read of it.

    Raises:
        StorageError: it is damaged and not to be saved, or the disk failed.
    """
    if save and os.path.exists(path) and _is_damaged(path):
        saved = save_database(path)
        return Database(path), saved
    return Database(path), None


def _is_damaged(path: str | os.PathLike[str]) -> bool:
    try:
        with contextlib.closing(Database(path)) as database:
            return bool(database.damage())
    except (StorageError, sqlite3.Error):
        return True


def _copy(old: sqlite3.Connection, database: Database, saved: Saved) -> None:
    tables = old.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL").fetchall()
    others = old.execute("SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL").fetchall()
    with database.transaction() as connection:
        for name, statement in tables:
            if name in block_index.TABLES or name.startswith("sqlite_"):
                continue
            if name != "schema":
                connection.execute(statement)
            saved.rows[name] = 0
            try:
                for row in _rows(old, name):
                    marks = ", ".join("?" * len(row))
                    connection.execute(f'INSERT OR IGNORE INTO "{name}" VALUES ({marks})', row)  # noqa: S608
                    saved.rows[name] += 1
            except sqlite3.DatabaseError:
                saved.damaged.append(name)
        connection.execute("DELETE FROM schema WHERE owner = ?", (block_index.OWNER,))
        for (statement,) in others:
            connection.execute(statement)


def _rows(old: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """Read a table from its beginning, and where that ends in damage, from its end too; then raise the damage."""
    try:
        yield from old.execute(f'SELECT * FROM "{table}"')  # noqa: S608
    except sqlite3.DatabaseError:
        keys = [row[1] for row in old.execute(f'PRAGMA table_info("{table}")') if row[5]] or ["rowid"]
        order = ", ".join(f'"{key}" DESC' for key in keys)
        yield from old.execute(f'SELECT * FROM "{table}" ORDER BY {order}')  # noqa: S608
        raise


def _free_name(path: str) -> str:
    number = 1
    while os.path.exists(f"{path}-{number}"):
        number += 1
    return f"{path}-{number}"
