"""Which names differ between two directories, whichever form each has, reading no more than has to be."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple

from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.data import DataType
from zwerm.ipfs.unixfs.directory import DirEntry
from zwerm.ipfs.unixfs.directory.hamt import Shard, ShardLink
from zwerm.ipfs.unixfs.directory.listing import open_directory, shard_below
from zwerm.multiformats.cid import CID


class Pair(NamedTuple):
    """One name that does not lead to the same on both sides."""

    name: str
    before: DirEntry | None
    after: DirEntry | None


async def differing(source: BlockSource, before: CID, after: CID) -> AsyncGenerator[Pair, None]:
    """Yield the names that differ, in no order; memory is that of one block, or of one plain directory.

    Raises:
        NotADirectory: one of them is something else.
        WireError: a block is malformed.
        BlockNotFound: a block cannot be had.
    """
    if before == after:
        return
    nodes = await open_directory(source, before), await open_directory(source, after)
    sharded = [node.message.type is DataType.HAMT_SHARD for node in nodes]
    if all(sharded):
        shards = Shard.parse(before, nodes[0]), Shard.parse(after, nodes[1])
        if shards[0].bits == shards[1].bits:
            async for pair in _shards(source, *shards, 1):
                yield pair
            return
    if sharded[0] and not sharded[1]:
        async for pair in differing(source, after, before):
            yield Pair(pair.name, pair.after, pair.before)
        return
    # The first side is held in memory: a plain directory is small.
    left = {entry.name: entry async for entry in directory.entries(source, before)}
    async for entry in directory.entries(source, after):
        other = left.pop(entry.name, None)
        if other is None or other.cid != entry.cid:
            yield Pair(entry.name, other, entry)
    for other in left.values():
        yield Pair(other.name, other, None)


async def _shards(source: BlockSource, before: Shard, after: Shard, level: int) -> AsyncIterator[Pair]:
    slots: dict[int, list[ShardLink | None]] = {}
    for side, shard in enumerate((before, after)):
        for link in shard.links:
            slots.setdefault(link.slot, [None, None])[side] = link
    for slot in sorted(slots):
        one, other = slots[slot]
        if one is not None and other is not None and one.cid == other.cid and one.name == other.name:
            continue
        if one is not None and other is not None and one.name is None and other.name is None:
            below = await _below(source, before, one, level), await _below(source, after, other, level)
            async for pair in _shards(source, *below, level + 1):
                yield pair
            continue
        left = {entry.name: entry async for entry in _entries(source, before, one, level)}
        async for entry in _entries(source, after, other, level):
            found = left.pop(entry.name, None)
            if found is None or found.cid != entry.cid:
                yield Pair(entry.name, found, entry)
        for found in left.values():
            yield Pair(found.name, found, None)


async def _entries(source: BlockSource, shard: Shard, link: ShardLink | None, level: int) -> AsyncIterator[DirEntry]:
    """Yield what lies in one slot."""
    if link is None:
        return
    if link.name is not None:
        yield DirEntry(link.name, link.cid, link.total_size)
        return
    below = await _below(source, shard, link, level)
    for inner in below.links:
        async for entry in _entries(source, below, inner, level + 1):
            yield entry


async def _below(source: BlockSource, shard: Shard, link: ShardLink, level: int) -> Shard:
    return shard_below(shard.bits, link.cid, await source.get(link.cid), level)
