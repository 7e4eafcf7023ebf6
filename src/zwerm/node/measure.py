"""What keeps how much: the blocks below the files, the pins and the history, each counted once, in this order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.core.errors import ZwermError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.pins.marks import Marks, is_leaf
from zwerm.ipfs.pins.pin import PinKind
from zwerm.node.roots import history_roots

if TYPE_CHECKING:
    from zwerm.multiformats.cid import CID
    from zwerm.node.node import Node

_STEP: Final = 128  # blocks read in one go on a thread


class Kind(NamedTuple):
    """One reason to keep blocks."""

    kind: str  # files, pins, history, unused, index
    bytes: int
    blocks: int


async def measure(node: Node, progress: Callable[[int, int], None] | None = None) -> AsyncIterator[Kind]:
    """Yield a record for each kind; what nothing keeps is `unused`, the store's own bookkeeping `index`.

    Walks everything that is kept; cancelling stops it between two steps.
    """
    statistics = await asyncio.to_thread(node.store.statistics)
    marks = Marks()
    counted = _Count()
    try:
        sources: tuple[tuple[str, Callable[[], Iterable[CID]]], ...] = (
            ("files", node.files.roots),
            ("pins", lambda: _pinned(node)),
            ("history", lambda: history_roots(node.history)),
        )
        for kind, roots in sources:
            before = counted.size, counted.blocks
            await asyncio.to_thread(counted.add, node, marks, roots())
            while await asyncio.to_thread(counted.step, node, marks):
                if progress is not None:
                    progress(counted.blocks, statistics.blocks)
            yield Kind(kind, counted.size - before[0], counted.blocks - before[1])
        unused = max(statistics.size - counted.size, 0) + statistics.dead
        yield Kind("unused", unused, max(statistics.blocks - counted.blocks, 0))
        yield Kind("index", max(node.store.used() - counted.size - unused, 0), 0)
    finally:
        await asyncio.to_thread(marks.close)


class _Count:
    """Blocks met so far."""

    def __init__(self) -> None:
        self.blocks = 0
        self.size = 0

    def add(self, node: Node, marks: Marks, cids: Iterable[CID]) -> None:
        """Count those of the blocks that were not met before and are here."""
        for cid in marks.add(cids):
            try:
                self.size += node.store.size(cid)
            except BlockNotFound:
                continue
            self.blocks += 1

    def step(self, node: Node, marks: Marks) -> bool:
        """Go on below some of the blocks; False when there are no more."""
        popped = marks.pop(_STEP)
        for cid in popped:
            try:
                self.add(node, marks, _links(cid, node.store.get(cid)))
            except ZwermError:
                continue  # not here, or damaged: it keeps nothing that could be counted
        return bool(popped)


def _links(cid: CID, data: bytes) -> list[CID]:
    return [] if is_leaf(cid) else codec.links(cid.codec, data)


def _pinned(node: Node) -> Iterator[CID]:
    for kind in (PinKind.RECURSIVE, PinKind.DIRECT):
        for page in node.pins.pages(kind):
            yield from (pin.cid for pin in page)
