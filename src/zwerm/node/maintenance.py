"""Looking after what is stored: collecting garbage, verifying, repairing, counting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.core.errors import ZwermError

if TYPE_CHECKING:
    from zwerm.ipfs.pins.pin import PinStatus
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.node")

_CHECK: Final = 30.0  # seconds between two looks at how full the store is


class Verified(NamedTuple):
    """What a verification found."""

    blocks: int  # read
    size: int  # bytes of these
    corrupt: list[bytes]  # multihashes of blocks whose bytes are something else
    unlabelled: list[bytes]  # multihashes of blocks that are whole and would not be found by a scan
    index_damage: list[str]  # what SQLite says of the database

    @property
    def ok(self) -> bool:
        return not (self.corrupt or self.unlabelled or self.index_damage)


class Repaired(NamedTuple):
    """What a repair did."""

    verified: Verified
    dropped: list[bytes]  # multihashes of blocks that are no longer here
    broken: list[PinStatus]  # the recursive pins that miss a block for it; pinning them again fetches it


Report = Callable[[int, int], None]  # blocks done, blocks in all


async def verify(node: Node, progress: Report | None = None) -> Verified:
    """Read every block and hold it against its hash; see `Node.verify`."""
    verified, _ = await _verify(node, progress, repair=False)
    return verified


async def repair(node: Node, progress: Report | None = None) -> Repaired:
    """Verify, then drop what is corrupt; see `Node.repair`."""
    verified, dropped = await _verify(node, progress, repair=True)
    broken = [status async for status in node.pins.verify() if not status.ok] if dropped else []
    return Repaired(verified, dropped, broken)


async def _verify(node: Node, progress: Report | None, *, repair: bool) -> tuple[Verified, list[bytes]]:
    verification = await asyncio.to_thread(node.store.verification)
    try:
        while await asyncio.to_thread(verification.step):
            if progress is not None:
                progress(verification.blocks, verification.total)
        if progress is not None:
            progress(verification.blocks, verification.total)
        dropped = await asyncio.to_thread(node.store.repair, verification) if repair else []
        found = Verified(
            verification.blocks,
            verification.size,
            list(verification.corrupt),
            list(verification.unlabelled),
            list(verification.index_damage),
        )
    finally:
        await asyncio.to_thread(verification.close)
    return found, dropped


async def collect_when_full(node: Node, *, period: float = _CHECK) -> None:
    """Collect by itself whenever `storage.collect_at` percent of `storage.max` are used; runs until cancelled.

    The reserve is looked after on the way.
    """
    tried_at = 0
    while True:
        await asyncio.sleep(period)
        await asyncio.to_thread(node.keep_reserve)
        limit, percent = node.config.size("storage.max"), node.config.integer("storage.collect_at")
        used = node.store.used()
        if not limit or not percent or used * 100 < limit * percent or used == tried_at:
            continue
        try:
            removed = await node.collect()
            log.info("collected garbage", extra={"blocks": removed.blocks, "bytes": removed.size})
        except ZwermError as error:
            log.warning("cannot collect garbage: %s", error)
        tried_at = node.store.used()
