"""What a node can say about itself in numbers, and how many files there are."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.core.errors import ZwermError

if TYPE_CHECKING:
    from zwerm.multiformats.cid import CID
    from zwerm.node.node import Node

_REMEMBERED: Final = 20_000  # directories whose counts are known
_SELDOM: Final = 20  # a count that took a second is made again after so many
_QUICK: Final = 0.1  # seconds that a count may take to be made whenever somebody asks
_BREATH: Final = 500  # entries after which others get their turn
_PATIENCE: Final = 0.15  # seconds that a caller waits for a count that is being made


def numbers(node: Node) -> dict[str, float]:
    """Return the figures for monitoring. Blocks for the disk: a fraction of a second for a million blocks."""
    found = node.store.statistics()
    return {
        "blocks": found.blocks,
        "blocks_bytes": found.size,
        "blocks_damaged": found.damaged,
        "storage_bytes": node.store.used(),
        "storage_limit_bytes": node.config.size("storage.max"),
        "pins": count_pins(node),
    }


class BlockCounter:
    """How many blocks there are, as of a moment ago: counting reads the whole index, a large one seldom."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._count = 0
        self._again_at = 0.0  # on the monotonic clock

    async def count(self) -> int:
        began = time.monotonic()
        if began >= self._again_at:
            self._count = (await asyncio.to_thread(self._node.store.statistics)).blocks
            self._again_at = _again_at(began)
        return self._count


def count_pins(node: Node) -> int:
    """Return how many roots are pinned, recursively or directly."""
    from zwerm.ipfs.pins.pin import PinKind

    return sum(len(page) for kind in (PinKind.RECURSIVE, PinKind.DIRECT) for page in node.pins.pages(kind))


def count_versions(node: Node) -> int:
    """Return how many versions of the files are listed."""
    return int(node.database.query("SELECT COUNT(*) FROM versions")[0][0])


def _again_at(began: float) -> float:
    """Return when to count again what was counted since `began`: at once, unless it took long."""
    now = time.monotonic()
    return now if now - began < _QUICK else now + (now - began) * _SELDOM


class TreeSize(NamedTuple):
    """How much is below a directory."""

    files: int  # symbolic links included
    directories: int


class TreeCounter:
    """Counts the files of a tree. What is below a directory's CID never changes, so only what is new is read."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: OrderedDict[CID, TreeSize] = OrderedDict()
        self._work: asyncio.Task[None] | None = None
        self._latest: TreeSize | None = None
        self._again_at = 0.0  # on the monotonic clock

    async def count(self) -> TreeSize | None:
        """Return the counts of the files, of a large tree as of a moment ago; None while they were never made."""
        known = self._known.get(await self._node.files.root())
        if known is not None:
            return known
        if (self._work is None or self._work.done()) and time.monotonic() >= self._again_at:
            self._work = asyncio.create_task(self._count_root())
            await asyncio.wait({self._work}, timeout=_PATIENCE)
        return self._latest

    async def close(self) -> None:
        """End what is running."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _count_root(self) -> None:
        from zwerm.ipfs.exchange.switch import begin_request

        begin_request(offline=True)
        began = time.monotonic()
        try:
            self._latest = await self._count(await self._node.files.root(), 0)
        finally:
            self._again_at = _again_at(began)

    async def _count(self, cid: CID, depth: int) -> TreeSize:
        from zwerm.ipfs.mfs.status import entries
        from zwerm.ipfs.unixfs.entry import Kind

        known = self._known.get(cid)
        if known is not None:
            self._known.move_to_end(cid)
            return known
        files, directories = 0, 0
        below: list[CID] = []
        try:
            async for entry in entries(self._node.source, cid, long=True):
                if entry.kind is Kind.DIRECTORY:
                    directories += 1
                    below.append(entry.cid)
                else:
                    files += 1
                if not (files + directories) % _BREATH:
                    await asyncio.sleep(0)
        except ZwermError:
            below.clear()  # content that is not here counts as nothing
        for child in below if depth < 500 else ():
            found = await self._count(child, depth + 1)
            files, directories = files + found.files, directories + found.directories
        size = self._known[cid] = TreeSize(files, directories)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return size
