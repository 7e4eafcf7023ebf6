"""Verification: reading every block of a pack store and hashing it, in the order in which they lie on the disk.

It works on a copy of the index's list taken at the start, so it may last for hours without holding anything up; what
was deleted or moved since is looked up again before it is called damaged. A block that is found damaged is not served
from then on; one that turns out to be whole again is.
"""

from __future__ import annotations

import enum
import os
import sqlite3
import threading
from collections.abc import Callable
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.blockstore.index import Index, Place
from zwerm.ipfs.blockstore.packfiles import PackFiles
from zwerm.multiformats import multihash, varint
from zwerm.multiformats.cid import CID

_STEP: Final = 64  # blocks read in one step
_BYTES: Final = 16 * 1024 * 1024  # bytes after which a step ends


class Finding(enum.Enum):
    """What a block's bytes in the pack are."""

    WHOLE = "they hash to its multihash"
    UNLABELLED = "they do, but the length and CID before them are damaged, so that a scan would not find the block"
    CORRUPT = "they are something else, cut short, or cannot be read"


class Verification:
    """One verification: call `step` until it returns False, or stop at any time; then `close`. Any thread."""

    def __init__(self, index: Index, files: PackFiles, judge: Callable[[bytes, Finding], None]) -> None:
        """Copy the list of blocks; `judge` is told what every block was found to be."""
        self.blocks = 0  # read so far
        self.size = 0  # bytes of these
        self.corrupt: list[bytes] = []  # multihashes
        self.unlabelled: list[bytes] = []
        self.index_damage = index.database.damage()  # what SQLite says of the database; empty: nothing
        self._index = index
        self._files = files
        self._judge = judge
        self._lock = threading.Lock()
        self._rows = index.database.snapshot("SELECT multihash, pack, offset, size, head FROM blocks ORDER BY 2, 3")
        self.total: int = self._rows.execute("SELECT count(*) FROM rows").fetchone()[0]  # blocks to be read

    def step(self) -> bool:
        """Read some more blocks; False when all have been read.

        Raises:
            StorageError: the database failed.
        """
        with self._lock:
            end = self.size + _BYTES
            for key, pack, offset, size, head in self._next():
                self._judge(key, self._examine(key, Place(pack, offset, size, head, 0)))
                self.blocks += 1
                self.size += size
                if self.size >= end:
                    break
            return self.blocks < self.total

    def close(self) -> None:
        with self._lock:
            self._rows.close()

    def _next(self) -> list[tuple[bytes, int, int, int, int]]:
        try:
            return self._rows.execute(
                "SELECT multihash, pack, offset, size, head FROM rows WHERE rowid > ? ORDER BY rowid LIMIT ?",
                (self.blocks, _STEP),
            ).fetchall()
        except sqlite3.ProgrammingError:
            return []  # closed

    def _examine(self, key: bytes, place: Place) -> Finding:
        finding = self._read(key, place)
        while finding is Finding.CORRUPT:
            now = self._index.find(key)
            if now is None:
                return Finding.WHOLE  # deleted meanwhile
            if now[:2] == place[:2]:
                break
            place = now  # moved meanwhile
            finding = self._read(key, place)
        if finding is Finding.CORRUPT:
            self.corrupt.append(key)
        elif finding is Finding.UNLABELLED:
            self.unlabelled.append(key)
        return finding

    def _read(self, key: bytes, place: Place) -> Finding:
        try:
            file = self._files.acquire(place.pack)
        except OSError:
            return Finding.CORRUPT
        if file is None:
            return Finding.CORRUPT
        try:
            section = os.pread(file.descriptor, place.head + place.size, place.offset - place.head)
        except OSError:
            return Finding.CORRUPT
        finally:
            self._files.release(file)
        data = section[place.head :]
        if len(data) != place.size or not _is_block(key, data):
            return Finding.CORRUPT
        return Finding.WHOLE if _is_label(key, section[: place.head], place.size) else Finding.UNLABELLED


def _is_block(key: bytes, data: bytes) -> bool:
    try:
        return multihash.verify(key, data)
    except (WireError, LocalProtocolError):
        return False


def _is_label(key: bytes, head: bytes, size: int) -> bool:
    try:
        length, start = varint.parse_prefix(head)
        cid = CID.parse(head[start:])
    except WireError:
        return False
    return cid.multihash == key and length == len(head) - start + size
