"""`LocalSource`: a blockstore as a `BlockSource`, without keeping the event loop waiting for a disk.

What lies in the page cache and is known to be right is read where we stand, which costs less than asking a thread; the
rest is read and hashed in threads, several blocks at a time where the caller says what comes next.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable
from typing import Final

from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.multiformats.cid import CID

_AHEAD: Final = 4 * 1024 * 1024  # bytes wanted in one batch; at most two batches are in memory
_TURNS: Final = 64  # blocks read without waiting before others get their turn: a walk may read millions
_MOST: Final = 64  # blocks in one batch
_LOOKED_UP: Final = 32  # blocks whose places are asked for together
_THREADS: Final = 2  # that read and hash the blocks of one batch


class LocalSource:
    """Blocks of one store. With `verify`, each is hashed every time before it is handed out."""

    def __init__(self, store: Blockstore, *, verify: bool = False) -> None:
        self.store = store
        self.verify = verify
        self._inline = 0  # blocks read without waiting

    async def get(self, cid: CID) -> bytes:
        if not self.verify:
            data = self.store.get_nowait(cid)
            if data is not None:
                self._inline += 1
                if self._inline % _TURNS == 0:
                    await asyncio.sleep(0)
                return data
        return await asyncio.to_thread(self.store.get, cid, verify=self.verify)

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        remaining = iter(cids)
        size = 2  # blocks in the next batch: small at first, for a quick first byte
        coming = list(itertools.islice(remaining, _LOOKED_UP))
        await self._look_up(coming)
        remaining = itertools.chain(coming, remaining)
        batch = list(itertools.islice(remaining, size))
        ahead: asyncio.Task[list[bytes | Exception]] | None = None
        try:
            while batch:
                found = await ahead if ahead is not None else await self._read(batch)
                total = sum(len(data) for data in found if isinstance(data, bytes))
                size = max(1, min(_MOST, 2 * size, _AHEAD * len(found) // max(total, 1)))
                batch = list(itertools.islice(remaining, size))
                ahead = asyncio.create_task(self._read(batch)) if batch else None
                for data in found:
                    if isinstance(data, Exception):
                        raise data
                    yield data
        finally:
            if ahead is not None:
                ahead.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ahead

    async def has(self, cid: CID) -> bool:
        return await asyncio.to_thread(self.store.has, cid)

    async def _read(self, cids: list[CID]) -> list[bytes | Exception]:
        """Read a batch; an error stands in the place of its block, so that the ones before it are still given out."""
        found: list[bytes | Exception] = []
        await self._look_up(cids)
        if not self.verify:
            for cid in cids:
                data = self.store.get_nowait(cid)
                if data is None:
                    break
                found.append(data)
        rest = cids[len(found) :]
        share = -(-len(rest) // _THREADS) or 1
        parts = [asyncio.to_thread(self._read_slowly, rest[at : at + share]) for at in range(0, len(rest), share)]
        for part in await asyncio.gather(*parts):
            found += part
        return found

    async def _look_up(self, cids: list[CID]) -> None:
        """Learn by one question where blocks lie: small ones in memory are then read without another thread."""
        if not self.verify and not all(map(self.store.knows, cids)):
            await asyncio.to_thread(self.store.look_up, cids)

    def _read_slowly(self, cids: list[CID]) -> list[bytes | Exception]:
        found: list[bytes | Exception] = []
        for cid in cids:
            try:
                found.append(self.store.get(cid, verify=self.verify))
            except Exception as error:  # noqa: BLE001 -- raised again where the block is due
                found.append(error)
        return found
