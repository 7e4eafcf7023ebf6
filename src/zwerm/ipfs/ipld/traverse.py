"""Walking a DAG: depth-first, in the order of its links, each block once, within limits.

What is walked may have been made to hurt: blocks of a hundred thousand links, chains without end, links into
themselves by way of identity CIDs. `Limits` bounds all of it; past one, a walk ends with one `ResourceLimitError`.

Blocks are fetched a little ahead of the walk, so that a source with latency is asked for siblings together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from zwerm.core.errors import ResourceLimitError, ZwermError
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.source import BlockSource
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_BATCH: Final = 16  # blocks asked for together
_AHEAD: Final = 16 * 1024 * 1024  # bytes fetched before their turn, past which no batch is started


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What one walk may come to. The defaults admit any DAG that people make and end those made to hurt."""

    depth: int = 1_000_000  # links from a root; a history of commits is a chain that long
    width: int = 262_144  # different links in one block; 2 MiB of the shortest links
    pending: int = 524_288  # links found and not yet followed, some 150 MB
    blocks: int = 16_777_216  # blocks walked, repeated ones too; each is remembered, some 100 bytes
    size: int = 1 << 50  # bytes of blocks walked


DEFAULT_LIMITS: Final = Limits()


async def load(source: BlockSource, cid: CID) -> bytes:
    """Return the block; an identity CID answers from itself, whatever the source. Errors as `BlockSource.get`."""
    return cid.digest if is_identity(cid) else await source.get(cid)


def is_identity(cid: CID) -> bool:
    """Whether the CID holds its block instead of a hash of it."""
    return cid.multihash[0] == multicodec.IDENTITY


def links_of(cid: CID, data: bytes) -> list[CID]:
    """Return the links of an untrusted block in order; none for a codec that cannot be read, as nothing is known of it.

    Raises:
        WireError: the bytes are not of the codec that the CID names.
    """
    return codec.links(cid.codec, data) if codec.known(cid.codec) else []


async def walk(
    source: BlockSource, roots: Iterable[CID], *, limits: Limits = DEFAULT_LIMITS, repeats: bool = False
) -> AsyncIterator[tuple[CID, bytes]]:
    """Yield the blocks below and with `roots`, parents before children, first links first.

    A block is yielded once for each of its CIDs, or with `repeats` as often as links lead to it.

    Raises:
        BlockNotFound: a block cannot be had; the walk cannot go on.
        WireError: a block is not of its codec.
        ResourceLimitError: a limit was reached. All of these name the block, and what was yielded before is right.
    """
    walker = _Walk(source, limits, repeats=repeats)
    walker.push(list(roots), 0)
    while (step := walker.pop()) is not None:
        cid, depth = step
        data = await walker.fetch(cid)
        yield cid, data
        if cid.codec != multicodec.RAW:
            walker.push(links_of(cid, data), depth + 1)


class _Walk:
    """The state of one walk: what was seen, what comes next, what was fetched before its turn."""

    def __init__(self, source: BlockSource, limits: Limits, *, repeats: bool) -> None:
        self._source = source
        self._limits = limits
        self._repeats = repeats
        self._stack: list[tuple[CID, int]] = []  # the next one last, with its depth
        self._seen: set[bytes] = set()
        self._ahead: dict[bytes, bytes] = {}
        self._ahead_size = 0
        self._blocks = 0
        self._size = 0

    def push(self, links: list[CID], depth: int) -> None:
        """Put the links of a block before all that was to come."""
        limits = self._limits
        if not self._repeats:
            links = [cid for cid in dict.fromkeys(links) if bytes(cid) not in self._seen]
        if not links:
            return
        if depth > limits.depth:
            raise ResourceLimitError(f"DAG deeper than {limits.depth} links, at {links[0]}")
        if len(links) > limits.width:
            raise ResourceLimitError(f"block with {len(links)} links, the limit is {limits.width}")
        if len(self._stack) + len(links) > limits.pending:
            raise ResourceLimitError(f"DAG with more than {limits.pending} links to follow at once")
        self._stack += [(cid, depth) for cid in reversed(links)]

    def pop(self) -> tuple[CID, int] | None:
        while self._stack:
            step = self._stack.pop()
            if self._repeats:
                return step
            key = bytes(step[0])
            if key not in self._seen:
                self._seen.add(key)
                return step
        return None

    async def fetch(self, cid: CID) -> bytes:
        """Return the block whose turn it is, and count it."""
        self._blocks += 1
        if self._blocks > self._limits.blocks:
            raise ResourceLimitError(f"DAG of more than {self._limits.blocks} blocks, at {cid}")
        if is_identity(cid):
            data = cid.digest
        else:
            key = bytes(cid)
            if key not in self._ahead:
                await self._fetch_ahead(cid)
            data = self._ahead.pop(key)
            self._ahead_size -= len(data)
        self._size += len(data)
        if self._size > self._limits.size:
            raise ResourceLimitError(f"DAG of more than {self._limits.size} bytes, at {cid}")
        return data

    async def _fetch_ahead(self, cid: CID) -> None:
        """Fetch `cid`, and with it what comes next by what is known now.

        When one of the others fails, that is left to be found out when its turn comes.
        """
        key = bytes(cid)
        batch = {key: cid}
        if self._ahead_size < _AHEAD:
            for later, _ in self._stack[: -_BATCH - 1 : -1]:
                later_key = bytes(later)
                if not is_identity(later) and later_key not in self._ahead and later_key not in self._seen:
                    batch[later_key] = later
        if len(batch) > 1:
            await self._fetch_batch(batch)
        if key not in self._ahead:
            self._keep(key, await self._source.get(cid))

    async def _fetch_batch(self, batch: dict[bytes, CID]) -> None:
        keys = iter(batch)
        blocks: Any = self._source.get_many(batch.values())
        try:
            async for data in blocks:
                self._keep(next(keys), data)
        except ZwermError:
            return  # the caller asks for the one it needs by itself, and gets the error if that is its own
        finally:
            if hasattr(blocks, "aclose"):
                await blocks.aclose()

    def _keep(self, key: bytes, data: bytes) -> None:
        self._ahead[key] = data
        self._ahead_size += len(data)
