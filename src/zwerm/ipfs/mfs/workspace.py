"""Blocks of a change that the store does not have yet, in front of the blocks that it has.

Every step of a change makes new directories that the next step replaces. They wait here, and only those that the
final root still reaches are put: a thousand files written into one folder leave one folder behind, not a thousand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final

from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.source import BlockSource
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

LIMIT: Final = 16 * 1024 * 1024  # bytes; when `size` has passed this, the owner tidies up


class Workspace:
    """A `BlockSource`, and a place to put blocks. Belongs to one event loop."""

    def __init__(self, source: BlockSource) -> None:
        self._source = source
        self._fresh: dict[bytes, Block] = {}  # by multihash
        self.size = 0  # bytes

    def put(self, blocks: Iterable[Block]) -> None:
        """Take blocks in; nothing is durable or on disk."""
        for block in blocks:
            if block.cid.multihash not in self._fresh:
                self._fresh[block.cid.multihash] = block
                self.size += len(block.data)

    async def get(self, cid: CID) -> bytes:
        """Return a block from here or from the source; errors are the source's."""
        fresh = self._fresh.get(cid.multihash)
        return fresh.data if fresh is not None else await self._source.get(cid)

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        """Yield blocks in order."""
        for cid in cids:
            yield await self.get(cid)

    async def has(self, cid: CID) -> bool:
        return cid.multihash in self._fresh or await self._source.has(cid)

    def __contains__(self, cid: CID) -> bool:
        """Whether a block waits here."""
        return cid.multihash in self._fresh

    def reachable(self, *roots: CID) -> list[Block]:
        """Return the blocks that wait here and that the roots lead to through blocks that wait here."""
        found: dict[bytes, Block] = {}
        open_cids = list(roots)
        while open_cids:
            cid = open_cids.pop()
            block = self._fresh.get(cid.multihash)
            if block is None or cid.multihash in found:
                continue
            found[cid.multihash] = block
            if cid.codec != multicodec.RAW:
                open_cids += codec.links(cid.codec, block.data)
        return list(found.values())

    def all(self) -> list[Block]:
        return list(self._fresh.values())

    def forget(self, blocks: Iterable[Block]) -> None:
        """Forget blocks that the store has now."""
        for block in blocks:
            if self._fresh.pop(block.cid.multihash, None) is not None:
                self.size -= len(block.data)

    def keep(self, blocks: Iterable[Block]) -> None:
        """Forget all but these."""
        self.clear()
        self.put(blocks)

    def clear(self) -> None:
        """Forget all that waits: it was put, or is not wanted."""
        self._fresh.clear()
        self.size = 0
