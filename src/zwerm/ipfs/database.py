"""The repository's one SQLite file: where blocks lie, what is pinned, the mutable files, the heads of histories.

One writer at a time, any number of readers beside it (WAL); a transaction survives power loss once it has returned
(`synchronous=FULL` syncs the log at every commit). Each owner defines its own tables with `define` and touches no
others. Calls block for as long as the disk does and may come from any thread.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import DiskFull, LocalProtocolError, StorageError

Parameters = Sequence[Any] | dict[str, Any]
Migration = str | Callable[[sqlite3.Connection], None]

_CACHE: Final = 16_384  # KiB of page cache for the writer: the upper levels of an index of 10 million blocks
_READER_CACHE: Final = 4_096  # KiB for each reader
_LOG_LIMIT: Final = 4 * 1024 * 1024  # bytes; the log file is cut back to this after a checkpoint
_INCREMENTAL: Final = 2  # the number of that kind of `auto_vacuum`
_VACUUM: Final = 512  # pages given back in one transaction: bounds the log
_BUSY: Final = 10.0  # seconds to wait for a lock that another process holds
_IDLE_READERS: Final = 8  # connections kept for the next query; more are opened when more threads ask at once
_PROBE: Final = 4_096  # bytes written to find out why SQLite could not
_ALONE: Final = "unix-excl"  # SQLite's VFS that keeps the index of the log in memory and other processes out
_UNSHARED: Final = frozenset(f"SQLITE_IOERR_SHM{what}" for what in ("SIZE", "OPEN", "MAP"))


class Database:
    """Transactions and queries on one file. Owns its connections until `close`.

    An I/O error, a full disk or damage is a `StorageError` wherever it shows.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file, or make it.

        On a disk without any room the log's index, which is a file that processes share, is kept in memory instead;
        then this process is alone with the database until it closes it.

        Raises:
            StorageError: it cannot be opened, or is no database.
        """
        self.path = os.fspath(path)
        self._lock = threading.RLock()
        self._depth = 0
        self._owner: int | None = None  # the thread inside a transaction
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._closed = False
        self._address = f"file:{quote(os.fsencode(self.path))}"
        with _translated(self.path):
            try:
                self._writer = self._open()
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorname", "") not in _UNSHARED:
                    raise
                self._address += f"?vfs={_ALONE}"
                self._writer = self._open()

    def _open(self) -> sqlite3.Connection:
        writer = self._connect()
        try:
            self._prepare(writer)
        except BaseException:
            writer.close()
            raise
        return writer

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._address, timeout=_BUSY, isolation_level=None, check_same_thread=False, cached_statements=256, uri=True
        )

    @staticmethod
    def _prepare(writer: sqlite3.Connection) -> None:
        if writer.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
            writer.execute("PRAGMA auto_vacuum = INCREMENTAL")  # takes effect in an empty file only, and writes in any
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA synchronous = FULL")
        writer.execute(f"PRAGMA cache_size = -{_CACHE}")
        writer.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
        writer.execute("PRAGMA foreign_keys = ON")
        writer.execute(
            "CREATE TABLE IF NOT EXISTS schema (owner TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"
        )

    def define(self, owner: str, migrations: Sequence[Migration]) -> int:
        """Bring the owner's tables up to date; return the version they had before (0: they are new).

        `migrations[i]` takes them from version i to i + 1: SQL statements, or a function of the connection. Entries
        are only ever added at the end. All missing ones run in one transaction.

        Raises:
            StorageError: the tables were made by a newer version.
        """
        with self.transaction() as connection:
            found = connection.execute("SELECT version FROM schema WHERE owner = ?", (owner,)).fetchone()
            version = int(found[0]) if found else 0
            if version > len(migrations):
                raise StorageError(
                    f"{self.path} was written by a newer zwerm ({owner} version {version}, "
                    f"this one knows {len(migrations)}); use that one"
                )
            for migration in migrations[version:]:
                if callable(migration):
                    migration(connection)
                else:
                    for statement in migration.split(";"):
                        connection.execute(statement)
            if version < len(migrations):
                connection.execute("INSERT OR REPLACE INTO schema VALUES (?, ?)", (owner, len(migrations)))
            return version

    def has(self, owner: str) -> bool:
        """Whether the owner's tables were ever defined."""
        return self.row("SELECT 1 FROM schema WHERE owner = ?", (owner,)) is not None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write in a transaction: durable when the block ends, undone when it raises.

        A transaction inside one of the same thread is a savepoint of the outer one. Others wait; so never await,
        and never wait for another thread, inside.
        """
        with self._lock, _translated(self.path):
            self._check_open()
            connection = self._writer
            depth = self._depth
            connection.execute(f"SAVEPOINT nested_{depth}" if depth else "BEGIN IMMEDIATE")
            self._depth, self._owner = depth + 1, threading.get_ident()
            try:
                yield connection
                connection.execute(f"RELEASE nested_{depth}" if depth else "COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # an I/O error may have rolled back already
                    if depth:
                        connection.execute(f"ROLLBACK TO nested_{depth}")
                        connection.execute(f"RELEASE nested_{depth}")
                    else:
                        connection.execute("ROLLBACK")
                raise
            finally:
                self._depth = depth
                if not depth:
                    self._owner = None

    @property
    def in_transaction(self) -> bool:
        """Whether the calling thread is inside a transaction."""
        return self._owner == threading.get_ident()

    def query(self, statement: str, parameters: Parameters = ()) -> list[Any]:
        """Return all rows of a SELECT: what is committed, or inside a transaction what that has written.

        Page through what may be long by its key (`WHERE key > ? ORDER BY key LIMIT ?`).
        """
        with self.reader() as connection:
            return connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Parameters = ()) -> Any | None:
        """Return the first row of a SELECT, or None."""
        with self.reader() as connection:
            cursor = connection.execute(statement, parameters)
            found = cursor.fetchone()
            cursor.close()  # an open cursor would keep this reader's view from moving on
            return found

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that only reads, for many queries in a row. Leave no cursor unfinished.

        Inside a transaction it is the writer's, which sees what was written.
        """
        if self.in_transaction:
            with _translated(self.path):
                yield self._writer
            return
        with self._readers_lock:
            self._check_open()
            connection = self._readers.pop() if self._readers else None
        with _translated(self.path):
            if connection is None:
                connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
                connection.execute(f"PRAGMA cache_size = -{_READER_CACHE}")
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        with self._readers_lock:
            if not self._closed and len(self._readers) < _IDLE_READERS:
                self._readers.append(connection)
                return
        connection.close()

    def size(self) -> int:
        """Bytes of the file and its log on the disk now."""
        return sum(_file_size(self.path + suffix) for suffix in ("", "-wal"))

    def shrink(self) -> None:
        """Give free pages back to the file system and fold the log into the file."""
        with self._lock, _translated(self.path):
            self._check_open()
            while self._writer.execute("PRAGMA freelist_count").fetchone()[0]:
                before = self._writer.execute("PRAGMA page_count").fetchone()[0]
                self._writer.execute(f"PRAGMA incremental_vacuum({_VACUUM})").fetchall()
                if self._writer.execute("PRAGMA page_count").fetchone()[0] == before:
                    break
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def snapshot(self, select: str) -> sqlite3.Connection:
        """Copy the rows of a SELECT to the table `rows` of a temporary database, in its order; the caller closes it.

        For work so long that an open view of this database would keep its log from being folded.
        """
        copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            with _translated(self.path):
                copy.execute("ATTACH DATABASE ? AS source", (self.path,))
                copy.execute(f"CREATE TABLE rows AS {select}")
                copy.execute("DETACH DATABASE source")
        except BaseException:
            copy.close()
            raise
        return copy

    def damage(self) -> list[str]:
        """Read the whole file; return what SQLite finds wrong with it (empty: nothing)."""
        try:
            rows = self.query("PRAGMA integrity_check(20)")
        except StorageError as error:
            return [str(error)]
        return [text for (text,) in rows if text != "ok"]

    def close(self) -> None:
        """Close every connection. Idempotent."""
        with self._lock, self._readers_lock:
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            self._writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise LocalProtocolError(f"{self.path} is closed")


@contextlib.contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.InternalError) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:  # a wrong statement: a bug of ours
            raise
        raise _explained(path, error) from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # a constraint, a wrong call: the owner's business
            raise
        raise _explained(path, error) from error


def _explained(path: str, error: sqlite3.Error) -> StorageError:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name == "SQLITE_FULL":
        return DiskFull(f"{path}: the disk is full; make room and try again")
    if name in ("SQLITE_CORRUPT", "SQLITE_NOTADB"):
        return StorageError(f"{path} is damaged ({error}); run `zwerm repo repair`")
    cause = _cause(path) if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")) else None
    if cause is not None:
        return disk_error(f"write {path}", cause)
    return StorageError(f"{path}: {error}")


def _cause(path: str) -> OSError | None:
    """Return what the system has against writing beside the database: SQLite itself does not say."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=os.path.dirname(os.path.abspath(path)), buffering=0) as probe:
            probe.write(b"?" * _PROBE)
            os.fsync(probe.fileno())
    except OSError as error:
        return error
    return None


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
