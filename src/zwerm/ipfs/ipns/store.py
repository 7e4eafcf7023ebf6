"""The records a node keeps: its own, with what they pointed at before, and the newest it has seen of others' names.

Keeping the newest on the disk is what makes "never an older for a newer" true across restarts: a peer that offers last
year's record to a node that was started a minute ago is not believed. Every call is one transaction of the repository's
database, durable when it returns; calls block for the disk and may come from any thread.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.database import Database
from zwerm.ipfs.ipns.record import Record

MAX_OTHERS: Final = 4_096  # records of names that are not ours; of more, those seen longest ago go
MAX_HISTORY: Final = 1_000  # earlier records of one of our names that are remembered

_MIGRATIONS: Final = (
    """CREATE TABLE ipns_record (name BLOB PRIMARY KEY, record BLOB NOT NULL, seen INTEGER NOT NULL,
           lifetime INTEGER) WITHOUT ROWID;
       CREATE INDEX ipns_record_seen ON ipns_record (seen) WHERE lifetime IS NULL;
       CREATE TABLE ipns_history (id INTEGER PRIMARY KEY, name BLOB NOT NULL, path TEXT NOT NULL,
           sequence TEXT NOT NULL, published INTEGER NOT NULL);
       CREATE INDEX ipns_history_name ON ipns_history (name, id)""",
)


@dataclasses.dataclass(frozen=True, slots=True)
class OwnRecord:
    """What is published under one of the node's own names."""

    name: PeerId
    record: Record
    lifetime: int  # nanoseconds each renewal lasts
    signed: int  # nanoseconds since 1970 of the last renewal


@dataclasses.dataclass(frozen=True, slots=True)
class Publication:
    """One thing that a name pointed at."""

    path: str
    sequence: int
    published: int  # nanoseconds since 1970


class RecordStore:
    """Records in the repository's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define("ipns", _MIGRATIONS)

    def find(self, name: PeerId) -> Record | None:
        """Return the newest record of a name, alive or not."""
        row = self._database.row("SELECT record FROM ipns_record WHERE name = ?", (name.multihash,))
        return Record.parse(bytes(row[0])) if row else None

    def keep(self, name: PeerId, record: Record, now: int) -> Record:
        """Keep a verified record if it is the newest; return the one that is, which may be another.

        Somebody who holds the key of one of our names elsewhere may publish too; then theirs is kept, as ours.
        """
        with self._database.transaction() as connection:
            held = self.find(name)
            if held is not None and held.rank >= record.rank:
                connection.execute("UPDATE ipns_record SET seen = ? WHERE name = ?", (now, name.multihash))
                return held
            connection.execute(
                "INSERT INTO ipns_record (name, record, seen) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET record = excluded.record, seen = excluded.seen",
                (name.multihash, record.encoded, now),
            )
            if held is None:
                connection.execute(
                    "DELETE FROM ipns_record WHERE name IN (SELECT name FROM ipns_record WHERE lifetime IS NULL "
                    "ORDER BY seen DESC, name LIMIT -1 OFFSET ?)",
                    (MAX_OTHERS,),
                )
        return record

    def publish(self, name: PeerId, record: Record, lifetime: int, now: int) -> None:
        """Keep a record that we signed; what it says anew is remembered in the name's history.

        Only for a record that supersedes the one that is here; see `publishing.plan`.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO ipns_record (name, record, seen, lifetime) VALUES (?, ?, ?, ?)",
                (name.multihash, record.encoded, now, lifetime),
            )
            last = self.history(name, limit=1)
            path = record.value.decode()
            if not last or last[0].path != path:
                connection.execute(
                    "INSERT INTO ipns_history (name, path, sequence, published) VALUES (?, ?, ?, ?)",
                    (name.multihash, path, str(record.sequence), now),
                )
                connection.execute(
                    "DELETE FROM ipns_history WHERE name = ? AND id <= (SELECT id FROM ipns_history WHERE name = ? "
                    "ORDER BY id DESC LIMIT 1 OFFSET ?)",
                    (name.multihash, name.multihash, MAX_HISTORY),
                )

    def own(self, name: PeerId) -> OwnRecord | None:
        """Return what is published under one name; None when we never published under it."""
        row = self._database.row(
            "SELECT name, record, lifetime, seen FROM ipns_record WHERE name = ? AND lifetime IS NOT NULL",
            (name.multihash,),
        )
        return _own(row) if row else None

    def all_own(self) -> list[OwnRecord]:
        """Return everything that this node publishes, by name."""
        return [
            _own(row)
            for row in self._database.query(
                "SELECT name, record, lifetime, seen FROM ipns_record WHERE lifetime IS NOT NULL ORDER BY name"
            )
        ]

    def history(self, name: PeerId, limit: int = MAX_HISTORY) -> list[Publication]:
        """Return what a name of ours pointed at, the newest first."""
        rows = self._database.query(
            "SELECT path, sequence, published FROM ipns_history WHERE name = ? ORDER BY id DESC LIMIT ?",
            (name.multihash, limit),
        )
        return [Publication(path, int(sequence), published) for path, sequence, published in rows]

    def forget(self, name: PeerId) -> bool:
        """Publish no longer under a name; return whether we did. Its record stays as one of somebody else's.

        So a key that is imported again goes on with the next sequence.
        """
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE ipns_record SET lifetime = NULL WHERE name = ? AND lifetime IS NOT NULL", (name.multihash,)
            )
            connection.execute("DELETE FROM ipns_history WHERE name = ?", (name.multihash,))
            return cursor.rowcount > 0


def _own(row: Any) -> OwnRecord:
    name, record, lifetime, seen = row
    return OwnRecord(PeerId(bytes(name)), Record.parse(bytes(record)), lifetime, seen)
