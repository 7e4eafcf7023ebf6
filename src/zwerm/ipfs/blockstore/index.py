"""The blockstore's tables in the database: where each block lies, and how full each pack is.

`blocks` is keyed by multihash. `packs` says up to which byte a pack's content is acknowledged and how many of these
bytes belong to blocks that are still there. What the file holds beyond that was never promised to anybody.
"""

from __future__ import annotations

import enum
import itertools
import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.ipfs.database import Database

if TYPE_CHECKING:
    from zwerm.ipfs.blockstore.pack import Section

OWNER: Final = "blockstore"
_AT_ONCE: Final = 256  # blocks looked up by one statement
TABLES: Final = ("blocks", "packs", "damaged", "blockstore_state")

_MIGRATIONS: Final = (
    """
    CREATE TABLE blocks (
        multihash BLOB PRIMARY KEY,
        pack INTEGER NOT NULL,
        offset INTEGER NOT NULL,  -- of the block's bytes in the pack
        size INTEGER NOT NULL,    -- of the block
        head INTEGER NOT NULL,    -- bytes of its section before the block
        epoch INTEGER NOT NULL    -- when it was last put or found again
    ) WITHOUT ROWID;
    CREATE TABLE packs (
        number INTEGER PRIMARY KEY,
        committed INTEGER NOT NULL,  -- bytes of the file that are acknowledged
        live INTEGER NOT NULL,       -- of these, in sections of blocks in the table above
        role INTEGER NOT NULL
    );
    CREATE TABLE damaged (multihash BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE blockstore_state (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID
    """,
)


class Role(enum.IntEnum):
    """What to do with a pack's file after a crash."""

    KEPT = 0  # it holds blocks
    COPIES = 1  # compaction was writing it: every block in it is elsewhere too
    EMPTIED = 2  # compaction copied everything out of it: it only waits to be unlinked


class Place(NamedTuple):
    """Where a block lies."""

    pack: int
    offset: int
    size: int
    head: int
    epoch: int


class PackRow(NamedTuple):
    """A row of `packs`."""

    number: int
    committed: int
    live: int
    role: int


