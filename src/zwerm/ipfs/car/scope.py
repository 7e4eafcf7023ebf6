"""Which blocks prove a path: `dag-scope` and `entity-bytes` (specs.ipfs.tech/http-gateways/trustless-gateway).

First the blocks that the path leads through, shards of directories included, then those of what it ends at, all in
the order of a depth-first walk.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from typing import NamedTuple, Protocol

from zwerm.core.errors import ResourceLimitError, WireError, ZwermError
from zwerm.ipfs.ipld.data_model import links_in
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import Resolution, read_value, resolve
from zwerm.ipfs.ipld.traverse import DEFAULT_LIMITS, Limits, ReadAhead, links_of, load, walk
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import DataType
from zwerm.ipfs.unixfs.directory.hamt import Shard
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.node import Node, file_sizes
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

Steps = AsyncGenerator[tuple[CID, bytes], None]


class DagScope(enum.Enum):
    """How much of what a path ends at."""

    BLOCK = "block"  # its first block
    ENTITY = "entity"  # a whole file; a directory without what is in it; the first block of anything else
    ALL = "all"  # everything below


class EntityRange(Protocol):
    """A part of a file, whose size is not known yet."""

    def resolve(self, size: int) -> tuple[int, int]:
        """Return the first byte and the one after the last; equal when there is nothing to give."""
        ...


async def select(
    source: BlockSource,
    path: ContentPath,
    *,
    scope: DagScope | None = None,
    entity: EntityRange | None = None,
    repeats: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Steps:
    """Yield the blocks that prove the path and what it ends at, each once, or with `repeats` every time it is met.

    With `entity` a file is reduced to the blocks that hold this part of it, its first one included; whatever else the
    path ends at is as without. The scope is that of an entity when `entity` is given, otherwise everything.

    Raises:
        PathNotFound, BlockNotFound, WireError: after the blocks that show why.
        ResourceLimitError: a limit was reached, after what was within it.
    """
    if scope is None:
        scope = DagScope.ENTITY if entity is not None else DagScope.ALL
    recorder = _Recorder(source)
    try:
        resolution = await resolve(recorder, path)
    except ZwermError:
        for step in recorder.steps(repeats=repeats):
            yield step
        raise
    on_the_way = {bytes(cid) for cid, _ in recorder.found}
    for step in recorder.steps(repeats=repeats):
        yield step
    async with aclosing(_end(source, resolution, scope, entity, repeats=repeats, limits=limits)) as steps:
        async for step in steps:
            if repeats or bytes(step[0]) not in on_the_way:
                yield step


async def _end(
    source: BlockSource,
    resolution: Resolution,
    scope: DagScope,
    entity: EntityRange | None,
    *,
    repeats: bool,
    limits: Limits,
) -> Steps:
    """Yield the blocks of what the path ends at, without those on the way."""
    cid = resolution.cid
    if resolution.remainder:
        links = links_in(await read_value(source, resolution)) if scope is DagScope.ALL else []
        steps = walk(source, links, limits=limits, repeats=repeats)
    elif scope is DagScope.ALL and entity is None:
        steps = walk(source, [cid], limits=limits, repeats=repeats)
    else:
        data = await load(source, cid)
        yield cid, data
        if scope is DagScope.BLOCK:
            return
        node = _unixfs(cid, data)
        follow = links_of if scope is DagScope.ALL else _entity_links
        if entity is not None and node is not None and node.kind is Kind.FILE:
            steps = _file_part(source, cid, node, entity, repeats=repeats, limits=limits)
        else:
            steps = walk(source, follow(cid, data), limits=limits, repeats=repeats, links=follow)
    async with aclosing(steps):
        async for step in steps:
            yield step


def _unixfs(cid: CID, data: bytes) -> Node | None:
    """Parse a UnixFS block; None when it is something else, whose entity is the block itself."""
    try:
        return Node.parse(cid, data)
    except (NotUnixFS, WireError):
        return None


def _entity_links(cid: CID, data: bytes) -> list[CID]:
    """Return the links of a block that belong to the same file or directory."""
    node = _unixfs(cid, data)
    if node is None:
        return []
    if node.message.type is DataType.HAMT_SHARD:
        return [link.cid for link in Shard.parse(cid, node).links if link.name is None]
    return [link.cid for link in node.links] if node.kind is Kind.FILE else []


class _Part(NamedTuple):
    """A block inside a file: where its bytes begin, and how many there are below it."""

    cid: CID
    start: int
    size: int


async def _file_part(
    source: BlockSource, cid: CID, node: Node, entity: EntityRange, *, repeats: bool, limits: Limits
) -> Steps:
    """Yield the blocks below the root of a file that hold the part asked for."""
    own, sizes = file_sizes(cid, node)
    start, end = entity.resolve(own + sum(sizes))
    if start >= end:
        return
    ahead = ReadAhead(source, limits)
    stack = _children(_Part(cid, 0, own + sum(sizes)), node, start, end)
    yielded: set[bytes] = set()
    followed: set[bytes] = set()  # blocks that lie wholly in the range, and need not be followed again
    while stack:
        part = stack.pop()
        key = bytes(part.cid)
        if not repeats and start <= part.start and part.start + part.size <= end:
            if key in followed:
                continue
            followed.add(key)
        data = await ahead.load(part.cid, (later.cid for later in reversed(stack)))
        if repeats or key not in yielded:
            yielded.add(key)
            yield part.cid, data
        if part.cid.codec != multicodec.RAW:
            stack += _children(part, Node.parse(part.cid, data), start, end)
        if len(stack) > limits.pending:
            raise ResourceLimitError(f"file with more than {limits.pending} links to follow at once, at {part.cid}")


def _children(part: _Part, node: Node, start: int, end: int) -> list[_Part]:
    """Return what a node inside a file has between `start` and `end`, the first last.

    Raises:
        WireError: the node is no file, or holds another number of bytes than its parent said.
    """
    own, sizes = file_sizes(part.cid, node)
    if node.kind is not Kind.FILE or own + sum(sizes) != part.size:
        raise WireError(
            f"{part.cid} is a {node.kind.value} of {own + sum(sizes)} bytes inside a file that has {part.size}"
        )
    position = part.start + own
    children: list[_Part] = []
    for link, size in zip(node.links, sizes, strict=True):
        if size and position < end and position + size > start:
            children.append(_Part(link.cid, position, size))
        position += size
    return children[::-1]


class _Recorder:
    """A source that remembers what it gave."""

    def __init__(self, source: BlockSource) -> None:
        self.found: list[tuple[CID, bytes]] = []
        self._source = source

    def steps(self, *, repeats: bool) -> list[tuple[CID, bytes]]:
        """Return what it gave, in order, each block once or, with `repeats`, as often as it was asked for."""
        return self.found if repeats else list(dict(self.found).items())

    async def get(self, cid: CID) -> bytes:
        data = await self._source.get(cid)
        self.found.append((cid, data))
        return data

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        for cid in cids:
            yield await self.get(cid)

    async def has(self, cid: CID) -> bool:
        return await self._source.has(cid)
