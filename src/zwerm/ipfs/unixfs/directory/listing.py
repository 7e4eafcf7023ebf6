"""Reading directories of either form: all entries as a stream, or one name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import NamedTuple

from zwerm.core.errors import WireError
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import DataType
from zwerm.ipfs.unixfs.directory.hamt import (
    HASH_BITS,
    Shard,
    ShardLink,
    max_levels,
    name_bytes,
    name_hash,
    slot_at,
)
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotADirectory
from zwerm.ipfs.unixfs.node import Node, parse_inner
from zwerm.ipfs.unixfs.reader import close
from zwerm.multiformats.cid import CID


class DirEntry(NamedTuple):
    """One name in a directory."""

    name: str  # bytes that are not UTF-8 as lone surrogates
    cid: CID
    total_size: int  # Tsize: bytes of all blocks below, by the writer's word


class _Level(NamedTuple):
    """A shard on the way down: the links still to come, and the blocks of those that are shards."""

    links: Iterator[tuple[int, ShardLink]]  # with the bits of the hash up to and with the link's slot
    blocks: AsyncIterator[bytes]


async def entries(source: BlockSource, cid: CID, *, after: str | None = None) -> AsyncGenerator[DirEntry, None]:
    """Yield the entries: of one block in its order (by name), of a sharded directory by the hash of the name.

    A sharded directory is read as it is consumed, its shards ahead by as much as the source reads ahead. With
    `after`, the name of any entry, only what comes behind it is read and yielded, so that pages are cheap.

    Raises:
        NotADirectory: it is something else.
        WireError: a block is malformed, a name lies where its hash does not lead, or a shard is empty.
        BlockNotFound: a block cannot be had; what was yielded before is right.
    """
    node = await open_directory(source, cid)
    if node.message.type is DataType.DIRECTORY:
        floor_name = None if after is None else name_bytes(after)
        for link in node.links:
            name = link.name or ""
            if floor_name is None or name_bytes(name) > floor_name:
                yield DirEntry(name, link.cid, link.size or 0)
        return
    floor = -1 if after is None else name_hash(name_bytes(after))
    root = Shard.parse(cid, node)
    levels = [_level(source, root, 0, 0, floor)]
    try:
        while levels:
            taken = next(levels[-1].links, None)
            if taken is None:
                await close(levels.pop().blocks)
                continue
            prefix, slot = taken
            if slot.name is None:
                shard = shard_below(root.bits, slot.cid, await anext(levels[-1].blocks), len(levels))
                levels.append(_level(source, shard, len(levels), prefix, floor))
            else:
                digest = name_hash(name_bytes(slot.name))
                if digest >> HASH_BITS - len(levels) * root.bits != prefix:
                    raise WireError(f"{cid} is sharded and has {slot.name!r:.100} where its hash does not lead")
                if digest > floor:
                    yield DirEntry(slot.name, slot.cid, slot.total_size)
    finally:
        while levels:
            await close(levels.pop().blocks)


async def lookup(source: BlockSource, cid: CID, name: str) -> DirEntry | None:
    """Find one name; None when the directory does not have it. Raises as `entries`."""
    return await lookup_in(source, cid, await open_directory(source, cid), name)


async def lookup_in(source: BlockSource, cid: CID, node: Node, name: str) -> DirEntry | None:
    """Find one name in a directory whose root block is parsed already. Raises as `lookup`."""
    if node.message.type is DataType.DIRECTORY:
        for link in node.links:
            if link.name == name:
                return DirEntry(name, link.cid, link.size or 0)
        return None
    digest = name_hash(name_bytes(name))
    root = shard = Shard.parse(cid, node)
    level = 0
    while (slot := shard.find(slot_at(digest, level, shard.bits))) is not None:
        if slot.name is not None:
            return DirEntry(name, slot.cid, slot.total_size) if slot.name == name else None
        level += 1
        shard = shard_below(root.bits, slot.cid, await source.get(slot.cid), level)
    return None


async def open_directory(source: BlockSource, cid: CID) -> Node:
    """Return the root block of a directory; NotADirectory when it is something else."""
    node = Node.parse(cid, await source.get(cid))
    if node.kind is not Kind.DIRECTORY:
        raise NotADirectory(f"{cid} is a {node.kind.value}, not a directory")
    return node


def _level(source: BlockSource, shard: Shard, level: int, prefix: int, floor: int) -> _Level:
    shift = HASH_BITS - (level + 1) * shard.bits
    links = [
        (position, link)
        for link in shard.links
        if ((position := prefix << shard.bits | link.slot) + 1 << shift) > floor + 1
    ]
    return _Level(iter(links), source.get_many([link.cid for _, link in links if link.name is None]))


def shard_below(bits: int, cid: CID, data: bytes, level: int) -> Shard:
    """Parse a block `level` levels below the root of a directory that is sharded by `bits`.

    A shard below the root is never empty, so whoever reads on gets an entry for at most `max_levels` blocks.

    Raises:
        WireError: it is no such shard.
    """
    node = parse_inner(cid, data)
    if node.message.type is not DataType.HAMT_SHARD:
        raise WireError(f"a sharded directory links to {cid}, which is no shard")
    shard = Shard.parse(cid, node)
    if shard.bits != bits:
        raise WireError(f"{cid} is a shard by {shard.bits} bits of the hash, the ones above it by {bits}")
    if not shard.links:
        raise WireError(f"{cid} is an empty shard below another")
    if level >= max_levels(bits):
        raise WireError(f"{cid} is a shard {level} levels down, deeper than the hash reaches")
    return shard
