"""Replacing small files so that a crash leaves the old one or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from zwerm.core.disk_failure import disk_error


def write_atomically(path: Path, data: bytes, *, mode: int) -> None:
    """Put `data` at `path`, durable when it returns.

    Raises:
        StorageError: it cannot be written; the old file is untouched and nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        sync_directory(path.parent)
    except OSError as error:
        raise disk_error(f"write {path}", error) from error


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
