"""A process whose calls on the files of a repository are told and slowed, by strace: a test can act in the middle."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_CALLS = "read,pread64,preadv,preadv2,write,pwrite64,pwritev,pwritev2,splice,sendfile,copy_file_range,fsync,fdatasync"
_SLOW = 50_000  # microseconds that each of them takes longer


class Traced:
    """A command that is begun with the context, or a process that runs already."""

    def __init__(self, files: Sequence[Path], *, command: Sequence[str] = (), process: int = 0, **options: Any) -> None:
        self._files = files
        self._command = command
        self._attach = process
        self._options = options
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        lines, told = os.pipe()
        self._lines = os.fdopen(lines)
        try:
            self._strace = subprocess.Popen(
                [
                    *("strace", "--follow-forks", f"--output=/proc/self/fd/{told}", f"--trace={_CALLS}"),
                    *(f"--inject={_CALLS}:delay_exit={_SLOW}", *(f"--trace-path={file}" for file in self._files)),
                    *((f"--attach={self._attach}",) if self._attach else ("--", *self._command)),
                ],
                pass_fds=[told],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                **self._options,
            )
        finally:
            os.close(told)
        if self._attach:
            assert self._strace.stderr is not None
            assert any(" attached" in line for line in self._strace.stderr), "strace does not attach"
        return self

    def send(self, number: int) -> None:
        """Send the command a signal, if it is still there."""
        pid = self._strace.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), number)

    def wait_calls(self, count: int) -> bool:
        """Return once so many calls were made; False when the process ended before."""
        reached = all(self._lines.readline() for _ in range(count))
        self._reader = threading.Thread(target=self._lines.read, daemon=True)  # so that strace need not wait for us
        self._reader.start()
        return reached

    def result(self, patience: float) -> tuple[int, str]:
        """Wait for the end of the command: its status, and what it complained."""
        _, err = self._strace.communicate(timeout=patience)
        own = [line for line in err.splitlines(keepends=True) if not line.startswith("strace: ")]
        return self._strace.returncode, "".join(own)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._strace.poll() is None:
            self._strace.terminate()
            self._strace.communicate()
        if self._reader is not None:
            self._reader.join()
        self._lines.close()
