"""The reading half of the file system: the tree as it is, without changing it.

Whoever reads takes the root as it is when the call begins. Its content is kept from the collector until the last part
has been read, whatever is changed or removed meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import TypeVar

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import resolve
from zwerm.ipfs.mfs import status
from zwerm.ipfs.mfs.errors import FileMissing, NotADirectory, NotAFile
from zwerm.ipfs.mfs.operations import explained, kind_of
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.mfs.status import FileEntry, FileStat
from zwerm.ipfs.mfs.tree import Found, find
from zwerm.ipfs.mfs.working import Root
from zwerm.ipfs.names import NameResolver
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.directory.hamt import name_bytes
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.reader import open_file, stat
from zwerm.multiformats.cid import CID

_Item = TypeVar("_Item")


class FileReading:
    """What `Files` can say and give without changing anything."""

    def __init__(self, root: Root, store: Blockstore, source: BlockSource, names: NameResolver) -> None:
        self.source = source
        self._root = root
        self._store = store
        self._names = names
        self._used: Counter[CID] = Counter()  # read or put in place just now

    def roots(self) -> list[CID]:
        """Return what the collector must keep, whole as far as it is here. Any thread."""
        return [*dict.fromkeys([*self._root.in_use(), *list(self._used)])]

    async def root(self) -> CID:
        """Return the root as it stands, unflushed changes included."""
        async with self._looking() as root:
            return root

    async def exists(self, path: str) -> bool:
        """Whether something has that path; errors as `stat`, except for what is missing."""
        segments = FilePath.from_text(path).segments
        async with self._looking() as root:
            try:
                return await find(self.source, root, segments) is not None
            except NotADirectory:
                return False

    async def stat(self, path: str, *, with_local: bool = False) -> FileStat:
        """Describe what a path leads to, here or below /ipfs/.

        With `with_local` the tree is walked, and what of it is here is measured; that asks nobody.

        Raises:
            FileMissing, NotADirectory, BadPath, BlockNotFound
        """
        cid = await self._node(path)
        found = FileStat.of(await stat(self.source, cid))
        if with_local:
            size, whole = await asyncio.to_thread(status.measure_local, self._store, cid)
            found = found._replace(local_size=size, local=whole)
        return found

    async def ls(
        self, path: str = "/", *, long: bool = False, sort: bool = False, after: str | None = None
    ) -> AsyncGenerator[FileEntry, None]:
        """List a directory, or one file, as a stream.

        Args:
            path: Of the directory or file.
            long: With kind, size and metadata, which costs a block for each entry that is no bare leaf.
            sort: By the bytes of the name, all in memory; otherwise in the directory's own order.
            after: Begin behind this entry, in the directory's own order.
        """
        target = FilePath.from_text(path)
        async with self._looking() as root:
            found = await self._existing(root, target)
            if await kind_of(self.source, found.cid) is not Kind.DIRECTORY:
                return _only(await status.entry_of(self.source, target.name, found.cid, found.total_size))
        listing = status.entries(self.source, found.cid, long=long, after=after)
        return self._kept(found.cid, _sorted(listing) if sort else listing)

    async def read(self, path: str, *, offset: int = 0, count: int | None = None) -> AsyncGenerator[bytes, None]:
        """Read a file, or `count` bytes of it from `offset`, as a stream of parts.

        Raises:
            FileMissing, NotADirectory, NotAFile: before anything is read.
            LocalProtocolError: a negative number, or an offset behind the end.
        """
        target = FilePath.from_text(path)
        async with self._looking() as root:
            with explained(str(target)):
                found = await self._existing(root, target)
            if await kind_of(self.source, found.cid) is not Kind.FILE:
                raise NotAFile(f"{target} was not a file")
            file = await open_file(self.source, found.cid)
        if offset < 0:
            raise LocalProtocolError("cannot specify negative offset")
        if offset > file.size:
            raise LocalProtocolError(f"offset was past end of file ({offset} > {file.size})")
        if count is not None and count < 0:
            raise LocalProtocolError("cannot specify negative 'count'")
        return self._kept(found.cid, file.stream(offset, None if count is None else offset + count))

    @contextlib.asynccontextmanager
    async def _looking(self) -> AsyncIterator[CID]:
        """Lend the root as it stands, all of it readable from the source and kept from the collector."""
        root = self._root.working().root
        with self._using(root):
            await self._root.settle(root)
            yield root

    async def _existing(self, root: CID, path: FilePath) -> Found:
        """Return what a path leads to; FileMissing when that is nothing."""
        found = await find(self.source, root, path.segments)
        if found is None:
            raise FileMissing
        return found

    async def _node(self, path: str) -> CID:
        """Return the root of what a path leads to, here or below /ipfs/."""
        content = content_path(path)
        if content:
            return await self._resolve(content)
        async with self._looking() as root:
            return (await self._existing(root, FilePath.from_text(path))).cid

    async def _resolve(self, path: ContentPath) -> CID:
        for _ in range(2):
            if path.cid is not None:
                break
            named = await self._names.resolve(path.root)
            path = named.path.child(*path.segments)
        resolution = await resolve(self.source, path)
        if resolution.remainder:
            raise NotUnixFS(f"{path} lies inside a block, not in a file or directory")
        return resolution.cid

    async def _kept(self, cid: CID, stream: AsyncGenerator[_Item, None]) -> AsyncGenerator[_Item, None]:
        """Pass a stream on, and keep what it reads from the collector until it ends."""
        with self._using(cid):
            async with contextlib.aclosing(stream):
                async for item in stream:
                    yield item

    @contextlib.contextmanager
    def _using(self, cid: CID) -> Iterator[None]:
        """Keep content from the collector, from before it is relied on until something else keeps it."""
        self._used[cid] += 1
        try:
            yield
        finally:
            self._used[cid] -= 1
            if not self._used[cid]:
                del self._used[cid]


async def _only(entry: FileEntry) -> AsyncGenerator[FileEntry, None]:
    yield entry


async def _sorted(listing: AsyncGenerator[FileEntry, None]) -> AsyncGenerator[FileEntry, None]:
    async with contextlib.aclosing(listing):
        entries = [entry async for entry in listing]
    for entry in sorted(entries, key=lambda entry: name_bytes(entry.name)):
        yield entry


def content_path(text: str) -> ContentPath | None:
    """Read a path below /ipfs/ or /ipns/; None for one of the file system, which may have such names too."""
    if not text.startswith(("/ipfs/", "/ipns/", "ipfs://", "ipns://")):
        return None
    try:
        return ContentPath.from_text(text)
    except WireError:
        return None
