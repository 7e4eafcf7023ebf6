"""What is uploaded to a command: named parts, each with a stream of bytes.

The HTTP server makes a `Body` from `multipart/form-data`; the command line makes a `DiskBody` from paths, which `add`
may read straight from the disk instead of as a stream.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import fcntl
import os
import stat
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from zwerm.core.errors import ResourceLimitError
from zwerm.daemon.rpc.errors import UsageError

_READ: Final = 1 << 20  # bytes read at once


class PartKind(enum.Enum):
    """What a part becomes; the media types are Kubo's."""

    FILE = "application/octet-stream"
    DIRECTORY = "application/x-directory"
    SYMLINK = "application/symlink"


@dataclasses.dataclass(slots=True)
class Part:
    """One file, directory or symbolic link of an upload, in the order it was sent.

    `chunks` can be read once, and only until the next part is asked for; what was not read is skipped.
    """

    name: str  # the file name, percent-decoded, `/` between folders; untrusted; "" when the client gave none
    chunks: AsyncIterator[bytes]  # the file's bytes, or the target of a symbolic link
    kind: PartKind = PartKind.FILE
    field: str = ""  # the form field's name without its `?mode=` query
    mode: int | None = None  # permission bits
    mtime: tuple[int, int] | None = None  # seconds and nanoseconds since 1970
    absolute_path: str | None = None  # Kubo's `Abspath` header, used by nocopy
    size: int | None = None  # bytes, when the client said so

    async def read(self, limit: int) -> bytes:
        """Return the whole part; a ResourceLimitError when it has more than `limit` bytes."""
        data = bytearray()
        async for chunk in self.chunks:
            data += chunk
            if len(data) > limit:
                raise ResourceLimitError(f"{self.name or 'the upload'} has more than {limit} bytes")
        return bytes(data)


class Body(Protocol):
    """An upload. Breaking off in the middle is a `WireError` from `parts` or `chunks`."""

    def parts(self) -> AsyncIterator[Part]: ...


@dataclasses.dataclass(slots=True)
class DiskBody:
    """Files and folders of this machine, named by the person who runs the command."""

    paths: Sequence[Path]
    names: Sequence[str] = ()  # what each path is called in the result; the last component when empty
    recursive: bool = False
    hidden: bool = False  # take names that begin with a dot too
    ignore: Sequence[str] = ()  # gitignore rules
    ignore_rules_path: Path | None = None
    dereference_arguments: bool = False  # follow symbolic links that were named
    dereference_symlinks: bool = False  # follow every symbolic link
    keep_mode: bool = False
    keep_mtime: bool = False

    async def parts(self) -> AsyncIterator[Part]:
        """Yield what the paths hold, folders before their content."""
        from zwerm.daemon.rpc.disk import walk

        for entry in walk(self):
            status = entry.status
            yield Part(
                entry.name,
                _read_path(entry.path) if entry.kind is PartKind.FILE else _once(os.fsencode(entry.target)),
                entry.kind,
                mode=stat.S_IMODE(status.st_mode) if self.keep_mode else None,
                mtime=divmod(status.st_mtime_ns, 1_000_000_000) if self.keep_mtime else None,
                absolute_path=str(entry.path.absolute()),
                size=status.st_size if entry.kind is PartKind.FILE else None,
            )


@dataclasses.dataclass(slots=True)
class StreamBody:
    """One file read from an open descriptor, standard input for example. The descriptor stays the caller's."""

    descriptor: int
    name: str = ""

    async def parts(self) -> AsyncIterator[Part]:
        yield Part(self.name, _read_descriptor(self.descriptor))


async def _read_path(path: Path) -> AsyncIterator[bytes]:
    descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY)
    try:
        async for chunk in _read_descriptor(descriptor):
            yield chunk
    finally:
        os.close(descriptor)


async def _read_descriptor(descriptor: int) -> AsyncIterator[bytes]:
    """Read to the end. A pipe or terminal is waited for by the loop, so that cancelling leaves no thread that reads."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()

    def wake() -> None:
        loop.remove_reader(descriptor)
        ready.set()

    try:
        loop.add_reader(descriptor, wake)
    except (OSError, NotImplementedError):  # epoll refuses a regular file, and Windows' loop waits for no descriptor
        while data := await asyncio.to_thread(os.read, descriptor, _READ):
            yield data
        return
    _widen(descriptor)
    try:
        while True:
            await ready.wait()
            ready.clear()
            data = os.read(descriptor, _READ)
            if not data:
                return
            yield data
            loop.add_reader(descriptor, wake)
    finally:
        loop.remove_reader(descriptor)


def _widen(descriptor: int) -> None:
    """Let a pipe hold as much as is read at once."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _READ)
    except OSError:
        return  # no pipe, or more than this user may have


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def read_one(body: Body, limit: int) -> bytes:
    """Return the bytes of the only file of an upload.

    Raises:
        UsageError: there is none, or a folder.
        ResourceLimitError: more than `limit` bytes.
    """
    async for part in body.parts():
        if part.kind is not PartKind.FILE:
            raise UsageError(f"{part.name or 'the upload'} is no file")
        return await part.read(limit)
    raise UsageError("a file is missing in the upload")
