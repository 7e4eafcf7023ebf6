"""A running process whose writes the system refuses for a while, as it does when a disk turns read-only under it.

The kernel lets nobody remount what a process has open for writing, so the refusals are put in by strace, at the
boundary where the kernel's own would come from.
"""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

WRITES = "write,writev,pwrite64,pwritev,pwritev2,ftruncate,fallocate,rename,unlink"
SYNCS = "fsync,fdatasync"


class RefusedWrites:
    """Calls on the files of a folder that the process has open fail while the context is open."""

    def __init__(self, process: int, folder: Path, *, calls: str = WRITES, number: int = errno.EROFS) -> None:
        opened = {os.readlink(entry) for entry in Path(f"/proc/{process}/fd").iterdir() if entry.is_symlink()}
        files = sorted(name for name in opened if name.startswith(f"{folder}/"))
        assert files
        command = ["strace", "--follow-forks", "--output=/dev/null", f"--attach={process}", f"--trace={calls}"]
        command += [f"--inject={calls}:error={errno.errorcode[number]}", *(f"--trace-path={name}" for name in files)]
        self._command = command

    def __enter__(self) -> Self:
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._strace.stderr is not None
        for line in self._strace.stderr:
            if " attached" in line:
                return self
        raise AssertionError(f"strace ended with {self._strace.wait()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._strace.terminate()
        self._strace.communicate()
