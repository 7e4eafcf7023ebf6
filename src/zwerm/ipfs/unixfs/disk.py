"""Writing a tree of untrusted names to the disk without ever leaving the place it was told.

Folders are opened one inside the other by descriptor, never following a symlink, so that neither a link in the tree
nor one that somebody swaps in meanwhile leads elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

from zwerm.ipfs.unixfs.errors import ExportFailed
from zwerm.ipfs.unixfs.reader import Stat

_PERMISSIONS: Final = 0o777  # what is restored: content from elsewhere makes nothing setuid
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class DiskWriter:
    """Writes one tree at `target`. Paths are names from its root, which has none; folders are entered and left.

    Every method raises ExportFailed, naming the path, when the disk refuses or something exists that may not be
    replaced. Use it as a context: it holds descriptors.
    """

    def __init__(self, target: str | os.PathLike[str], *, overwrite: bool) -> None:
        self._target = os.path.abspath(os.fspath(target))
        self._overwrite = overwrite
        parent, self._root = os.path.split(self._target)
        with self._named(()):
            self._folders = [os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._folders:
            os.close(self._folders.pop())

    def enter(self, path: tuple[str, ...], stat: Stat) -> None:  # noqa: ARG002 - called like `leave`, which needs it
        """Make a folder and write into it from now on."""
        name = self._name(path)
        with self._named(path):
            try:
                os.mkdir(name, dir_fd=self._folders[-1])
            except FileExistsError:
                if not self._overwrite:
                    raise
            self._folders.append(os.open(name, _FOLDER, dir_fd=self._folders[-1]))

    def leave(self, path: tuple[str, ...], stat: Stat) -> None:
        """Finish the folder that was entered last: its permissions and time, now that nothing is added to it."""
        descriptor = self._folders.pop()
        try:
            with self._named(path):
                if stat.mode is not None:
                    os.fchmod(descriptor, stat.mode & _PERMISSIONS)
                _restore_time(descriptor, stat)
        finally:
            os.close(descriptor)

    def file(self, path: tuple[str, ...], stat: Stat, data: bytes) -> None:
        """Write a whole file."""
        with self.partial(path, stat) as write:
            write([data])

    @contextlib.contextmanager
    def partial(self, path: tuple[str, ...], stat: Stat) -> Iterator[Callable[[list[bytes]], None]]:
        """Write a file part by part; it is there when the context ends well, and not at all otherwise."""
        name, folder = self._name(path), self._folders[-1]
        with self._named(path):
            written = _temporary_name() if self._overwrite else name
            descriptor = os.open(written, _CREATE, 0o666, dir_fd=folder)
            try:
                yield lambda parts: self._write(path, descriptor, parts)
                if stat.mode is not None:
                    os.fchmod(descriptor, stat.mode & _PERMISSIONS)
                _restore_time(descriptor, stat)
                if self._overwrite:
                    os.rename(written, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(written, dir_fd=folder)
                raise
            finally:
                os.close(descriptor)

    def symlink(self, path: tuple[str, ...], stat: Stat) -> None:
        """Make a symlink, whatever it points to: it is not followed here."""
        name, folder = self._name(path), self._folders[-1]
        with self._named(path):
            written = _temporary_name() if self._overwrite else name
            os.symlink(stat.target or "", written, dir_fd=folder)
            if stat.mtime is not None:
                time = stat.mtime.to_nanoseconds()
                os.utime(written, ns=(time, time), dir_fd=folder, follow_symlinks=False)
            if self._overwrite:
                os.rename(written, name, src_dir_fd=folder, dst_dir_fd=folder)

    def _name(self, path: tuple[str, ...]) -> str:
        return path[-1] if path else self._root

    def _write(self, path: tuple[str, ...], descriptor: int, parts: list[bytes]) -> None:
        with self._named(path):
            for part in parts:
                view = memoryview(part)
                while view:
                    view = view[os.write(descriptor, view) :]

    @contextlib.contextmanager
    def _named(self, path: tuple[str, ...]) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            raise ExportFailed(f"{os.path.join(self._target, *path)} exists already") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise ExportFailed(
                f"cannot write {os.path.join(self._target, *path)}: {reason[:1].lower()}{reason[1:]}"
            ) from error


def _restore_time(descriptor: int, stat: Stat) -> None:
    if stat.mtime is not None:
        time = stat.mtime.to_nanoseconds()
        os.utime(descriptor, ns=(time, time))


def _temporary_name() -> str:
    return f".zwerm-{secrets.token_hex(8)}"
