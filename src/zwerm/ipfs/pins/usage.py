"""What the space of a repository is used for: pinned, among the files, or merely cached."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable

from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.pins import walks
from zwerm.ipfs.pins.marks import Marks
from zwerm.ipfs.pins.pin import PinKind
from zwerm.ipfs.pins.pins import Pins
from zwerm.multiformats.cid import CID

_PAGE = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of blocks by what keeps them; a block counts once, for the first that applies."""

    pinned: int = 0
    files: int = 0  # below the other roots: the mutable files and their history
    pinned_blocks: int = 0
    file_blocks: int = 0


async def measure(store: Blockstore, pins: Pins, roots: Iterable[CID]) -> Usage:
    """Walk everything that is kept and add up its sizes; the rest of the store is what a collection would remove.

    Takes as long as marking does; memory stays bounded. Cancel it at any time.
    """
    marks = Marks()
    try:
        await asyncio.to_thread(_mark_pins, pins, marks)
        await _walk(store, marks)
        pinned_blocks, pinned = await _sizes(store, marks)
        await asyncio.to_thread(marks.add, list(roots))
        await _walk(store, marks)
        blocks, size = await _sizes(store, marks)
    finally:
        marks.close()
    return Usage(pinned, size - pinned, pinned_blocks, blocks - pinned_blocks)


def _mark_pins(pins: Pins, marks: Marks) -> None:
    for page in pins.pages(PinKind.DIRECT):
        marks.add_alone(pin.cid for pin in page)
    for page in pins.pages(PinKind.RECURSIVE):
        marks.add(pin.cid for pin in page)


async def _walk(store: Blockstore, marks: Marks) -> None:
    while await asyncio.to_thread(walks.step, store, marks) is not None:
        pass


async def _sizes(store: Blockstore, marks: Marks) -> tuple[int, int]:
    """Number and bytes of the marked blocks that are in the store."""
    blocks = size = 0
    last: CID | None = None
    while page := await asyncio.to_thread(marks.page, last, _PAGE):
        found = await asyncio.to_thread(_add_up, store, page, last)
        blocks, size, last = blocks + found[0], size + found[1], page[-1]
    return blocks, size


def _add_up(store: Blockstore, cids: list[CID], last: CID | None) -> tuple[int, int]:
    blocks = size = 0
    for cid in cids:
        if last is None or cid.multihash != last.multihash:  # one block under two codecs is one block
            try:
                size += store.size(cid)
                blocks += 1
            except BlockNotFound:
                pass
        last = cid
    return blocks, size
