"""Which blocks a walk over many DAGs has met and which it has yet to read, in bounded memory.

The marks are a temporary SQLite database without a name: SQLite keeps some megabytes of it in memory and spills the
rest to a file that vanishes with it. A block is marked by multihash and codec, because the same bytes may be linked to
as raw and as something that has links.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from zwerm.ipfs.ipld import codec
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_CACHE: Final = 32 * 1024  # KiB of the marks kept in memory
_LEAVES: Final = (multicodec.RAW, multicodec.JSON, multicodec.CBOR)  # codecs without links


def is_leaf(cid: CID) -> bool:
    """Whether nothing can be found below a block, so that it need not be read."""
    return cid.codec in _LEAVES or not codec.known(cid.codec)


class Marks:
    """A set of marked blocks and a stack of those to be read. Any thread, one at a time. Close it."""

    def __init__(self) -> None:
        self.count = 0  # blocks marked
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._depth = 0  # of the stack
        self._round = 0
        execute = self._connection.execute
        execute("PRAGMA journal_mode = OFF")
        execute("PRAGMA synchronous = OFF")
        execute(f"PRAGMA cache_size = -{_CACHE}")
        execute(
            "CREATE TABLE marks (multihash BLOB, codec INTEGER, version INTEGER, round INTEGER,"
            " PRIMARY KEY (multihash, codec)) WITHOUT ROWID"
        )
        execute("CREATE TABLE stack (position INTEGER PRIMARY KEY, multihash BLOB, codec INTEGER, version INTEGER)")
        execute("BEGIN")  # and never commit: each commit would write changed pages out, which costs 40 times the work

    def add(self, cids: Iterable[CID]) -> list[CID]:
        """Mark blocks; return those that were not marked yet. What can have links waits for `pop`."""
        new = []
        execute = self._connection.execute
        for cid in cids:
            row = (cid.multihash, cid.codec, cid.version, self._round)
            if execute("INSERT OR IGNORE INTO marks VALUES (?, ?, ?, ?)", row).rowcount:
                new.append(cid)
                if not is_leaf(cid):
                    self._depth += 1
                    execute("INSERT INTO stack VALUES (?, ?, ?, ?)", (self._depth, *row[:3]))
        self.count += len(new)
        return new

    def add_alone(self, cids: Iterable[CID]) -> None:
        """Mark blocks and nothing below them."""
        self.add(CID(1, multicodec.RAW, cid.multihash) for cid in cids)

    def pop(self, limit: int) -> list[CID]:
        """Take the blocks to be read next, those found last first; empty when the walk is over."""
        bottom = max(self._depth - limit, 0)
        rows = self._connection.execute(
            "SELECT version, codec, multihash FROM stack WHERE position > ? ORDER BY position DESC", (bottom,)
        ).fetchall()
        self._connection.execute("DELETE FROM stack WHERE position > ?", (bottom,))
        self._depth = bottom
        return [CID(*row) for row in rows]

    def has(self, key: bytes) -> bool:
        """Whether the block of a multihash is marked, under any codec."""
        return self._connection.execute("SELECT 1 FROM marks WHERE multihash = ?", (key,)).fetchone() is not None

    def page(self, after: CID | None, limit: int) -> list[CID]:
        """Return marked blocks in the order of their multihashes, those behind `after`."""
        key, code = (after.multihash, after.codec) if after is not None else (b"", -1)
        rows = self._connection.execute(
            "SELECT version, codec, multihash FROM marks WHERE (multihash, codec) > (?, ?)"
            " ORDER BY multihash, codec LIMIT ?",
            (key, code, limit),
        )
        return [CID(*row) for row in rows.fetchall()]

    def begin_round(self) -> None:
        """From here on, marks can be taken back together."""
        self._round += 1

    def take_back_round(self) -> None:
        """Forget the marks of this round, and what waits to be read."""
        self.count -= self._connection.execute("DELETE FROM marks WHERE round = ?", (self._round,)).rowcount
        self._connection.execute("DELETE FROM stack")
        self._depth = 0

    def close(self) -> None:
        self._connection.close()
