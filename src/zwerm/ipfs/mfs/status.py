"""Looking without changing: what a node is, what a directory holds, how much of a tree is here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.reader import Stat, stat
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_AHEAD: Final = 16  # entries of a long listing that are looked into at once


class FileStat(NamedTuple):
    """What `files stat` says. `blocks` are links of the root; `size` is 0 for a directory."""

    cid: CID
    kind: Kind
    size: int  # bytes of file, or of a symlink's target
    cumulative_size: int  # bytes of all blocks, each as often as it is linked to
    blocks: int
    mode: int | None
    mtime: Mtime | None
    target: str | None = None
    local_size: int | None = None  # of `cumulative_size`, the bytes that are here; None: not asked for
    local: bool | None = None  # whether everything is here

    @classmethod
    def of(cls, found: Stat) -> FileStat:
        return cls(
            found.cid,
            found.kind,
            found.size,
            found.total_size,
            found.blocks,
            found.mode,
            found.mtime,
            found.target,
        )


class FileEntry(NamedTuple):
    """One name of a listing. Without `long` only name, CID and total size are known."""

    name: str
    cid: CID
    total_size: int  # Tsize
    kind: Kind | None = None  # also None when its root block cannot be had or read
    size: int = 0  # bytes of file
    mode: int | None = None
    mtime: Mtime | None = None
    target: str | None = None


async def entries(
    source: BlockSource, cid: CID, *, long: bool, after: str | None = None
) -> AsyncGenerator[FileEntry, None]:
    """Yield the entries of a directory in its own order, with what their root blocks say if `long`.

    An entry whose root cannot be had (lazily copied, and nobody has it) or is no file at all is yielded with no kind.
    """
    listing = directory.entries(source, cid, after=after)
    looking: deque[FileEntry | asyncio.Task[FileEntry]] = deque()
    try:
        if not long:
            async for entry in listing:
                yield FileEntry(entry.name, entry.cid, entry.total_size)
            return
        async for entry in listing:
            if entry.cid.codec == multicodec.RAW:  # bare bytes: the link says it all, if nobody lied
                looking.append(FileEntry(entry.name, entry.cid, entry.total_size, Kind.FILE, entry.total_size))
            else:
                looking.append(asyncio.create_task(_look(source, entry)))
            if len(looking) >= _AHEAD:
                yield await _result(looking.popleft())
        while looking:
            yield await _result(looking.popleft())
    finally:
        tasks = [found for found in looking if isinstance(found, asyncio.Task)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if isinstance(listing, AsyncGenerator):
            await listing.aclose()


async def entry_of(source: BlockSource, name: str, cid: CID, total_size: int) -> FileEntry:
    """Describe one file under the name it is listed by."""
    found = await stat(source, cid)
    return FileEntry(name, cid, total_size, found.kind, found.size, found.mode, found.mtime, found.target)


async def _result(found: FileEntry | asyncio.Task[FileEntry]) -> FileEntry:
    return found if isinstance(found, FileEntry) else await found


async def _look(source: BlockSource, entry: directory.DirEntry) -> FileEntry:
    try:
        return await entry_of(source, entry.name, entry.cid, entry.total_size)
    except (BlockNotFound, NotUnixFS, WireError):
        return FileEntry(entry.name, entry.cid, entry.total_size)


def measure_local(store: Blockstore, root: CID) -> tuple[int, bool]:
    """Return how many bytes of a tree are here, each block as often as it is linked to, and whether all are.

    Blocks for as long as the disk does; asks nobody. A subtree that occurs often is walked once.
    """
    sums: dict[bytes, tuple[int, bool]] = {}
    path: list[tuple[CID, list[CID]]] = []  # nodes on the way down, with their links
    below = [(root, False)]
    while below:
        cid, done = below.pop()
        if done:
            _, links = path.pop()
            found = [sums[link.multihash] for link in links]
            size = store.size(cid) + sum(part for part, _ in found)
            sums[cid.multihash] = size, all(whole for _, whole in found)
            continue
        if cid.multihash in sums:
            continue
        links = []
        try:
            size = store.size(cid)
            if cid.codec != multicodec.RAW and codec.known(cid.codec):
                links = codec.links(cid.codec, store.get(cid))
        except BlockNotFound:
            sums[cid.multihash] = 0, False
            continue
        if not links:
            sums[cid.multihash] = size, True
            continue
        path.append((cid, links))
        below.append((cid, True))
        below += [(link, False) for link in links]
    return sums[root.multihash]
