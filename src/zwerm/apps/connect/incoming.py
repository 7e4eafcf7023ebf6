"""A file that arrives: written to `NAME.HASH.part`, verified whole, and only then given a name that was free.

What is there of a `.part` from before is hashed again and continued. Everything here blocks: callers use a thread.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Final

from zwerm.core.errors import StorageError
from zwerm.webrtc.transfer.names import numbered, part_name

_PIECE: Final = 1 << 20  # bytes hashed at a time
_MAX_NUMBER: Final = 10_000  # files of one name in a folder, after which there is no next one


class DamagedFile(StorageError):
    """What arrived is not what was offered; the part was deleted."""


class IncomingFile:
    """One file on its way into a folder. `open`, `write` in order, then `finish`; or `close`, which keeps the part."""

    def __init__(self, folder: Path, name: str, size: int, sha256: bytes) -> None:
        """Open nothing yet.

        Args:
            folder: where it goes; made when it is not there.
            name: one that `safe_name` returned.
            size: in bytes.
            sha256: of the whole.
        """
        self.part = folder / part_name(name, sha256)
        self._folder = folder
        self._name = name
        self._size = size
        self._sha256 = sha256
        self._digest = hashlib.sha256()
        self._descriptor = -1

    def open(self) -> int:
        """Open the part, and return how many bytes of it are there already.

        Raises:
            OSError: the folder or the part cannot be written, or somebody else is receiving the same file here.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        # A link that somebody put in the way is not followed.
        self._descriptor = os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept = 0
        while piece := os.read(self._descriptor, _PIECE):
            self._digest.update(piece)
            kept += len(piece)
        if kept > self._size:
            self.restart()
            return 0
        return kept

    def restart(self) -> None:
        """Forget what is there."""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            OSError: the disk is full, or gone. What was written before is kept.
        """
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self._digest.update(view[:written])
            view = view[written:]

    def finish(self) -> Path:
        """Verify the whole and give it its name; return the path. An existing file is never overwritten.

        Raises:
            DamagedFile: it is not what was offered.
            OSError: the disk failed; the part is kept.
        """
        if self._digest.digest() != self._sha256:
            self.close()
            self.part.unlink(missing_ok=True)
            raise DamagedFile(f"{self._name} arrived, and is not what was offered")
        os.fsync(self._descriptor)
        self.close()
        path = self._link()
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return path

    def close(self) -> None:
        """Let go of it. Twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Let go of it, and delete the part."""
        self.close()
        self.part.unlink(missing_ok=True)

    def _link(self) -> Path:
        for _, name in zip(range(_MAX_NUMBER), numbered(self._name), strict=False):
            path = self._folder / name
            try:
                os.link(self.part, path, follow_symlinks=False)
            except FileExistsError:
                continue
            except OSError:
                if not _claim(path):  # a file system without hard links
                    continue
                self.part.replace(path)
                return path
            self.part.unlink()
            return path
        raise FileExistsError(f"there are {_MAX_NUMBER} files called {self._name}")


def _claim(path: Path) -> bool:
    """Make an empty file of that name; False where there is one."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        return False
    return True
