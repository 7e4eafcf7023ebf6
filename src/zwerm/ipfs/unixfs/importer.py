"""From the disk, or from a stream: files, folders and symlinks become blocks, in bounded memory whatever lies there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final

from zwerm.ipfs.unixfs.batch import BlockBatch
from zwerm.ipfs.unixfs.builder import BlockSink, FileBuilder
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.entry import Entry
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.ignore import IgnoreRules
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.unixfs.walk import Follow, Selection, Walk, symlink

__all__ = ["Follow", "Importer", "OnEntry", "Progress", "symlink"]

_REPORT_BYTES: Final = 1024 * 1024  # bytes between two calls of `progress`
_REPORT_FILES: Final = 64

Progress = Callable[[int, int], None]  # bytes and files read so far
OnEntry = Callable[[str, Entry], None]  # a path below the added one ("" for itself) and what it became


class Importer:
    """Adds what lies on the disk. Synchronous: call it from a worker thread, one at a time.

    `progress` is called about every mebibyte and every 64 files, `on_entry` after every file, folder and symlink; an
    exception from either ends the work and passes through, which is how to cancel. After any exception the blocks
    that were put are garbage in the store. Everything is in the store when a method returns, and durable after the
    store's next `sync`.
    """

    def __init__(
        self,
        store: BlockSink,
        profile: Profile = DEFAULT,
        *,
        hashers: Hashers | None = None,
        progress: Progress | None = None,
        on_entry: OnEntry | None = None,
    ) -> None:
        self.profile = profile
        self.hashers = hashers
        self.on_entry = on_entry
        self._progress = progress
        self._batch = BlockBatch(store)
        self._bytes = 0
        self._files = 0
        self._reported = (0, 0)

    def add_file(self, pieces: Iterable[bytes], *, mode: int | None = None, mtime: Mtime | None = None) -> Entry:
        """Add one file from its bytes in order; an open binary file is read by `iter(partial(f.read, 2**20), b"")`."""
        try:
            builder = FileBuilder(self._batch, self.profile, hashers=self.hashers, mode=mode, mtime=mtime)
            for piece in pieces:
                builder.write(piece)
                self.count(len(piece), 0)
            entry = builder.finish()
            self._batch.flush()
        finally:
            self._batch.clear()
        self.count(0, 1, end=True)
        if self.on_entry is not None:
            self.on_entry("", entry)
        return entry

    def add_path(
        self,
        path: str | os.PathLike[str],
        *,
        recursive: bool = True,
        hidden: bool = False,
        ignore: IgnoreRules | None = None,
        follow: Follow = Follow.NOTHING,
    ) -> Entry:
        """Add a file, a symlink, or a folder with all that is in it.

        Names in a folder that begin with a dot are left out unless `hidden`, and so is what `ignore` matches.

        Raises:
            ImportFailed: something cannot be read, is neither file, folder nor symlink, or is a folder though not
                `recursive`; the message names it.
            FileChanged: a file changed each time it was read.
            ResourceLimitError: the store's quota is reached.
        """
        try:
            selection = Selection(hidden, ignore, follow)
            walk = Walk(os.fspath(path), selection, self.profile, self._batch, self, self.hashers)
            entry = walk.add(recursive=recursive)
            self._batch.flush()
        finally:
            self._batch.clear()
        self.count(0, 0, end=True)
        return entry

    def count(self, size: int, files: int, *, end: bool = False) -> None:
        """Report that so much more was read, when it is time to."""
        self._bytes += size
        self._files += files
        if self._progress is None:
            return
        due = self._bytes - self._reported[0] >= _REPORT_BYTES or self._files - self._reported[1] >= _REPORT_FILES
        if due or (end and self._reported != (self._bytes, self._files)):
            self._reported = (self._bytes, self._files)
            self._progress(self._bytes, self._files)
