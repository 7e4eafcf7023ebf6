"""What a pack store knows and its index does not yet: blocks put, blocks found again, blocks about to go.

Puts gather in `pending` until a flush takes them all, commits them and lets go of them; whoever looks for a block looks
here first. All methods are called under the store's lock, except `find`, which takes none: a dictionary look-up is one
step for other threads, and the tables are replaced, never emptied, in an order that always shows a block somewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.index import Place


class Batch(NamedTuple):
    """What one flush commits."""

    places: dict[bytes, Place]
    touched: dict[bytes, int]  # epochs of blocks that the index has with older ones
    changes: int  # how many changes had been made when it was taken


class Pending:
    """The changes since the last flush, and those of a flush under way."""

    def __init__(self, holds: Holds) -> None:
        self.changes = 0  # blocks put or touched, since the store was opened
        self.durable = 0  # of these, how many are on the medium
        self.owed = False  # somebody counts on what is pending and has no hold: it must not be dropped
        self.dying: frozenset[bytes] = frozenset()  # being deleted by a transaction that has not ended
        self._holds = holds
        self._places: dict[bytes, Place] = {}
        self._touched: dict[bytes, int] = {}
        self._flushing = Batch({}, {}, 0)

    def __len__(self) -> int:
        return len(self._places) + len(self._flushing.places)

    @property
    def weight(self) -> int:
        """How many entries the next flush will commit."""
        return len(self._places) + len(self._touched)

    def find(self, key: bytes) -> Place | None:
        return self._places.get(key) or self._flushing.places.get(key)

    def places(self) -> list[Place]:
        return [*self._places.values(), *self._flushing.places.values()]

    def keys(self) -> list[bytes]:
        return [*self._places, *self._flushing.places]

    def add(self, key: bytes, place: Place) -> None:
        self._places[key] = place
        self.changes += 1

    def touch(self, key: bytes, place: Place) -> None:
        """Remember that a block was found again, if a hold is open that must learn of it."""
        newest = self._holds.newest()
        if newest is None or max(place.epoch, self.epoch(key)) >= newest:
            return
        self.changes += 1
        if key in self._places:
            self._places[key] = self._places[key]._replace(epoch=self._holds.epoch)
        else:
            self._touched[key] = self._holds.epoch

    def epoch(self, key: bytes) -> int:
        """The epoch at which a block was last touched, as far as the index does not know; -1: it knows."""
        return max(self._touched.get(key, -1), self._flushing.touched.get(key, -1))

    def take(self) -> Batch:
        """Begin a flush."""
        batch = Batch(self._places, self._touched, self.changes)
        self._flushing = batch
        self._places = {}
        self._touched = {}
        return batch

    def done(self, batch: Batch) -> None:
        """The flush has committed: the index has it all."""
        self._flushing = Batch({}, {}, 0)
        self.durable = batch.changes
        self.owed = self.owed and bool(self._places)

    def drop(self) -> None:
        """Forget the blocks that were put; there is no flush under way."""
        self._places = {}

    def put_back(self, batch: Batch) -> None:
        """The flush failed: everything is pending again."""
        self._places = batch.places | self._places
        self._touched = batch.touched | self._touched
        self._flushing = Batch({}, {}, 0)
