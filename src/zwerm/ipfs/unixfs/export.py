"""Back to the disk, or into a tar: a tree of files, folders and symlinks, none of whose names is trusted.

Writing never leaves the target: each name is one component, folders are opened relative to each other without
following symlinks, and what exists is left alone unless told otherwise. Walking is bounded in depth; how much comes
out is for the caller to bound, in `progress` or by not reading on.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import tarfile
from collections.abc import AsyncGenerator, Callable
from typing import Final, NamedTuple

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import DEFAULT_DIRECTORY_MODE, DEFAULT_FILE_MODE
from zwerm.ipfs.unixfs.directory.listing import DirEntry, entries
from zwerm.ipfs.unixfs.disk import DiskWriter
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.node import Node
from zwerm.ipfs.unixfs.reader import File, Stat, describe
from zwerm.multiformats.cid import CID

MAX_DEPTH: Final = 256  # folders inside each other; each holds a descriptor while it is written
_PIECE: Final = 1024 * 1024  # bytes handed to a thread at once
_OPERATIONS: Final = 64  # files, folders and symlinks handed to a thread at once
_GATHERED: Final = 64 * 1024  # bytes of a tar that are yielded together
_PERMISSIONS: Final = 0o777  # what a tar carries: content from elsewhere makes nothing setuid

Progress = Callable[[int, int], None]  # bytes and files written so far


class Item(NamedTuple):
    """One thing on a walk through a tree."""

    path: tuple[str, ...]  # names from the root, which has none
    stat: Stat
    file: File | None  # to read, when it is one
    leaving: bool = False  # a folder, met again after all that is in it


async def walk(source: BlockSource, cid: CID) -> AsyncGenerator[Item, None]:
    """Yield the root and all below it, each folder before what is in it and again after.

    Raises:
        WireError: a block is malformed, or a name is no single component of a path.
        ResourceLimitError: more than `MAX_DEPTH` folders inside each other.
        NotUnixFS: something is neither file, folder nor symlink.
        BlockNotFound: a block cannot be had.
    """
    item = await _item(source, (), cid)
    levels: list[tuple[Item, AsyncGenerator[DirEntry, None]]] = []
    try:
        while True:
            yield item
            if item.stat.kind is Kind.DIRECTORY:
                if len(levels) == MAX_DEPTH:
                    raise ResourceLimitError(f"{cid} has more than {MAX_DEPTH} folders inside each other")
                levels.append((item, entries(source, item.stat.cid)))
            while levels:
                folder, found = levels[-1]
                entry = await anext(found, None)
                if entry is not None:
                    item = await _item(source, (*folder.path, checked_name(entry.name)), entry.cid)
                    break
                levels.pop()
                yield folder._replace(leaving=True)
            else:
                return
    finally:
        for _, found in reversed(levels):
            await found.aclose()


def checked_name(name: str) -> str:
    """Return the name of an entry that may be written to a disk.

    Raises:
        WireError: it is empty, means another folder, or holds a slash or NUL.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise WireError(f"an entry named {name[:100]!r} cannot be written to a disk")
    return name


