"""Walking a DAG: depth-first, in the order of its links, each block once, within limits.

What is walked may have been made to hurt: blocks of a hundred thousand links, chains without end, links into
themselves by way of identity CIDs. `Limits` bounds all of it; past one, a walk ends with one `ResourceLimitError`.

Blocks are fetched a little ahead of the walk, so that a source with latency is asked for siblings together.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from typing import Any, Final

from zwerm.core.errors import ResourceLimitError, WireError, ZwermError
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
    if not codec.known(cid.codec):
        return []
    try:
        return codec.links(cid.codec, data)
    except WireError as error:
        raise WireError(f"{cid}: {error}") from error


async def walk(
    source: BlockSource,
    roots: Iterable[CID],
    *,
    limits: Limits = DEFAULT_LIMITS,
    repeats: bool = False,
    links: Callable[[CID, bytes], list[CID]] = links_of,
) -> AsyncGenerator[tuple[CID, bytes], None]:
    """Yield the blocks below and with `roots`, parents before children, first links first.

    A block is yielded once for each of its CIDs, or with `repeats` as often as links lead to it. `links` says which
    links of a block, that is not raw, to follow.

    Raises:
        BlockNotFound: a block cannot be had; the walk cannot go on.
        WireError: a block is not of its codec.
        ResourceLimitError: a limit was reached. All of these name the block, and what was yielded before is right.
    """
    ahead = ReadAhead(source, limits)
    frontier = _Frontier(limits, repeats=repeats)
    frontier.push(list(roots), 0)
    while (step := frontier.pop()) is not None:
        cid, depth = step
        data = await ahead.load(cid, frontier.upcoming())
        yield cid, data
        if cid.codec != multicodec.RAW:
            frontier.push(links(cid, data), depth + 1)


class _Frontier:
    """The links a walk has found and not yet followed, and the blocks it has seen."""

    def __init__(self, limits: Limits, *, repeats: bool) -> None:
        self._limits = limits
        self._repeats = repeats
        self._stack: list[tuple[CID, int]] = []  # the next one last, with its depth
        self._seen: set[bytes] = set()

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

    def upcoming(self) -> Iterator[CID]:
        """What will be popped next, if nothing is pushed before."""
        return (cid for cid, _ in reversed(self._stack) if bytes(cid) not in self._seen)


class ReadAhead:
    """Fetches blocks one by one for a walk, asking the source for several at once, and counts them."""

    def __init__(self, source: BlockSource, limits: Limits = DEFAULT_LIMITS) -> None:
        self._source = source
        self._limits = limits
        self._kept: dict[bytes, bytes] = {}  # fetched before their turn
        self._kept_size = 0
        self._blocks = 0
        self._size = 0

    async def load(self, cid: CID, upcoming: Iterator[CID]) -> bytes:
        """Return the block; `upcoming` are those likely to be asked for next. Errors as `walk`."""
        self._blocks += 1
        if self._blocks > self._limits.blocks:
            raise ResourceLimitError(f"DAG of more than {self._limits.blocks} blocks, at {cid}")
        data = cid.digest if is_identity(cid) else await self._fetch(cid, upcoming)
        self._size += len(data)
        if self._size > self._limits.size:
            raise ResourceLimitError(f"DAG of more than {self._limits.size} bytes, at {cid}")
        return data

    async def _fetch(self, cid: CID, upcoming: Iterator[CID]) -> bytes:
        key = bytes(cid)
        if key not in self._kept and self._kept_size < _AHEAD:
            batch = {key: cid}
            for later in itertools.islice(upcoming, _BATCH):
                later_key = bytes(later)
                if not is_identity(later) and later_key not in self._kept:
                    batch[later_key] = later
            if len(batch) > 1:
                await self._fetch_batch(batch)
        data = self._kept.pop(key, None)
        if data is None:
            return await self._source.get(cid)
        self._kept_size -= len(data)
        return data

    async def _fetch_batch(self, batch: dict[bytes, CID]) -> None:
        keys = iter(batch)
        blocks = self._source.get_many(batch.values())
        try:
            async for data in blocks:
                self._kept[next(keys)] = data
                self._kept_size += len(data)
        except ZwermError:
            return  # each that is missing now is asked for by itself when its turn comes, and its error raised then
        finally:
            await close(blocks)


async def close(iterator: AsyncIterable[object]) -> None:
    """End an iteration that may not have come to its end, so that what it holds is let go now."""
    aclose: Any = getattr(iterator, "aclose", None)
    if aclose is not None:
        await aclose()
