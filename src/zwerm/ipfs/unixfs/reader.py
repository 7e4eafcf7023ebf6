"""Reading files: any part of a tree of blocks, in order, without trusting what the blocks say of each other.

A node says how many bytes lie under each link, so a range is found by descending one path. Every claim is checked
when the child comes: a lie is a `WireError`, never wrong bytes. Links with no bytes under them are not followed, so
each block that is fetched yields at least one byte per level of the tree, and the depth is bounded.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import DataType, Mtime
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotAFile
from zwerm.ipfs.unixfs.node import Node, file_sizes, parse_inner
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

MAX_DEPTH: Final = 64  # levels of a file; 2 links a node and 2 MiB leaves would already reach 2**85 bytes
_REMEMBERED: Final = 32  # inner nodes a file remembers, for reads that jump about


class Stat(NamedTuple):
    """What one block says of the file, directory or symlink that it is the root of."""

    cid: CID
    kind: Kind
    size: int  # bytes of file, or of a symlink's target; 0 for a directory
    total_size: int  # bytes of all blocks, as the links say: Tsize
    blocks: int  # links of the root
    mode: int | None  # twelve bits
    mtime: Mtime | None
    target: str | None  # of a symlink; bytes that are not UTF-8 as lone surrogates
    sharded: bool  # a directory that is spread over blocks by hash


async def stat(source: BlockSource, cid: CID) -> Stat:
    """Describe a file, directory or symlink from its root block.

    Raises:
        NotUnixFS: it is none of these.
        WireError: the block is malformed.
        BlockNotFound: it cannot be had.
    """
    return stat_block(cid, await source.get(cid))


def stat_block(cid: CID, data: bytes) -> Stat:
    """Describe an untrusted root block that is already here. Raises as `stat`."""
    return describe(cid, Node.parse(cid, data), len(data))


def describe(cid: CID, node: Node, block_size: int) -> Stat:
    """Describe a file, directory or symlink from its parsed root block; WireError when that contradicts itself."""
    kind, size, target = node.kind, 0, None
    if kind is Kind.FILE:
        own, sizes = file_sizes(cid, node)
        size = own + sum(sizes)
    elif kind is Kind.SYMLINK:
        size = len(node.message.data or b"")
        target = (node.message.data or b"").decode("utf-8", "surrogateescape")
    total = block_size + sum(link.size or 0 for link in node.links)
    message = node.message
    sharded = message.type is DataType.HAMT_SHARD
    return Stat(cid, kind, size, total, len(node.links), message.permissions, message.mtime, target, sharded)


async def open_file(source: BlockSource, cid: CID) -> File:
    """Open a file by its root; one block is fetched.

    Raises:
        NotAFile: a directory or a symlink.
        NotUnixFS: neither of all these.
        WireError: the block is malformed.
        BlockNotFound: it cannot be had.
    """
    node = Node.parse(cid, await source.get(cid))
    if node.kind is not Kind.FILE:
        raise NotAFile(f"{cid} is a {node.kind.value}, not a file")
    return File(source, cid, node)


class _Inner(NamedTuple):
    """A node of the file, checked, and where its parts lie in it."""

    cid: CID
    data: bytes  # its own, before those of its links
    links: tuple[PBLink, ...]
    bounds: tuple[int, ...]  # where each link's bytes begin, and at last where the node's end; relative to the node

    @classmethod
    def of(cls, cid: CID, node: Node) -> _Inner:
        own, sizes = file_sizes(cid, node)
        return cls(cid, node.message.data or b"", node.links, tuple(itertools.accumulate(sizes, initial=own)))

    @property
    def size(self) -> int:
        return self.bounds[-1]


class _Child(NamedTuple):
    """A link that overlaps the range: where its bytes begin in the file, how many there are."""

    cid: CID
    start: int
    size: int
    inner: _Inner | None  # when it is remembered from before


class _Level(NamedTuple):
    """A node on the way down: the children still to come, and their blocks."""

    children: Iterator[_Child]
    blocks: AsyncIterator[bytes]


class File:
    """An open file. Reads do not disturb each other; there is nothing to close."""

    def __init__(self, source: BlockSource, cid: CID, node: Node) -> None:
        """Take the parsed root; WireError when it contradicts itself."""
        self.cid = cid
        self.node = node  # the root
        self._source = source
        self._root = _Inner.of(cid, node)
        self.size = self._root.size  # bytes
        self.mode = node.message.permissions
        self.mtime = node.message.mtime
        self._inner: dict[CID, _Inner] = {}
        self._recent = (0, b"")  # where the part that was read last begins, and the part: small reads come in rows

    async def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """Return up to `length` bytes from `offset`; fewer only at the end of the file. Raises as `stream`."""
        end = self.size if length is None else min(offset + length, self.size)
        start, part = self._recent
        if start <= offset and end <= start + len(part):
            return part[offset - start : end - start]
        return b"".join([part async for part in self.stream(offset, end)])

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` up to but without `end`, in parts of at most a block.

        Blocks are asked of the source in order, a node's children at a time, so how far is read ahead is the
        source's to bound.

        Raises:
            WireError: the tree contradicts itself, links to what is no part of a file, or is too deep.
            BlockNotFound: a block cannot be had; what was yielded before is right.
        """
        end = self.size if end is None else min(end, self.size)
        if start < 0:
            raise LocalProtocolError(f"offset {start}, expected 0 or more")
        levels: list[_Level] = []
        try:
            inner, position = self._root, 0
            while True:
                if inner.data and position < end and position + len(inner.data) > start:
                    yield self._part(inner.data, position, start, end)
                if inner.links:
                    if len(levels) == MAX_DEPTH:
                        raise WireError(f"{self.cid} is a file of more than {MAX_DEPTH} levels")
                    levels.append(self._level(inner, position, start, end))
                while levels:
                    child = next(levels[-1].children, None)
                    if child is None:
                        await close(levels.pop().blocks)
                        continue
                    if child.inner is not None:
                        inner = child.inner
                    else:
                        data = await anext(levels[-1].blocks)
                        if child.cid.codec == multicodec.RAW:
                            if len(data) != child.size:
                                raise _lie(child, len(data))
                            yield self._part(data, child.start, start, end)
                            continue
                        inner = self._check(child, data)
                    position = child.start
                    break
                else:
                    return
        finally:
            while levels:
                await close(levels.pop().blocks)

    def _part(self, data: bytes, position: int, start: int, end: int) -> bytes:
        """Cut what lies between `start` and `end` out of `data`, which begins at `position`."""
        self._recent = (position, data)
        return data[max(start - position, 0) : end - position]

    def _level(self, inner: _Inner, position: int, start: int, end: int) -> _Level:
        bounds = inner.bounds
        index = max(bisect.bisect_right(bounds, start - position) - 1, 0)
        children: list[_Child] = []
        while index < len(inner.links) and position + bounds[index] < end:
            cid, size = inner.links[index].cid, bounds[index + 1] - bounds[index]
            if size:
                children.append(_Child(cid, position + bounds[index], size, self._inner.get(cid)))
            index += 1
        wanted = [child.cid for child in children if child.inner is None]
        return _Level(iter(children), self._source.get_many(wanted))

    def _check(self, child: _Child, data: bytes) -> _Inner:
        """Parse a block inside the file and hold it against what its parent said."""
        node = parse_inner(child.cid, data)
        if node.kind is not Kind.FILE:
            raise WireError(f"{self.cid} is a file that links to a {node.kind.value}, {child.cid}")
        inner = _Inner.of(child.cid, node)
        if inner.size != child.size:
            raise _lie(child, inner.size)
        if inner.links:
            while len(self._inner) >= _REMEMBERED:
                del self._inner[next(iter(self._inner))]
            self._inner[child.cid] = inner
        return inner


def _lie(child: _Child, size: int) -> WireError:
    return WireError(f"{child.cid} holds {size} bytes of file, its parent says {child.size}")


async def close(blocks: AsyncIterator[bytes]) -> None:
    """End a read-ahead that may not have been read to its end."""
    close: Any = getattr(blocks, "aclose", None)
    if close is not None:
        await close()
