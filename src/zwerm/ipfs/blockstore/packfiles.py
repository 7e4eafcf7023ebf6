"""The pack files on the disk: their descriptors, who reads from them, and how much space they take.

A file that compaction has emptied is unlinked at once, and its descriptor closed when the last reader is done; only
then is its space free, and only then does it stop counting.

Nobody but the store writes to a pack. When a file's time of change is another one than the store's own last write left
behind, somebody did, and what was known of its blocks is known no more: the file gets a new series.
"""

from __future__ import annotations

import collections
import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.blockstore.checked import Checked
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.pack import file_name

_OPEN: Final = 128  # descriptors kept open at rest; those in use come on top


class PackFile:
    """One pack and its descriptor."""

    __slots__ = (
        "changed",
        "descriptor",
        "lent",
        "number",
        "path",
        "readers",
        "series",
        "size",
        "unlinked",
        "writable",
        "writing",
    )

    def __init__(self, number: int, path: str, size: int, series: int) -> None:
        self.number = number
        self.path = path
        self.size = size  # bytes of the file
        self.descriptor = -1  # closed
        self.writable = False
        self.readers = 0
        self.lent = 0  # the epoch at which its descriptor was last given out by `locate`; 0: not
        self.unlinked = False
        self.series = series  # stands for the file as it was when it was last seen to be as we left it
        self.changed = -1  # its time of change then, in nanoseconds
        self.writing = 0  # writes of our own under way


class PackFiles:
    """All packs of a store. Any thread."""

    def __init__(self, folder: str, disk: Disk, holds: Holds) -> None:
        self.folder = folder
        self.checked = Checked()  # blocks, by their file's series and their offset
        self._disk = disk
        self._holds = holds
        self._files: dict[int, PackFile] = {}
        self._open: collections.OrderedDict[int, PackFile] = collections.OrderedDict()  # by last use
        self._leaving: list[PackFile] = []  # unlinked, still read from
        self._closed = False
        self._last = 0  # the highest number given out
        self._series = 0  # the highest one given out
        self._lock = threading.Lock()

    def path(self, number: int) -> str:
        return os.path.join(self.folder, file_name(number))

    def add(self, number: int, size: int) -> PackFile:
        """Know of a file that is on the disk."""
        with self._lock:
            self._last = max(self._last, number)
            file = self._files[number] = PackFile(number, self.path(number), size, self._next_series())
            return file

    def skip(self, number: int) -> None:
        """Make no file of this number or a smaller one: the index may still have something to say about them."""
        with self._lock:
            self._last = max(self._last, number)

    def create(self) -> PackFile:
        """Make the next file, open for writing, and count as its reader."""
        with self._lock:
            number = self._last = self._last + 1
            file = PackFile(number, self.path(number), 0, self._next_series())
            file.descriptor = self._disk.create(file.path)
            file.writable = True
            file.readers = 1
            self._files[number] = self._open[number] = file
            return file

    def numbers(self) -> list[int]:
        with self._lock:
            return sorted(self._files)

    def find(self, number: int) -> PackFile | None:
        return self._files.get(number)

    def total(self) -> int:
        """Bytes that all files take, those still read from after they were unlinked included."""
        with self._lock:
            self._close_unused()
            return sum(file.size for file in self._files.values()) + sum(file.size for file in self._leaving)

    def acquire(self, number: int, *, writing: bool = False) -> PackFile | None:
        """Open a file and keep it open until `release`; None when there is no such file any more.

        Raises:
            OSError: it is known, and cannot be opened.
            LocalProtocolError: all are closed.
        """
        with self._lock:
            if self._closed:
                raise LocalProtocolError("the blockstore is closed")
            file = self._files.get(number)
            if file is None:
                return None
            if file.descriptor < 0 or (writing and not file.writable):
                descriptor = self._disk.open(file.path, writing=writing)
                if file.descriptor >= 0:  # it was open for reading only, and others may be reading
                    os.dup2(descriptor, file.descriptor, inheritable=False)
                    os.close(descriptor)
                else:
                    file.descriptor = descriptor
                file.writable = writing
                self._open[number] = file
                self._close_unused()
            else:
                self._open.move_to_end(number)
            file.readers += 1
            return file

    def retain(self, file: PackFile) -> None:
        """Count another reader of an acquired file."""
        with self._lock:
            file.readers += 1

    def release(self, file: PackFile) -> None:
        with self._lock:
            file.readers -= 1
            if self._closed and not file.readers:
                self._close_file(file)
            elif file.unlinked or len(self._open) > _OPEN:
                self._close_unused()

    def series(self, file: PackFile) -> int:
        """Return an acquired file's series, a new one when somebody else has written to it since the last time."""
        if os.fstat(file.descriptor).st_ctime_ns != file.changed:
            with self._lock:
                self._look(file)
        return file.series

    @contextlib.contextmanager
    def writing(self, file: PackFile) -> Iterator[None]:
        """Write to an acquired file without becoming "somebody else"."""
        with self._lock:
            self._look(file)
            file.writing += 1
        try:
            yield
        finally:
            with self._lock:
                file.writing -= 1
                file.changed = os.fstat(file.descriptor).st_ctime_ns

    def lend(self, file: PackFile) -> None:
        """Keep an acquired file's descriptor open until every hold that is open now has ended."""
        file.lent = self._holds.epoch

    def remove(self, number: int) -> None:
        """Unlink a file; it is closed when nobody reads from it any more."""
        with self._lock:
            file = self._files.pop(number)
            self._open.pop(number, None)
            file.unlinked = True
            try:
                self._disk.unlink(file.path)
            except FileNotFoundError:
                file.size = 0
            if file.descriptor >= 0:
                self._leaving.append(file)
            self._close_unused()

    def close(self) -> None:
        """Close every file, those that are being read from as soon as that is done."""
        with self._lock:
            self._closed = True
            for file in [*self._files.values(), *self._leaving]:
                if not file.readers:
                    self._close_file(file)
            self._open.clear()
            self._leaving.clear()

    def _look(self, file: PackFile) -> None:
        changed = os.fstat(file.descriptor).st_ctime_ns
        if changed != file.changed and not file.writing:
            file.changed = changed
            file.series = self._next_series()

    def _next_series(self) -> int:
        self._series += 1
        return self._series

    def _close_unused(self) -> None:
        oldest = self._holds.oldest()
        kept = []
        for file in self._leaving:
            if self._is_idle(file, oldest):
                self._close_file(file)
            else:
                kept.append(file)
        self._leaving = kept
        if len(self._open) > _OPEN:
            for number, file in list(self._open.items()):
                if self._is_idle(file, oldest):
                    self._close_file(file)
                    del self._open[number]
                    if len(self._open) <= _OPEN:
                        break

    @staticmethod
    def _is_idle(file: PackFile, oldest: int | None) -> bool:
        return not file.readers and (oldest is None or file.lent < oldest)

    @staticmethod
    def _close_file(file: PackFile) -> None:
        if file.descriptor >= 0:
            os.close(file.descriptor)
            file.descriptor = -1
            file.writable = False