class Index:
    """Queries and changes. Methods that take a connection are called inside `Database.transaction`."""

    def __init__(self, database: Database, *, has_packs: bool = False) -> None:
        self.database = database
        with database.transaction() as connection:
            if database.define(OWNER, _MIGRATIONS) == 0 and has_packs:
                self.set_state(connection, "rebuilt", 1)  # in one transaction: no crash may hide that pins were lost

    def find(self, multihash: bytes) -> Place | None:
        row = self.database.row("SELECT pack, offset, size, head, epoch FROM blocks WHERE multihash = ?", (multihash,))
        return Place(*row) if row else None

    def find_many(self, keys: Iterable[bytes]) -> dict[bytes, Place]:
        """Return the places of those that are here."""
        remaining = iter(keys)
        found = {}
        with self.database.reader() as connection:
            while part := list(itertools.islice(remaining, _AT_ONCE)):
                marks = ", ".join("?" * len(part))
                rows = connection.execute(
                    "SELECT multihash, pack, offset, size, head, epoch FROM blocks"  # noqa: S608 -- nothing but marks
                    f" WHERE multihash IN ({marks})",
                    part,
                )
                for key, *place in rows.fetchall():
                    found[key] = Place(*place)
        return found

    def page(self, after: bytes, limit: int) -> list[bytes]:
        rows = self.database.query(
            "SELECT multihash FROM blocks WHERE multihash > ? ORDER BY multihash LIMIT ?", (after, limit)
        )
        return [key for (key,) in rows]

    def old_page(self, after: bytes, limit: int, threshold: int) -> list[bytes]:
        rows = self.database.query(
            "SELECT multihash FROM blocks WHERE multihash > ? AND epoch < ? ORDER BY multihash LIMIT ?",
            (after, threshold, limit),
        )
        return [key for (key,) in rows]

    def packs(self) -> list[PackRow]:
        return [PackRow(*row) for row in self.database.query("SELECT number, committed, live, role FROM packs")]

    def count(self) -> tuple[int, int]:
        """Number of blocks and the sum of their sizes."""
        blocks, size = self.database.query("SELECT count(*), coalesce(sum(size), 0) FROM blocks")[0]
        return blocks, size

    def damaged(self) -> list[bytes]:
        return [key for (key,) in self.database.query("SELECT multihash FROM damaged")]

    @staticmethod
    def set_damaged(connection: sqlite3.Connection, key: bytes, *, damaged: bool) -> None:
        if damaged:
            connection.execute("INSERT OR IGNORE INTO damaged VALUES (?)", (key,))
        else:
            connection.execute("DELETE FROM damaged WHERE multihash = ?", (key,))

    def state(self, key: str) -> int:
        row = self.database.row("SELECT value FROM blockstore_state WHERE key = ?", (key,))
        return int(row[0]) if row else 0

    @staticmethod
    def set_state(connection: sqlite3.Connection, key: str, value: int) -> None:
        connection.execute("INSERT OR REPLACE INTO blockstore_state VALUES (?, ?)", (key, value))

    def insert(self, connection: sqlite3.Connection, places: dict[bytes, Place]) -> dict[int, int]:
        """Add blocks; those that are here already stay where they are. Return the live bytes each pack gained."""
        rows = [(key, *place) for key, place in places.items()]
        try:
            with self.database.transaction():  # a savepoint
                connection.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)", rows)
            added = places
        except sqlite3.IntegrityError:
            statement = "INSERT OR IGNORE INTO blocks VALUES (?, ?, ?, ?, ?, ?)"
            added = {row[0]: places[row[0]] for row in rows if connection.execute(statement, row).rowcount}
        gained: dict[int, int] = {}
        for place in added.values():
            gained[place.pack] = gained.get(place.pack, 0) + place.size + place.head
        return gained

    @staticmethod
    def touch(connection: sqlite3.Connection, touched: dict[bytes, int]) -> None:
        connection.executemany(
            "UPDATE blocks SET epoch = ?2 WHERE multihash = ?1 AND epoch < ?2", sorted(touched.items())
        )

    @staticmethod
    def delete(connection: sqlite3.Connection, places: dict[bytes, Place], *, damaged: Iterable[bytes] = ()) -> None:
        """Remove blocks, those that are damaged from their list too, and their share of the packs' live bytes."""
        connection.executemany("DELETE FROM blocks WHERE multihash = ?", [(key,) for key in sorted(places)])
        connection.executemany("DELETE FROM damaged WHERE multihash = ?", [(key,) for key in damaged])
        shares: dict[int, int] = {}
        for place in places.values():
            shares[place.pack] = shares.get(place.pack, 0) + place.size + place.head
        connection.executemany("UPDATE packs SET live = live - ?2 WHERE number = ?1", sorted(shares.items()))

    @staticmethod
    def grow_pack(connection: sqlite3.Connection, number: int, committed: int, live: int) -> None:
        """Set a pack's acknowledged size and add to its live bytes."""
        connection.execute(
            "INSERT INTO packs VALUES (?1, ?2, ?3, 0)"
            " ON CONFLICT (number) DO UPDATE SET committed = ?2, live = live + ?3",
            (number, committed, live),
        )

    @staticmethod
    def move(connection: sqlite3.Connection, old: int, new: int, moved: Sequence[tuple[Section, Section]]) -> int:
        """Point blocks that are still in the old pack at their copies; return how many bytes live on in the new one."""
        gone = live = 0
        for before, after in sorted(moved, key=lambda pair: pair[0].cid.multihash):
            if connection.execute(
                "UPDATE blocks SET pack = ?, offset = ?, head = ? WHERE multihash = ? AND pack = ? AND offset = ?",
                (new, after.offset, after.head, before.cid.multihash, old, before.offset),
            ).rowcount:
                gone += before.head + before.size
                live += after.head + after.size
        connection.execute("UPDATE packs SET live = live - ? WHERE number = ?", (gone, old))
        return live

    @staticmethod
    def set_role(connection: sqlite3.Connection, number: int, role: Role) -> None:
        connection.execute(
            "INSERT INTO packs VALUES (?1, 0, 0, ?2) ON CONFLICT (number) DO UPDATE SET role = ?2", (number, int(role))
        )

    @staticmethod
    def end_pack(connection: sqlite3.Connection, number: int, committed: int) -> None:
        """Let a pack end earlier; until it has another role again, what lies behind that is cut off after a crash."""
        connection.execute(
            "UPDATE packs SET committed = ?, role = ? WHERE number = ?", (committed, int(Role.COPIES), number)
        )

    @staticmethod
    def drop_packs(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
        connection.executemany("DELETE FROM packs WHERE number = ?", [(number,) for number in numbers])
