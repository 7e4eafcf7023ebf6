"""A file on this disk that is sent: hashed before it is offered, read in pieces, and watched for changes.

Everything here blocks: callers use a thread.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from zwerm.core.errors import LocalProtocolError, StorageError

_PIECE: Final = 1 << 20  # bytes hashed at a time


class SourceChanged(StorageError):
    """The file is not what was offered any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file as it was when it was hashed."""

    path: Path
    size: int
    sha256: bytes
    changed_at: int  # nanoseconds, as the file system has it

    @classmethod
    def hash(cls, path: Path) -> OutgoingFile:
        """Read a file through.

        Raises:
            LocalProtocolError: it is a folder, a device or a pipe.
            OSError: it cannot be read; the error names it.
            SourceChanged: it was written to meanwhile.
        """
        if not stat.S_ISREG(path.stat().st_mode):  # looked at first: opening a pipe waits for its other end
            raise LocalProtocolError(f"{path} is not a file; a folder can be sent as an archive")
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            digest = hashlib.sha256()
            while piece := file.read(_PIECE):
                digest.update(piece)
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise SourceChanged(f"{path} was written to while it was read")
        return cls(path, after.st_size, digest.digest(), after.st_mtime_ns)

    @property
    def name(self) -> str:
        """The name alone; bytes that are no text are replaced."""
        return os.fsencode(self.path.name).decode(errors="replace")

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset`.

        Raises:
            OSError: it cannot be read any more; the error names it.
            SourceChanged: it is not what it was.
        """
        with contextlib.closing(self.path.open("rb")) as file:
            now = os.fstat(file.fileno())
            if (now.st_size, now.st_mtime_ns) != (self.size, self.changed_at):
                raise SourceChanged(f"{self.path} was changed while it was sent")
            file.seek(offset)
            data = file.read(size)
        if len(data) != size:
            raise SourceChanged(f"{self.path} became shorter while it was sent")
        return data
