"""What is uploaded to a command: named parts, each with a stream of bytes.

The HTTP server makes a `Body` from `multipart/form-data`; the command line makes a `DiskBody` from paths, which `add`
may read straight from the disk instead of as a stream.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from zwerm.core.errors import ResourceLimitError


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
    """Files and folders of this machine, named by the person who runs the command in process."""

    paths: Sequence[Path]
    recursive: bool = False
    names: Sequence[str] = ()  # what each path is called in the result; the last component when empty

    async def parts(self) -> AsyncIterator[Part]:
        """Yield every file named directly, for the commands that take one or more files and no folders."""
        for index, path in enumerate(self.paths):
            name = self.names[index] if self.names else path.name
            yield Part(name, _read_file(path), absolute_path=str(path.absolute()))


@dataclasses.dataclass(slots=True)
class StreamBody:
    """One nameless file whose bytes come from a stream, standard input for example."""

    chunks: AsyncIterator[bytes]
    name: str = ""

    async def parts(self) -> AsyncIterator[Part]:
        yield Part(self.name, self.chunks)


async def _read_file(path: Path) -> AsyncIterator[bytes]:
    import asyncio

    file = await asyncio.to_thread(path.open, "rb", 0)
    try:
        while data := await asyncio.to_thread(file.read, 1 << 20):
            yield data
    finally:
        file.close()
