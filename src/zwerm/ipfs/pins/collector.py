"""The collector: removes the blocks that no pin and no other root keeps, while the node goes on reading and writing.

It fixes a threshold first and asks for the roots after it. Marking walks everything below them; sweeping deletes, batch
by batch, what is older than the threshold and not marked. Three things make that safe beside writers:

* a block put, or found again under a hold, since the threshold is younger than it and stays (`blockstore.holds`);
* before each batch the roots are asked for again, inside the transaction that deletes; when a new one has come, its DAG
  is marked first;
* a block below a recursive pin that cannot be read ends the collection before anything is deleted, because what lies
  below it cannot be known.

Stopping at any moment, by cancelling, leaves a state from which the next `collect` goes on.
"""

from __future__ import annotations

import asyncio
import enum
import threading
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from zwerm.core.errors import StorageError
from zwerm.ipfs.blockstore.store import CollectableBlockstore, Removed
from zwerm.ipfs.pins import walks
from zwerm.ipfs.pins.marks import Marks
from zwerm.ipfs.pins.pin import PinKind
from zwerm.ipfs.pins.pins import Pins
from zwerm.multiformats.cid import CID

_BATCH: Final = 500  # blocks deleted in one transaction


class Phase(enum.Enum):
    """What a collection is doing."""

    MARKING = "marking"
    SWEEPING = "sweeping"
    COMPACTING = "compacting"


class Progress(NamedTuple):
    """How far a collection is."""

    phase: Phase
    marked: int  # blocks found to be kept
    removed: Removed  # so far
    keys: list[bytes]  # multihashes removed since the last report


Report = Callable[[Progress], None]


class Collection:
    """One collection under way; it outlives the call that began it. Steps run on threads, one at a time."""

    def __init__(self, store: CollectableBlockstore, pins: Pins, roots: Callable[[], Iterable[CID]]) -> None:
        self.removed = Removed(0, 0)
        self.freed = 0  # bytes that compaction gave back to the disk
        self.phase = Phase.MARKING
        self._store = store
        self._roots = roots
        self._threshold = store.threshold()
        self._marks = Marks()
        self._pages = pins.pages(PinKind.RECURSIVE)
        self._direct = pins.pages(PinKind.DIRECT)
        self._below_pins = True  # whether what is being marked must be whole
        self._known: set[CID] = set()  # the other roots that were marked
        self._after = b""  # the sweep is behind this multihash
        self._keys: list[bytes] = []
        self._lock = threading.Lock()

    def step(self) -> bool:
        """Do a little more; False when there is nothing left to do."""
        with self._lock:
            if self.phase is Phase.MARKING:
                self._mark()
            elif self.phase is Phase.SWEEPING:
                self._sweep()
            else:
                self.freed = self._store.compact()
                return False
            return True

    def progress(self) -> Progress:
        with self._lock:
            keys, self._keys = self._keys, []
            return Progress(self.phase, self._marks.count, self.removed, keys)

    def close(self) -> None:
        with self._lock:
            self._marks.close()

    def _mark(self) -> None:
        if walks.strict_step(self._store, self._marks, partial=not self._below_pins):
            return
        if self._below_pins:
            page = next(self._pages, None)
            if page is not None:
                self._marks.add(pin.cid for pin in page)
                return
            for page in self._direct:
                self._marks.add_alone(pin.cid for pin in page)
            self._below_pins = False
        new = set(self._roots()) - self._known
        if new:
            self._marks.add(new)
            self._known |= new
        else:
            self.phase = Phase.SWEEPING

    def _sweep(self) -> None:
        keys = self._store.candidates(self._threshold, self._after, _BATCH)
        if not keys:
            self.phase = Phase.COMPACTING
            return
        garbage = [key for key in keys if not self._marks.has(key)]
        if garbage:
            removed = self._store.delete_unused(garbage, self._threshold, self._has_new_roots)
            if removed is None:
                self.phase = Phase.MARKING
                return
            self.removed = Removed(self.removed.blocks + len(removed), self.removed.size + sum(removed.values()))
            self._keys += removed
        self._after = keys[-1]

    def _has_new_roots(self) -> bool:
        return not self._known.issuperset(self._roots())


class Collector:
    """Runs one collection at a time. `roots` are those besides pins: what lies below them may be partly absent.

    `roots` is called from threads, also inside a database transaction that waits for nothing else.
    """

    def __init__(self, store: CollectableBlockstore, pins: Pins, roots: Callable[[], Iterable[CID]]) -> None:
        self._store = store
        self._pins = pins
        self._roots = roots
        self._one = asyncio.Lock()
        self._collection: Collection | None = None
        self.listeners: list[Callable[[Removed], None]] = []  # called when a collection ended that removed something

    @property
    def unfinished(self) -> bool:
        """Whether a collection was stopped and the next `collect` will go on with it."""
        return self._collection is not None

    async def collect(self, progress: Report | None = None, *, even_without_pins: bool = False) -> Removed:
        """Remove what nothing keeps and give its space back; return what this collection removed.

        Cancelling stops between two steps; what was removed stays so, and the next call goes on from there.

        Raises:
            StorageError: a block below a root is damaged, or one below a pin is not here; or the index was rebuilt and
                the pins were lost with it, so that everything would go (`even_without_pins` overrules that). Nothing
                more is removed.
        """
        async with self._one:
            if self._store.pins_lost and not even_without_pins:
                raise StorageError(
                    "the index was made again from the packs and the pins were lost with it, so a collection would "
                    "remove everything; pin what must stay, then collect with --force"
                )
            if self._collection is None:
                self._collection = await asyncio.to_thread(Collection, self._store, self._pins, self._roots)
            collection = self._collection
            try:
                while await asyncio.to_thread(collection.step):
                    if progress is not None:
                        progress(collection.progress())
            except Exception:
                self._collection = None
                collection.close()
                raise
            self._collection = None
            removed = collection.removed
            collection.close()
            if even_without_pins:
                await asyncio.to_thread(self._store.accept_lost_pins)
            if removed.blocks:
                for listener in self.listeners:
                    listener(removed)
            return removed

    async def close(self) -> None:
        """Forget a collection that was stopped."""
        async with self._one:
            if self._collection is not None:
                await asyncio.to_thread(self._collection.close)
                self._collection = None
