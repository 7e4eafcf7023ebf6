"""Room kept back on the disk for the work that makes room: a file that is removed when nothing else is left.

Deleting takes space before it gives any: SQLite writes what it deletes into its log first, and a changed folder is new
blocks. So the repository holds a file of a few megabytes that nobody needs. When unpinning, removing files or
collecting meets a full disk, the file goes, the work is done once more, and then the file is made again as large as it
was, or as it can be. Nothing else may use that room: an addition that meets a full disk fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from zwerm.core.errors import DiskFull

RESERVE_NAME: Final = "reserve"
LEAST: Final = 256 * 1024  # bytes; with less nothing can be done
MOST: Final = 8 * 1024 * 1024  # bytes: SQLite's log at its largest, and the largest block
_OF_CONTENT: Final = 4  # the reserve is at most this part of what the repository holds
_OF_FREE: Final = 16  # and of what is free on the disk when it is made
_OF_LIMIT: Final = 64  # and of what the repository may hold, if that is limited

_T = TypeVar("_T")


def free_space(folder: Path) -> int:
    """Return the bytes that may still be written to the disk a folder lies on."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


class Reserve:
    """The file. Any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._users = 0  # of the room that was released
        self._before = 0  # bytes that were released

    @property
    def size(self) -> int:
        """Bytes kept back now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def ensure(self, content: int, *, limit: int | None = None, spare: int = 0) -> None:
        """Make the file, or make it larger, in proportion to a repository of `content` bytes, if there is room.

        With a `limit`, content and file together stay `spare` bytes below it.
        """
        wanted = min(MOST, content // _OF_CONTENT)
        if limit is not None:
            wanted = min(wanted, limit // _OF_LIMIT, limit - spare - content)
        with self._lock:
            if not self._users:
                self._make(wanted)

    @contextlib.contextmanager
    def released(self) -> Iterator[bool]:
        """Let the room be used inside the block, which gets False when there was none. Blocks for the disk."""
        try:
            yield self.release()
        finally:
            self.restore()

    def release(self) -> bool:
        """Let the room be used until `restore`; return False when there was none."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = self.size
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)
            return self._before > 0

    def restore(self) -> None:
        """The room is used no more by one who called `release`; after the last the file is made again."""
        with self._lock:
            self._users -= 1
            if not self._users:
                self._make(self._before, of_free=1)

    def _make(self, wanted: int, of_free: int = _OF_FREE) -> None:
        had = self.size
        if wanted < LEAST or wanted < 2 * had:
            return
        try:
            wanted = min(wanted, had + free_space(self._path.parent) // of_free)
            if wanted < LEAST or wanted < 2 * had:
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, wanted)
            finally:
                os.close(descriptor)
        except OSError:  # no room, or a file system that cannot keep any: the reserve stays as it is
            if not had:
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)


async def with_room(reserve: Reserve, work: Callable[[], Awaitable[_T]]) -> _T:
    """Do work that makes room, or takes next to none; on a full disk do it once more, with the reserve released.

    Raises:
        DiskFull: it was not enough, or there is no reserve.
    """
    try:
        return await work()
    except DiskFull:
        try:
            if not await asyncio.to_thread(reserve.release):
                raise
            return await work()
        finally:
            await asyncio.to_thread(reserve.restore)
