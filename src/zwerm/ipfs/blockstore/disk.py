"""Every call by which the pack store changes the disk, in one place that a test can replace.

A write without a sync is a wish. Each sync the store makes has a name here and a line that says what it protects;
`tests/ipfs/blockstore/test_power_loss.py` takes them away one at a time and expects a loss for each.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Sequence


class Sync(enum.Enum):
    """Why something is synced."""

    PACK = "the blocks of a pack, before the index says that they are there"
    NEW_PACK = "the directory entry of a new pack, before the index says that blocks lie in it"
    FOUND = "blocks found in a pack beyond what the index knew, before it learns of them"
    FOUND_PACK = "the directory entry of a pack that the index did not know, likewise"
    COPIES = "the copies that compaction made, before the index points to them and the originals go"
    COPIES_PACK = "the directory entry of the pack that copies go to, likewise"
    CUT = "the end of a pack of copies that were not finished, before what lies behind it could be taken for new blocks"
    CUT_LATER = "the same, when a crash came between and it is done on opening"
    SAVED = "the name of a database that takes the place of a damaged one"
    GONE = "the disappearance of an emptied pack, before the index forgets that it is to be unlinked"
    FOLDER = "the directory entry of the blocks folder itself, when the store is made"


class Disk:
    """The real disk."""

    def create(self, path: str) -> int:
        """Make a file that must not exist; return a descriptor for reading and writing."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def open(self, path: str, *, writing: bool = False) -> int:
        return os.open(path, (os.O_RDWR if writing else os.O_RDONLY) | os.O_CLOEXEC)

    def write(self, descriptor: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        """Write at `offset`; return how many bytes were taken, which may be fewer."""
        return os.pwritev(descriptor, buffers, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def sync(self, descriptor: int, reason: Sync) -> None:  # noqa: ARG002 -- for those who replace it
        """Wait until the file's bytes and size are on the medium."""
        os.fdatasync(descriptor)

    def sync_ahead(self, descriptor: int) -> None:
        """The same, for speed only: a `sync` with a reason always follows."""
        os.fdatasync(descriptor)

    def sync_directory(self, path: str, reason: Sync) -> None:  # noqa: ARG002 -- as above
        """Wait until the names in a directory are on the medium."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
