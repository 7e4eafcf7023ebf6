"""The versions of this node's own files: a row for each commit, in the order they were made.

The blocks say what happened; the table says it faster (no block is read to find a version by number, date or the
beginning of its CID) and adds what blocks cannot say: which versions are kept. Its order is that of the chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs.journal import Graft
from zwerm.multiformats.cid import CID

_MIGRATIONS: Final = (
    """
    CREATE TABLE versions (
        sequence INTEGER PRIMARY KEY, cid BLOB NOT NULL UNIQUE, root BLOB NOT NULL, time INTEGER NOT NULL,
        kept INTEGER NOT NULL DEFAULT 1, grafted INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX versions_dropped ON versions (sequence) WHERE kept = 0;
    CREATE TABLE versions_grafts (cid BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE versions_state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID
    """,
)
_PAGE: Final = 512  # rows read at a time
_COLUMNS: Final = "sequence, cid, root, time, kept, grafted"
_THINNED: Final = "thinned"  # the state that says that something was dropped once


class Row(NamedTuple):
    """A version of our own."""

    sequence: int  # rises with every commit, without gaps while nothing was cut off
    cid: CID
    root: CID
    time: int  # milliseconds since 1970
    kept: bool = True  # whether its content is
    grafted: bool = False  # whether its commit has grafts


class VersionTable:
    """The table. Calls block for the database; from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define("versions", _MIGRATIONS)

    def newest(self) -> Row | None:
        return next(iter(self._rows("", (), 1)), None)

    def count(self) -> int:
        """Return how many versions are listed, dropped ones that still have their commit included."""
        return int(self._database.query("SELECT COUNT(*) FROM versions")[0][0])

    def page(self, before: int | None = None) -> list[Row]:
        """Return the next versions from the newest down, or those older than a sequence number."""
        if before is None:
            return self._rows("", (), _PAGE)
        return self._rows("WHERE sequence < ?", (before,), _PAGE)

    def all(self) -> Iterator[Row]:
        """Yield every version, newest first, a page in memory at a time."""
        before = None
        while page := self.page(before):
            yield from page
            before = page[-1].sequence

    def between(self, low: bytes, high: bytes) -> list[Row]:
        """Return the versions whose binary CIDs lie in a range; of many, some."""
        return self._rows("WHERE cid BETWEEN ? AND ?", (low, high), 5)

    def find(self, cid: CID) -> Row | None:
        return next(iter(self.between(bytes(cid), bytes(cid))), None)

    def newer(self, sequence: int) -> int:
        """Return how many versions came after one."""
        return int(self._database.query("SELECT COUNT(*) FROM versions WHERE sequence > ?", (sequence,))[0][0])

    @property
    def thinned(self) -> bool:
        """Whether a version was ever dropped: from then on the newest commit no longer leads to all that is kept."""
        return bool(self._database.query("SELECT 1 FROM versions_state WHERE name = ?", (_THINNED,)))

    def grafts(self) -> list[CID]:
        """Return the commits of other chains that versions here go on from."""
        return [CID.parse(cid) for (cid,) in self._database.query("SELECT cid FROM versions_grafts")]

    def kept_roots(self) -> list[CID]:
        """Return the content of every version that is kept."""
        rows = self._database.query("SELECT DISTINCT root FROM versions WHERE kept")
        return [CID.parse(root) for (root,) in rows]

    def commits(self) -> list[CID]:
        """Return every commit that is listed."""
        return [CID.parse(cid) for (cid,) in self._database.query("SELECT cid FROM versions")]

    @staticmethod
    def add(connection: sqlite3.Connection, row: Row, grafts: Sequence[Graft]) -> None:
        """Write a new version down, inside the caller's transaction."""
        values = (row.sequence, bytes(row.cid), bytes(row.root), row.time, row.kept, row.grafted)
        connection.execute("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)", values)
        for graft in grafts:
            connection.execute("INSERT OR IGNORE INTO versions_grafts VALUES (?)", (bytes(graft.commit),))

    def drop(self, sequences: Sequence[int]) -> int:
        """Stop keeping the content of these versions; return how many had been kept. Durable when it returns."""
        with self._database.transaction() as connection:
            count = 0
            for sequence in sequences:
                statement = "UPDATE versions SET kept = 0 WHERE sequence = ? AND kept"
                count += connection.execute(statement, (sequence,)).rowcount
            if count:
                connection.execute("INSERT OR REPLACE INTO versions_state VALUES (?, 1)", (_THINNED,))
        return count

    def cut(self) -> int:
        """Forget the commits older than the oldest version that is kept; return how many."""
        with self._database.transaction() as connection:
            statement = "DELETE FROM versions WHERE sequence < (SELECT MIN(sequence) FROM versions WHERE kept)"
            return connection.execute(statement).rowcount

    def _rows(self, where: str, parameters: tuple[object, ...], limit: int) -> list[Row]:
        found = self._database.query(
            f"SELECT {_COLUMNS} FROM versions {where} ORDER BY sequence DESC LIMIT {limit}",  # noqa: S608 - ours
            parameters,
        )
        return [
            Row(sequence, CID.parse(cid), CID.parse(root), time, bool(kept), bool(grafted))
            for sequence, cid, root, time, kept, grafted in found
        ]
