"""Pins: the blocks that a person wants to keep, and through them everything below (direct, recursive, named).

A recursive pin promises that its whole DAG is here: `add` walks it, fetching what is missing, before it is written
down, under a hold that keeps the collector away from what it has passed. Indirect pins are computed, never stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Final

from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.pins import walks
from zwerm.ipfs.pins.marks import Marks
from zwerm.ipfs.pins.pin import BadNode, NotPinned, Pin, PinConflict, PinKind, PinStatus
from zwerm.ipfs.source import BlockSource
from zwerm.multiformats.cid import CID

_MIGRATIONS: Final = (
    """
    CREATE TABLE pins (
        multihash BLOB NOT NULL,
        codec INTEGER NOT NULL,
        version INTEGER NOT NULL,  -- of the CID as it was given
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        added REAL NOT NULL,       -- seconds since 1970
        PRIMARY KEY (multihash, codec)
    ) WITHOUT ROWID
    """,
)
_PAGE: Final = 1_000  # pins read at a time
_MOST_BAD: Final = 10_000  # bad blocks named for one pin

Progress = Callable[[int], None]  # is called with the number of blocks passed so far
Listener = Callable[[CID, PinKind | None], None]  # is called with what a block's own pin is now; None: it has none


class Pins:
    """The pins of one repository."""

    def __init__(self, database: Database, store: Blockstore) -> None:
        self._database = database
        self._store = store
        self.listeners: list[Listener] = []  # called in the thread that made a change, once it is durable
        database.define("pins", _MIGRATIONS)

    async def add(
        self,
        source: BlockSource,
        cid: CID,
        *,
        recursive: bool = True,
        name: str = "",
        progress: Progress | None = None,
    ) -> None:
        """Keep a block, or with `recursive` everything below it too, once all of it is here. Durable when it returns.

        A pin that is there already gets the new name; a direct one becomes recursive. Cancelling adds no pin; blocks
        that were fetched stay until they are collected.

        Raises:
            PinConflict: a direct pin is asked for and there is a recursive one.
            BlockNotFound: something could not be had. Other errors as from `source` and `ipld`; no pin was added.
        """
        found = await asyncio.to_thread(self.find, cid)
        if found is not None and found.kind is PinKind.RECURSIVE and not recursive:
            raise PinConflict(f"{cid} already pinned recursively")
        with self._store.hold():
            if recursive:
                await walks.complete(source, self._store, [cid], progress)
            else:
                await walks.fetch(source, self._store, [cid])
            await asyncio.to_thread(self.record, cid, recursive=recursive, name=name)

    def record(self, cid: CID, *, recursive: bool = True, name: str = "") -> None:
        """Write down a pin whose blocks were all put or touched under a hold that is still open.

        For those who have just built the DAG. Blocks until the pin and its blocks are durable.
        """
        self._store.sync()
        kind = PinKind.RECURSIVE if recursive else PinKind.DIRECT
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?, ?, ?)",
                (cid.multihash, cid.codec, cid.version, kind.value, name, time.time()),
            )
        self._tell(cid, kind)

    async def remove(self, cid: CID, *, recursive: bool = True) -> None:
        """Keep something no longer. Durable when it returns.

        Raises:
            NotPinned: it has no pin of its own.
            PinConflict: not `recursive`, and the pin is.
        """
        found = await asyncio.to_thread(self.find, cid)
        if found is None:
            raise NotPinned("not pinned or pinned indirectly")
        if found.kind is PinKind.RECURSIVE and not recursive:
            raise PinConflict(f"{cid} is pinned recursively")
        await asyncio.to_thread(self._remove, cid)

    async def update(
        self, source: BlockSource, old: CID, new: CID, *, unpin: bool = True, progress: Progress | None = None
    ) -> None:
        """Pin `new` recursively under the name of `old`, then unpin `old`: what both share is kept all the time.

        Raises:
            NotPinned: `old` has no recursive pin.
        """
        found = await asyncio.to_thread(self.find, old)
        if found is None or found.kind is not PinKind.RECURSIVE:
            raise NotPinned("'from' cid was not recursively pinned already")
        await self.add(source, new, name=found.name, progress=progress)
        if unpin and (old.multihash, old.codec) != (new.multihash, new.codec):
            await asyncio.to_thread(self._remove, old)

    async def list(self, kind: PinKind | None = None, name: str | None = None) -> AsyncIterator[Pin]:
        """Yield the pins of a kind (None: of every kind); with `name`, only those whose name contains it.

        Recursive ones come first, then direct, then indirect, each once; in bounded memory however many there are.
        """
        for stored in (PinKind.RECURSIVE, PinKind.DIRECT):
            if kind in (None, stored):
                async for pin in self._stored(stored):
                    if name is None or name in pin.name:
                        yield pin
        if kind in (None, PinKind.INDIRECT) and name is None:
            async for pin in self._indirect():
                yield pin

    def pages(self, kind: PinKind) -> Iterator[Sequence[Pin]]:
        """The stored pins of a kind, a page at a time; those changed meanwhile may or may not appear. Blocks."""
        key, code = b"", -1
        while rows := self._database.query(
            "SELECT multihash, codec, version, name FROM pins WHERE (multihash, codec) > (?, ?) AND kind = ?"
            " ORDER BY multihash, codec LIMIT ?",
            (key, code, kind.value, _PAGE),
        ):
            yield [Pin(CID(version, code, key), kind, name) for key, code, version, name in rows]
            key, code = rows[-1][:2]

    def find(self, cid: CID) -> Pin | None:
        """Return the block's own pin, if it has one. Blocks."""
        row = self._database.row(
            "SELECT version, kind, name FROM pins WHERE multihash = ? AND codec = ?", (cid.multihash, cid.codec)
        )
        return Pin(CID(row[0], cid.codec, cid.multihash), PinKind(row[1]), row[2]) if row else None

    async def check(self, cid: CID) -> Pin | None:
        """Return what keeps a block: its own pin, or a recursive one above it (`via`); None when nothing does."""
        found = await asyncio.to_thread(self.find, cid)
        if found is not None:
            return found
        marks = Marks()
        try:
            async for root in self._stored(PinKind.RECURSIVE):
                await asyncio.to_thread(marks.add, [root.cid])
                while (new := await asyncio.to_thread(walks.step, self._store, marks)) is not None:
                    if any(link.multihash == cid.multihash for link in new):
                        return Pin(cid, PinKind.INDIRECT, via=root.cid)
        finally:
            marks.close()
        return None

    async def verify(self) -> AsyncIterator[PinStatus]:
        """Read and hash everything below each recursive pin; say for each what is missing or damaged."""
        marks = Marks()
        try:
            async for root in self._stored(PinKind.RECURSIVE):
                marks.begin_round()
                new = await asyncio.to_thread(marks.add, [root.cid])
                bad: list[BadNode] = await asyncio.to_thread(walks.check_leaves, self._store, new)
                while (found := await asyncio.to_thread(walks.check_step, self._store, marks)) is not None:
                    bad += found[: _MOST_BAD - len(bad)]
                if bad:
                    marks.take_back_round()  # every pin that holds these blocks is broken, not the first one only
                yield PinStatus(root.cid, bad)
        finally:
            marks.close()

    async def _stored(self, kind: PinKind) -> AsyncIterator[Pin]:
        pages = self.pages(kind)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            for pin in page:
                yield pin

    async def _indirect(self) -> AsyncIterator[Pin]:
        marks = Marks()
        try:
            async for root in self._stored(PinKind.RECURSIVE):
                await asyncio.to_thread(marks.add, [root.cid])
                while await asyncio.to_thread(walks.step, self._store, marks) is not None:
                    pass
            last: CID | None = None
            while page := await asyncio.to_thread(marks.page, last, _PAGE):
                for cid in await asyncio.to_thread(self._without_own_pin, page):
                    yield Pin(cid, PinKind.INDIRECT)
                last = page[-1]
        finally:
            marks.close()

    def _without_own_pin(self, cids: Iterable[CID]) -> Sequence[CID]:
        return [cid for cid in cids if self.find(cid) is None]

    def _remove(self, cid: CID) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM pins WHERE multihash = ? AND codec = ?", (cid.multihash, cid.codec))
        self._tell(cid, None)

    def _tell(self, cid: CID, kind: PinKind | None) -> None:
        for listener in self.listeners:
            listener(cid, kind)