async def get(
    source: BlockSource,
    cid: CID,
    target: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write a tree to the disk at exactly `target`, with the permissions and times it carries.

    With `overwrite`, files and symlinks that exist are replaced, each in one step, and folders are written into;
    without, anything that exists is an error. An error or cancellation leaves what was written before, and no file
    that is written in part.

    Raises:
        ExportFailed: the disk refuses, or something exists; the message names it.
        WireError, ResourceLimitError, NotUnixFS, BlockNotFound: as `walk`.
    """
    size = files = 0
    with DiskWriter(target, overwrite=overwrite) as disk:
        async with contextlib.aclosing(walk(source, cid)) as items:
            waiting: list[Callable[[], None]] = []  # handing over one small file at a time would cost more than it
            gathered = 0
            async for item in items:
                if item.file is not None and item.file.size > _PIECE:
                    await asyncio.to_thread(_run, waiting)
                    await _write_large(disk, item, item.file)
                else:
                    data = b"" if item.file is None else await item.file.read()
                    waiting.append(functools.partial(_write, disk, item, data))
                    gathered += len(data)
                if item.stat.kind is not Kind.DIRECTORY:
                    size, files = size + item.stat.size, files + 1
                if gathered >= _PIECE or len(waiting) >= _OPERATIONS:
                    await asyncio.to_thread(_run, waiting)
                    gathered = 0
                    if progress is not None:
                        progress(size, files)
            await asyncio.to_thread(_run, waiting)
        if progress is not None:
            progress(size, files)


def _run(waiting: list[Callable[[], None]]) -> None:
    """Do what is waiting, in order, and forget it."""
    for work in waiting:
        work()
    waiting.clear()


def _write(disk: DiskWriter, item: Item, data: bytes) -> None:
    if item.stat.kind is Kind.DIRECTORY:
        (disk.leave if item.leaving else disk.enter)(item.path, item.stat)
    elif item.file is None:
        disk.symlink(item.path, item.stat)
    else:
        disk.file(item.path, item.stat, data)


async def _write_large(disk: DiskWriter, item: Item, file: File) -> None:
    with disk.partial(item.path, item.stat) as write:
        parts: list[bytes] = []
        gathered = 0
        async with contextlib.aclosing(file.stream()) as stream:
            async for part in stream:
                parts.append(part)
                gathered += len(part)
                if gathered >= _PIECE:
                    await asyncio.to_thread(write, parts)
                    parts, gathered = [], 0
        await asyncio.to_thread(write, parts)


async def tar(source: BlockSource, cid: CID, name: str) -> AsyncGenerator[bytes, None]:
    """Yield a tar of a tree whose root is called `name`; long names and large files use pax headers.

    What carries no permissions gets 0644 or 0755, what carries no time gets 1970, so equal trees give equal tars.

    Raises:
        WireError, ResourceLimitError, NotUnixFS, BlockNotFound: as `walk`; what was yielded before is no whole tar.
    """
    checked_name(name)
    gathered = bytearray()  # headers and small files, which nobody wants one by one
    enough = 1  # bytes of them: the first content that could be read goes out at once
    async with contextlib.aclosing(walk(source, cid)) as items:
        async for item in items:
            if item.leaving:
                continue
            gathered += _header("/".join((name, *item.path)), item.stat)
            if item.file is not None:
                async with contextlib.aclosing(item.file.stream()) as stream:
                    async for part in stream:
                        if len(part) >= _GATHERED:
                            yield bytes(gathered)
                            gathered.clear()
                            yield part
                        else:
                            gathered += part
                            if len(gathered) >= enough:
                                yield bytes(gathered)
                                gathered.clear()
                                enough = _GATHERED
                gathered += bytes(-item.file.size % tarfile.BLOCKSIZE)
            if len(gathered) >= _GATHERED:
                yield bytes(gathered)
                gathered.clear()
    yield bytes(gathered) + bytes(2 * tarfile.BLOCKSIZE)


def _header(path: str, found: Stat) -> bytes:
    info = tarfile.TarInfo(path)
    default = DEFAULT_DIRECTORY_MODE if found.kind is Kind.DIRECTORY else DEFAULT_FILE_MODE
    info.mode = (default if found.mode is None else found.mode) & _PERMISSIONS
    info.mtime = found.mtime.seconds if found.mtime is not None else 0
    if found.kind is Kind.DIRECTORY:
        info.type = tarfile.DIRTYPE
    elif found.kind is Kind.SYMLINK:
        info.type = tarfile.SYMTYPE
        info.linkname = found.target or ""
        info.mode = _PERMISSIONS
    else:
        info.size = found.size
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


async def _item(source: BlockSource, path: tuple[str, ...], cid: CID) -> Item:
    data = await source.get(cid)
    node = Node.parse(cid, data)
    file = File(source, cid, node) if node.kind is Kind.FILE else None
    return Item(path, describe(cid, node, len(data)), file)
