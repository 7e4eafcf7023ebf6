"""`NetworkSource`: what is here at once, what is not from others.

Local content costs what it costs without a network: only where a block is missing others are asked, and from there on
in the same list. Blocks that come are verified and stored before they are given out.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from typing import Final

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.ipfs.bitswap.aio import Bitswap
from zwerm.ipfs.bitswap.session import Share
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.exchange.failure import Search
from zwerm.ipfs.exchange.gateways import Gateways
from zwerm.ipfs.exchange.retrieval import CURRENT, Progress, Retrieval
from zwerm.ipfs.ipld.traverse import links_of
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_WINDOW_SIZE: Final = 32 * 1_048_576  # bytes asked for ahead of whoever reads, by the size of what came so far
_WINDOW_FIRST: Final = 32  # blocks, while that is not known
_WINDOW_MOST: Final = 256
_LOOK_UP: Final = 32  # blocks looked up at once
_GATHERED: Final = 4_096  # blocks asked for at once that nobody reads
_IDLE: Final = 30.0  # seconds after which a retrieval that nobody uses ends


class NetworkSource:
    """A `BlockSource` over a store, bitswap and HTTP gateways."""

    def __init__(self, local: LocalSource, bitswap: Bitswap, gateways: Gateways | None = None) -> None:
        self.local = local
        self.bitswap = bitswap
        self.gateways = gateways
        self._loop = asyncio.get_running_loop()
        self._retrievals: dict[int, Retrieval] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def get(self, cid: CID) -> bytes:
        is_coming = self._is_coming(cid)
        try:
            return await self.local.get(cid)
        except BlockNotFound:
            if is_coming and self._has_come(cid):
                return await self.local.get(cid)
            retrieval = self._retrieval(cid)
        with self._using(retrieval):
            return await self._one(retrieval, cid)

    async def get_many(self, cids: Iterable[CID]) -> AsyncGenerator[bytes, None]:
        read: deque[CID] = deque()  # by the local source, and not given out yet

        def recorded(remaining: Iterator[CID]) -> Iterator[CID]:
            for cid in remaining:
                read.append(cid)
                yield cid

        remaining = iter(cids)
        try:
            async with contextlib.aclosing(self.local.get_many(recorded(remaining))) as blocks:  # type: ignore[type-var]
                async for data in blocks:
                    read.popleft()
                    yield data
            return
        except BlockNotFound:
            if not read:
                raise
        retrieval = self._retrieval(read[0])
        with self._using(retrieval):
            async with contextlib.aclosing(self._fetch_many(retrieval, itertools.chain(read, remaining))) as blocks:
                async for data in blocks:
                    yield data

    async def gather(self, cids: Sequence[CID]) -> None:
        for start in range(0, len(cids), _GATHERED):
            part = cids[start : start + _GATHERED]
            retrieval = self._retrieval(part[0])
            with self._using(retrieval):
                if self.gateways is None and all(cid.codec == multicodec.RAW for cid in part):
                    await self._bring(retrieval, part)
                    continue
                async with contextlib.aclosing(self._fetch_many(retrieval, iter(part))) as blocks:
                    async for _ in blocks:
                        pass

    async def has(self, cid: CID) -> bool:
        return await self.local.has(cid)

    @contextlib.contextmanager
    def retrieving(self, root: CID, listener: Callable[[Retrieval], None] | None = None) -> Iterator[Retrieval]:
        """Let everything that this task gets while the context is open belong together, and be watched.

        `listener` is called on the loop whenever a block came.
        """
        retrieval = self._open(root, listener)
        retrieval.is_held = True
        token = CURRENT.set(retrieval)
        try:
            yield retrieval
        finally:
            with contextlib.suppress(ValueError):  # a generator that is closed by another task
                CURRENT.reset(token)
            self._close(retrieval)

    def progress(self, retrieval: Retrieval) -> Progress:
        """Say how a retrieval stands."""
        session = self.bitswap.client.session(retrieval.number)
        shares = dict(session.shares) if session is not None else {}
        given = [*shares.values(), *retrieval.others.values()]
        return Progress(
            sum(share.size for share in given),
            sum(share.blocks for share in given),
            session.duplicates if session is not None else 0,
            shares,
            dict(retrieval.others),
            self.bitswap.searches.get(retrieval.number) or Search(),
        )

    @property
    def retrievals(self) -> list[Retrieval]:
        """Those under way."""
        return [retrieval for retrieval in self._retrievals.values() if retrieval.active or retrieval.is_held]

    def tagged(self, tag: str) -> list[Retrieval]:
        """Those that were opened for `tag`, for some seconds after they ended too."""
        return [retrieval for retrieval in self._retrievals.values() if retrieval.tag == tag]

    async def close(self) -> None:
        """End every retrieval. Idempotent."""
        if self._sweep is not None:
            self._sweep.cancel()
        for retrieval in list(self._retrievals.values()):
            self._close(retrieval)
        if self.gateways is not None:
            await self.gateways.close()

    # Sessions

    def _retrieval(self, cid: CID) -> Retrieval:
        """Return what this task is getting; a new one when it gets nothing yet."""
        current = CURRENT.get()
        if current is None or self._retrievals.get(current.number) is not current:
            current = self._open(cid, None)
            CURRENT.set(current)
        return current

    def _open(self, root: CID, listener: Callable[[Retrieval], None] | None) -> Retrieval:
        try:
            number = self.bitswap.open_session(root)
        except ResourceLimitError:
            self._end_idle(0.0)
            number = self.bitswap.open_session(root)
        retrieval = self._retrievals[number] = Retrieval(number, root, self._loop.time(), listener)
        if self._sweep is None:
            self._sweep = self._loop.call_later(_IDLE, self._sweep_idle)
        return retrieval

    def _close(self, retrieval: Retrieval) -> None:
        if self._retrievals.pop(retrieval.number, None) is not None:
            self.bitswap.close_session(retrieval.number)

    def _sweep_idle(self) -> None:
        self._end_idle(_IDLE)
        self._sweep = self._loop.call_later(_IDLE, self._sweep_idle) if self._retrievals else None

    def _end_idle(self, age: float) -> None:
        oldest = self._loop.time() - age
        for retrieval in list(self._retrievals.values()):
            if not retrieval.active and not retrieval.is_held and retrieval.used <= oldest:
                self._close(retrieval)

    @contextlib.contextmanager
    def _using(self, retrieval: Retrieval) -> Iterator[None]:
        retrieval.active += 1
        try:
            yield
        finally:
            retrieval.active -= 1
            retrieval.used = self._loop.time()

    # Blocks

    async def _one(self, retrieval: Retrieval, cid: CID) -> bytes:
        retrieval.use(cid)
        data = await self._ask(retrieval, cid)
        self._came(retrieval)
        return data

    async def _ask(self, retrieval: Retrieval, cid: CID) -> bytes:
        """Get one block from whoever is first."""
        bitswap = self.bitswap
        if self.gateways is None:
            return await bitswap.fetch(retrieval.number, cid)
        bitswap.hold(retrieval.number, 1)
        future = bitswap.fetch(retrieval.number, cid)
        other = asyncio.ensure_future(self._ask_gateways(self.gateways, retrieval, cid, future))
        other.add_done_callback(lambda _: bitswap.hold(retrieval.number, -1))
        try:
            return await future
        finally:
            future.cancel()
            other.cancel()
            await asyncio.wait([other])

    async def _ask_gateways(
        self, gateways: Gateways, retrieval: Retrieval, cid: CID, future: asyncio.Future[bytes]
    ) -> None:
        search = self.bitswap.searches.get(retrieval.number) or Search()
        data, name = await gateways.fetch(cid, search, hurry=not self.bitswap.client.peers)
        if data is None or future.done():
            return
        share = retrieval.others.setdefault(name, Share())
        share.blocks += 1
        share.size += len(data)
        self.bitswap.supply(cid, data)

    async def _bring(self, retrieval: Retrieval, cids: Sequence[CID]) -> None:
        """Get blocks that nobody reads now and that lead nowhere: all of them are asked for at once."""
        for cid in cids:
            retrieval.use(cid)
        here = await self._look_up(cids)
        futures = self.bitswap.bring(
            retrieval.number, [cid for cid, is_here in zip(cids, here, strict=True) if not is_here]
        )
        try:
            for future in futures:
                await future
                self._came(retrieval)
        finally:
            for future in futures:
                future.cancel()
            await asyncio.gather(*futures, return_exceptions=True)

    async def _fetch_many(self, retrieval: Retrieval, cids: Iterator[CID]) -> AsyncGenerator[bytes, None]:
        window: deque[tuple[CID, asyncio.Future[bytes] | None]] = deque()
        more = True
        count = size = 0
        try:
            while True:
                limit = _WINDOW_FIRST if not count else max(2, min(_WINDOW_SIZE * count // (size or 1), _WINDOW_MOST))
                if more and len(window) <= limit - _LOOK_UP // 2:
                    batch = list(itertools.islice(cids, min(_LOOK_UP, limit)))
                    more = bool(batch)
                    for cid, is_here in zip(batch, await self._look_up(batch), strict=True):
                        retrieval.use(cid)
                        ask = None if is_here else asyncio.ensure_future(self._ask(retrieval, cid))
                        window.append((cid, ask))
                if not window:
                    return
                self._read_ahead(retrieval)
                cid, future = window[0]
                data = await self.local.get(cid) if future is None else await future
                window.popleft()
                count += 1
                size += len(data)
                if future is not None:
                    self._came(retrieval)
                if cid.codec == multicodec.DAG_PB:
                    self._follow(retrieval, cid, data)
                yield data
        finally:
            left = [future for _, future in window if future is not None]
            for future in left:
                future.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _look_up(self, cids: Sequence[CID]) -> list[bool]:
        """Say which blocks are here; one that comes while it is looked up is, and must not be asked for again."""
        coming = [self._is_coming(cid) for cid in cids]
        absent = set(await asyncio.to_thread(self.local.store.absent, cids))
        return [
            cid not in absent or (is_coming and self._has_come(cid))
            for cid, is_coming in zip(cids, coming, strict=True)
        ]

    def _is_coming(self, cid: CID) -> bool:
        return self.bitswap.client.is_wanted(cid.multihash)

    def _has_come(self, cid: CID) -> bool:
        """Whether a block that was coming a moment ago, and was not here then, is here now."""
        return not self._is_coming(cid) and self.local.store.has(cid)

    def _came(self, retrieval: Retrieval) -> None:
        if retrieval.listener is not None:
            retrieval.listener(retrieval)

    @staticmethod
    def _follow(retrieval: Retrieval, cid: CID, data: bytes) -> None:
        with contextlib.suppress(WireError):  # whoever reads it will say so
            retrieval.follow(links_of(cid, data))

    def _read_ahead(self, retrieval: Retrieval) -> None:
        ahead = [cid for cid in retrieval.next_ahead() if not self.local.store.has(cid)]
        if ahead and self.bitswap.client.session(retrieval.number) is not None:
            with contextlib.suppress(ResourceLimitError):
                self.bitswap.prefetch(retrieval.number, ahead)
