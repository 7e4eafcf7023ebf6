"""From a CAR file into a blockstore: every block verified, in constant memory, what is whole kept.

Calls block for as long as the disk does. Whoever wants the blocks to stay holds the collector off (`Blockstore.hold`)
until they are pinned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.car.reader import BrokenCar, CarReader
from zwerm.multiformats.cid import CID

READ_SIZE: Final = 1024 * 1024  # bytes; a good amount to feed at once
_BATCH: Final = 4 * 1024 * 1024  # bytes put into the store together
_MOST: Final = 4_096  # blocks put together


class Imported(NamedTuple):
    """What an archive held."""

    roots: tuple[CID, ...]  # as its header says; whether they are in it is not known
    blocks: int
    size: int  # bytes of the blocks


class CarImporter:
    """Puts one archive into a store. Feed it, and end with `finish`."""

    def __init__(self, store: Blockstore, reader: CarReader | None = None) -> None:
        self.reader = reader or CarReader()
        self.size = 0  # bytes of the blocks so far
        self._store = store
        self._batch: list[Block] = []
        self._batch_size = 0

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the archive.

        Raises:
            BrokenCar: it is damaged; the blocks before the damage are in the store, durably.
            ResourceLimitError, StorageError: as `Blockstore.put`.
        """
        try:
            blocks = self.reader.receive_data(data)
        except BrokenCar:
            self._keep()
            raise
        self._batch += blocks
        self._batch_size += sum(len(block.data) for block in blocks)
        if self._batch_size >= _BATCH or len(self._batch) >= _MOST:
            self._put()

    def finish(self) -> Imported:
        """Say that no more bytes come; when it returns, everything is durable. Raises as `receive_data`."""
        try:
            self.reader.receive_eof()
        finally:
            self._keep()
        return Imported(self.reader.roots or (), self.reader.blocks, self.size)

    def _keep(self) -> None:
        self._put()
        self._store.sync()

    def _put(self) -> None:
        batch, self._batch = self._batch, []
        self.size += self._batch_size
        self._batch_size = 0
        self._store.put(batch)


def import_car(
    store: Blockstore, pieces: Iterable[bytes], *, progress: Callable[[int], object] | None = None
) -> Imported:
    """Put the archive that `pieces` make up into a store; `progress` is told how many blocks so far.

    Raises as `CarImporter.receive_data`.
    """
    importer = CarImporter(store)
    for piece in pieces:
        importer.receive_data(piece)
        if progress is not None:
            progress(importer.reader.blocks)
    return importer.finish()
