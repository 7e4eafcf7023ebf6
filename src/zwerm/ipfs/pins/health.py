"""Verifying a whole repository and repairing it: every block hashed, damaged ones named and dropped, broken pins too.

Both can be cancelled between two steps and begin anew the next time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from zwerm.ipfs.blockstore.packstore import PackBlockstore
from zwerm.ipfs.blockstore.verification import Verification
from zwerm.ipfs.pins.pin import PinStatus
from zwerm.ipfs.pins.pins import Pins
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

Report = Callable[[int, int], None]  # blocks read so far, blocks in all


class Verified(NamedTuple):
    """What reading every block found."""

    blocks: int
    size: int  # bytes
    corrupt: list[CID]  # raw CIDs of the blocks that are damaged
    index_damage: list[str]  # what is wrong with the database; empty: nothing

    @property
    def ok(self) -> bool:
        return not self.corrupt and not self.index_damage


class Repaired(NamedTuple):
    """What a repair did."""

    verified: Verified
    dropped: list[CID]  # the corrupt blocks, which are now simply not here
    broken: list[PinStatus]  # the recursive pins that miss a block


async def verify(store: PackBlockstore, report: Report | None = None) -> Verified:
    """Hash every block. What is damaged is not served from then on."""
    verification = await _run(store, report)
    verification.close()
    return _verified(verification)


async def repair(store: PackBlockstore, pins: Pins, report: Report | None = None) -> Repaired:
    """Verify, drop what is damaged, and say which pins that breaks: `pin add` of these fetches what is missing.

    A damaged database is not repaired here (see `blockstore.repair.save_database`).
    """
    verification = await _run(store, report)
    try:
        dropped = await asyncio.to_thread(store.repair, verification)
    finally:
        verification.close()
    broken = [status async for status in pins.verify() if not status.ok] if dropped else []
    return Repaired(_verified(verification), [_cid(key) for key in dropped], broken)


async def _run(store: PackBlockstore, report: Report | None) -> Verification:
    verification = await asyncio.to_thread(store.verification)
    try:
        while await asyncio.to_thread(verification.step):
            if report is not None:
                report(verification.blocks, verification.total)
    except BaseException:
        verification.close()
        raise
    return verification


def _verified(verification: Verification) -> Verified:
    corrupt = [_cid(key) for key in verification.corrupt]
    return Verified(verification.blocks, verification.size, corrupt, verification.index_damage)


def _cid(key: bytes) -> CID:
    return CID(1, multicodec.RAW, key)
