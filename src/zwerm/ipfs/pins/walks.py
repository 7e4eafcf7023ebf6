"""Walks over DAGs that may be far larger than memory, a step at a time on a thread.

Each takes `Marks` and stops between steps, so that its caller can be cancelled, tell its progress, or go on later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from zwerm.core.errors import StorageError, WireError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.ipld.traverse import is_identity, links_of
from zwerm.ipfs.pins.marks import Marks, is_leaf
from zwerm.ipfs.pins.pin import BadNode
from zwerm.ipfs.source import BlockSource, Gatherer
from zwerm.multiformats.cid import CID

_STEP: Final = 64  # blocks read in one step
_KEPT: Final = 16  # blocks that came, kept in one step
_CHECKED: Final = 4  # the same where their leaves are read too: some 45 MB each


def step(store: Blockstore, marks: Marks) -> list[CID] | None:
    """Read the next blocks of a walk over what is here and mark what they link to.

    Blocks that are not here, damaged or not of their codec have nothing below them. Return the new marks; None when the
    walk is over.
    """
    batch = marks.pop(_STEP)
    if not batch:
        return None
    new = []
    for cid in batch:
        try:
            new += marks.add(links_of(cid, store.get(cid)))
        except (BlockNotFound, StorageError, WireError):
            continue
    return new


def strict_step(store: Blockstore, marks: Marks, *, partial: bool) -> bool:
    """The same for the collector, to whom a block that cannot be read hides what must be kept; False when it is over.

    With `partial`, blocks that are not here are taken for never fetched.

    Raises:
        StorageError: a block is damaged, or not here.
    """
    batch = marks.pop(_STEP)
    for cid in batch:
        try:
            marks.add(links_of(cid, store.get(cid, verify=True)))
        except BlockNotFound as error:
            if not partial:
                raise StorageError(
                    f"nothing can be collected: {cid}, below a pin, is not here; see `pin verify`"
                ) from error
        except (StorageError, WireError) as error:
            raise StorageError(f"nothing can be collected: {error}") from error
    return bool(batch)


def check_step(store: Blockstore, marks: Marks) -> list[BadNode] | None:
    """The same, hashing each block and those without links below it; return what is wrong with them."""
    batch = marks.pop(_CHECKED)
    if not batch:
        return None
    bad = []
    for cid in batch:
        try:
            new = marks.add(links_of(cid, store.get(cid, verify=True)))
        except (BlockNotFound, StorageError, WireError) as error:
            bad.append(BadNode(cid, str(error)))
        else:
            bad += check_leaves(store, new)
    return bad


def check_leaves(store: Blockstore, cids: Iterable[CID]) -> list[BadNode]:
    """Read and hash the blocks among `cids` that have nothing below them."""
    bad = []
    for cid in cids:
        if is_leaf(cid):
            try:
                store.get(cid, verify=True)
            except (BlockNotFound, StorageError) as error:
                bad.append(BadNode(cid, str(error)))
    return bad


async def complete(
    source: BlockSource, store: Blockstore, roots: Iterable[CID], progress: Callable[[int], None] | None = None
) -> None:
    """Make sure that everything below `roots` is in the store, fetching what is not, and touch all of it.

    Under a hold, all of it then stays until the hold ends.

    Raises:
        BlockNotFound: something cannot be had. Other errors as from `source` and `links_of`.
    """
    marks = Marks()
    try:
        new = await asyncio.to_thread(marks.add, list(roots))
        while True:
            await fetch(source, store, [cid for cid in new if is_leaf(cid)])
            if progress is not None:
                progress(marks.count)
            batch = await asyncio.to_thread(marks.pop, _STEP)
            if not batch:
                return
            await fetch(source, store, batch)
            new = await asyncio.to_thread(_expand, store, marks, batch)
    finally:
        marks.close()


async def fetch(source: BlockSource, store: Blockstore, cids: list[CID]) -> None:
    """Touch blocks, and get those that are not here."""
    missing = await asyncio.to_thread(store.touch, cids) if cids else []
    if missing and isinstance(source, Gatherer):
        await source.gather(missing)
        missing = await asyncio.to_thread(store.touch, missing)
    if not missing:
        return
    cids_left = iter(missing)
    batch: dict[CID, bytes] = {}
    async for data in source.get_many(missing):
        batch[next(cids_left)] = data
        if len(batch) == _KEPT:
            await asyncio.to_thread(_keep, store, batch)
            batch = {}
    await asyncio.to_thread(_keep, store, batch)


def _keep(store: Blockstore, blocks: dict[CID, bytes]) -> None:
    for cid in store.touch(blocks):  # the source did not put it there itself
        store.put([Block.check(cid, blocks[cid])])


def _expand(store: Blockstore, marks: Marks, batch: list[CID]) -> list[CID]:
    new = []
    for cid in batch:
        new += marks.add(links_of(cid, cid.digest if is_identity(cid) else store.get(cid)))
    return new
