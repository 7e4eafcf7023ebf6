"""One process per repository: a kernel lock on `repo.lock` that ends with its holder, however that ends.

The file also says who holds it; that text is for the message only, the lock alone decides.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import StorageError

LOCK_NAME: Final = "repo.lock"
_RETRY: Final = 0.02  # seconds between attempts while another process is about to finish


class RepositoryLocked(StorageError):
    """Another process has the repository open."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"repository {path} is in use by {holder}; stop it or wait until it is done")
        self.holder = holder  # "process 1234 (zwerm up)"


class RepositoryLock:
    """The held lock; a context manager that gives it back."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, repository: Path, *, purpose: str, patience: float = 0.0) -> Self:
        """Take the lock, waiting at most `patience` seconds.

        Raises:
            RepositoryLocked: somebody else has it; the message names the process.
            StorageError: the directory cannot be written.
        """
        path = repository / LOCK_NAME
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise disk_error(f"open repository {repository}", error) from error
        give_up = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if not isinstance(error, BlockingIOError):
                    os.close(descriptor)
                    raise disk_error(f"lock repository {repository}", error) from error
            if time.monotonic() >= give_up:
                holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
                os.close(descriptor)
                raise RepositoryLocked(repository, holder or "another process")
            time.sleep(_RETRY)
        with contextlib.suppress(OSError):  # a full disk takes no text, and the lock holds without it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} ({purpose})\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock back. Idempotent. The file stays: removing it would let two processes lock two files."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # a file system that has become read-only keeps the text
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
