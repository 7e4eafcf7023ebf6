"""A disk of a few megabytes: a tmpfs in a mount namespace of its own, which ends with the process that holds it.

Commands and daemons on the disk run in that namespace; the test itself sees it through `/proc`.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cli.harness import Harness
from tests.daemon.harness import Daemon

_MOUNT = 'mount -t tmpfs -o "size=$2" none "$1" && echo mounted && exec cat'


class _Inside(Harness):
    def __init__(self, disk: SmallDisk, folder: Path, repository: Path) -> None:
        super().__init__(folder)
        self.repository = repository
        self._disk = disk

    def start(self) -> Daemon:
        self.daemon = Daemon(self.repository, inside=self._disk.inside).wait_ready()
        return self.daemon

    def command(self, *arguments: str | Path) -> list[str]:
        return [*self._disk.inside, *super().command(*arguments)]


class SmallDisk:
    """The disk, mounted while the context is open; needs root, or user namespaces."""

    def __init__(self, folder: Path, size: str = "24m") -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._holder = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", folder, size],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"mounted\n"
        self.path = Path(f"/proc/{self._holder.pid}/root{folder}")  # for the test, not for SQLite
        self.inside = ["nsenter", f"--target={self._holder.pid}", "--user", "--mount", "--preserve-credentials"]

    @property
    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Let somebody else take all the room but `leave` bytes."""
        descriptor = os.open(self.path / "somebody-else", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, os.fstat(descriptor).st_size + self.free - leave)
        finally:
            os.close(descriptor)
        assert self.free == leave

    def make_room(self) -> None:
        """Let somebody else give it back."""
        (self.path / "somebody-else").unlink()

    def remount(self, option: str) -> None:
        """Mount it as `ro` or `rw`."""
        subprocess.run([*self.inside, "mount", "-o", f"remount,{option}", self._folder], check=True)

    def harness(self, folder: Path) -> Harness:
        """Commands in `folder` whose repository lies on the disk."""
        return _Inside(self, folder, self._folder / "repository")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.communicate(b"")
