"""`PackBlockstore`: blocks in pack files, found through an index, acknowledged only when durable.

A put appends to a pack through a buffer and notes the place in `pending`, where it can be read at once. `sync` makes
the packs durable first and the index after them, in one transaction, so that the index never points at bytes that power
loss can take (`docs/blockstore.md` has the whole protocol).

Locks, always taken in this order: the flusher's (one flush at a time), the database's writer, `_lock` (what is in
memory). Reading takes none of them unless a block seems to be missing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from zwerm.core.errors import ResourceLimitError
from zwerm.ipfs.block import Block, BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore.appender import Appender, disk_error
from zwerm.ipfs.blockstore.compaction import Compaction
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.flusher import Flusher
from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.index import Index, Place
from zwerm.ipfs.blockstore.packfiles import PackFile, PackFiles
from zwerm.ipfs.blockstore.pending import Pending
from zwerm.ipfs.blockstore.recovery import has_packs, recover
from zwerm.ipfs.blockstore.store import BlockLocation
from zwerm.ipfs.database import Database
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

PACK_SIZE: Final = 256 * 1024 * 1024  # bytes; large enough that a sync is rare, small enough to rewrite
MIN_PACK_SIZE: Final = 256 * 1024  # bytes, under a very small limit
_PACKS_IN_LIMIT: Final = 16  # packs are made smaller than PACK_SIZE so that a limit holds about this many
_ROW: Final = 200  # bytes that a block's row takes in the index, generously
_BATCH: Final = 256  # blocks looked up at once by `put`
_KNOWN: Final = 65_536  # places remembered for `get_nowait`
_PAGE: Final = 2_000  # multihashes read from the index at a time
_NOWAIT: Final = getattr(os, "RWF_NOWAIT", 0)


class PackBlockstore:
    """A `Blockstore` in a folder. One process at a time: whoever opens it holds the repository's lock.

    After a failed fsync the store only reads: what the kernel then has in memory can no longer be trusted to reach
    the disk, and the way out is to open the store again. A full disk is not such a failure.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        database: Database,
        *,
        max_size: int | None = None,
        pack_size: int | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Open the folder, or make it, and bring packs and index to agree after a crash.

        Args:
            path: The folder; nothing else may be in it.
            database: Holds the index; stays the caller's, who closes it after the store.
            max_size: Bytes that packs and index may take together. The last sixteenth of it (at most one pack) is
                kept for compaction.
            pack_size: Bytes at which the next pack is begun; by default 256 MiB, less under a small `max_size`.
            disk: For tests.

        Raises:
            StorageError: the folder cannot be used.
        """
        self.folder = os.fspath(path)
        self.database = database
        self.max_size = max_size
        self.pack_size = pack_size or _pack_size(max_size)
        self._disk = disk or Disk()
        self._closed = False
        self._lock = threading.Lock()
        self._index = Index(database, has_packs=has_packs(self.folder))
        self._holds = Holds(self._index.state("epoch"))
        self._files = PackFiles(self.folder, self._disk, self._holds)
        self._pending = Pending(self._holds)
        self._known: dict[bytes, Place] = {}  # places found lately
        self._compacting = threading.Lock()
        self._moves = 0  # how often places have become wrong, by deletion or compaction
        self._appender = Appender(self._files, self._disk, self.pack_size)
        self._flusher = Flusher(
            self._lock, self._index, self._files, self._appender, self._pending, self._holds, self._disk
        )
        try:
            self.recovered = recover(self.folder, self._index, self._files, self._disk)
            self._damaged = set(self._index.damaged())
            number = self._emptiest_pack()
            if number is not None:
                self._appender.resume(number)
        except OSError as error:
            self._files.close()
            raise disk_error(f"open {self.folder}", error) from error
        except BaseException:
            self._files.close()
            raise

    def close(self) -> None:
        """Sync what is pending and close the files. Idempotent.

        Raises:
            StorageError: what was put since the last sync could not be kept; the files are closed all the same.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._flusher.close()
        finally:
            self._appender.close()
            self._files.close()

    def _emptiest_pack(self) -> int | None:
        """The pack to go on with: small remainders of compaction are filled up rather than left lying."""
        sizes = {row.number: row.committed for row in self._index.packs() if row.committed < self.pack_size // 2}
        whole = [(size, number) for number, size in sizes.items() if number not in self.recovered.short]
        return min(whole)[1] if whole else None

    # Reading

    def has(self, cid: CID) -> bool:
        return self._find(cid.multihash) is not None or cid.hash_code == multicodec.IDENTITY

    def get(self, cid: CID, *, verify: bool = False) -> bytes:
        key = cid.multihash
        while True:
            data = self._appender.unwritten.get(key)
            if data is not None:
                return data
            place = self._find(key)
            if place is None:
                if cid.hash_code == multicodec.IDENTITY:
                    return cid.digest
                raise BlockNotFound(cid)
            data = self._read(cid, place)
            if data is not None:
                break
        if verify and not multihash.verify(key, data):
            raise CorruptBlock(cid)
        return data

    def get_nowait(self, cid: CID) -> bytes | None:
        key = cid.multihash
        data = self._appender.unwritten.get(key)
        if data is not None:
            return data
        place = self._pending.find(key) or self._known.get(key)
        if place is None or not _NOWAIT or key in self._damaged:
            return cid.digest if cid.hash_code == multicodec.IDENTITY else None
        file = self._files.find(place.pack)
        if file is None or file.descriptor < 0:
            return None
        try:
            file = self._files.acquire(place.pack)
        except OSError:
            return None
        if file is None:
            return None
        try:
            buffer = bytearray(place.size)
            if os.preadv(file.descriptor, [buffer], place.offset, _NOWAIT) == place.size:
                return bytes(buffer)
        except OSError:
            return None  # not in the page cache, or the file system cannot tell
        finally:
            self._files.release(file)
        return None

    def size(self, cid: CID) -> int:
        place = self._find(cid.multihash)
        if place is not None:
            return place.size
        if cid.hash_code == multicodec.IDENTITY:
            return len(cid.digest)
        raise BlockNotFound(cid)

    def locate(self, cid: CID) -> BlockLocation | None:
        """Return where the block's bytes lie in a file, or None when it is not in one.

        The descriptor stays open until every hold that is open now has ended. The bytes are not verified.

        Raises:
            CorruptBlock: it is known to be damaged.
        """
        key = cid.multihash
        while True:
            place = self._find(key)
            if place is None:
                return None
            if key in self._appender.unwritten:
                with self._lock:
                    self._appender.write_out()
            file = self._acquire(cid, place)
            if file is None:
                continue
            try:
                self._files.lend(file)
                return BlockLocation(file.descriptor, place.offset, place.size)
            finally:
                self._files.release(file)

    def multihashes(self) -> Iterator[bytes]:
        with self._lock:
            pending = set(self._pending.keys())
        yield from pending
        after = b""
        while page := self._index.page(after, _PAGE):
            yield from (key for key in page if key not in pending)
            after = page[-1]

    def _find(self, key: bytes) -> Place | None:
        place = self._pending.find(key) or self._known.get(key)
        if place is not None:
            return place
        moves, flushed = self._moves, self._pending.durable
        place = self._index.find(key)
        with self._lock:
            if place is not None:
                if moves == self._moves:
                    self._remember(key, place)
            elif flushed != self._pending.durable or self._pending:  # a flush may have moved it between the look-ups
                place = self._pending.find(key) or self._index.find(key)
        return place

    def _remember(self, key: bytes, place: Place) -> None:
        if len(self._known) >= _KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = place

    def _forget(self, keys: Iterable[bytes]) -> None:
        """Drop remembered places that are no longer right; called under the lock."""
        self._moves += 1
        for key in keys:
            self._known.pop(key, None)

    def _acquire(self, cid: CID, place: Place) -> PackFile | None:
        """Open the block's pack; None when the block has moved meanwhile."""
        if cid.multihash in self._damaged:
            raise CorruptBlock(cid)
        try:
            file = self._files.acquire(place.pack)
        except OSError as error:
            raise CorruptBlock(cid) from error
        if file is None:
            with self._lock:
                self._forget([cid.multihash])
            found = self._find(cid.multihash)
            if found is not None and found.pack == place.pack:
                raise CorruptBlock(cid)  # the index names a pack that is not there
        return file

    def _read(self, cid: CID, place: Place) -> bytes | None:
        file = self._acquire(cid, place)
        if file is None:
            return None
        try:
            data = os.pread(file.descriptor, place.size, place.offset)
        except OSError as error:
            raise CorruptBlock(cid) from error
        finally:
            self._files.release(file)
        if len(data) != place.size:
            raise CorruptBlock(cid)
        return data

    # Writing

    def put(self, blocks: Iterable[Block]) -> None:
        batch: list[Block] = []
        for block in blocks:
            batch.append(block)
            if len(batch) == _BATCH:
                self._put(batch)
                batch = []
        if batch:
            self._put(batch)

    def _put(self, batch: list[Block]) -> None:
        pending = self._pending
        with self._lock:
            self._flusher.check_usable()
            epoch = self._holds.epoch
            keys = [block.cid.multihash for block in batch]
            known = self._index.find_many(key for key in keys if pending.find(key) is None and key not in pending.dying)
            for (cid, data), key in zip(batch, keys, strict=True):
                place = pending.find(key) or known.get(key)
                if place is not None:
                    pending.touch(key, place)
                elif cid.hash_code != multicodec.IDENTITY:
                    if self.max_size is not None:
                        self._check_room(len(data))
                    pending.add(key, self._appender.append(bytes(cid), key, data, epoch))
            self._flusher.work_ahead()

    def touch(self, cids: Iterable[CID]) -> list[CID]:
        pending, missing = self._pending, []
        with self._lock:
            for cid in cids:
                key = cid.multihash
                place = pending.find(key)
                if place is None and key not in pending.dying:
                    place = self._index.find(key)
                if place is not None:
                    pending.touch(key, place)
                elif cid.hash_code != multicodec.IDENTITY:
                    missing.append(cid)
            self._flusher.work_ahead()
        return missing

    def _check_room(self, size: int) -> None:
        used = self.used()
        if self.max_size is not None and used + size + _ROW > self.max_size - self.pack_size:
            raise ResourceLimitError(
                f"storage limit reached: {used} bytes are used, the limit storage.max is {self.max_size} (of which "
                f"{self.pack_size} are kept for compaction) and a block of {size} does not fit; "
                "run `zwerm repo gc`, unpin something or raise storage.max"
            )

    def used(self) -> int:
        """Bytes that packs and index take now, with what is about to be written."""
        return self._files.total() + self._appender.buffered + self._flusher.index_size + len(self._pending) * _ROW

    def sync(self) -> None:
        self._flusher.sync()

    # Deleting

    def delete(self, cids: Iterable[CID]) -> int:
        keys = [cid.multihash for cid in cids]
        if any(self._pending.find(key) for key in keys):
            self.sync()  # a block that only lies in a pack would come back after a crash
        return len(self._delete(keys, None, lambda: False) or ())

    def threshold(self) -> int:
        return self._holds.threshold()

    def candidates(self, threshold: int, after: bytes, limit: int) -> list[bytes]:
        return self._index.old_page(after, limit, threshold)

    @property
    def pins_lost(self) -> bool:
        return bool(self._index.state("rebuilt"))

    def accept_lost_pins(self) -> None:
        with self.database.transaction() as connection:
            self._index.set_state(connection, "rebuilt", 0)

    def delete_unused(
        self, keys: Iterable[bytes], threshold: int, unless: Callable[[], bool]
    ) -> dict[bytes, int] | None:
        return self._delete(list(keys), threshold, unless)

    def _delete(self, keys: list[bytes], threshold: int | None, unless: Callable[[], bool]) -> dict[bytes, int] | None:
        places: dict[bytes, Place] = {}
        try:
            with self.database.transaction() as connection:
                if unless():
                    return None
                found = self._index.find_many(keys)
                with self._lock:
                    places = {key: place for key, place in found.items() if self._may_go(key, place, threshold)}
                    self._pending.dying = frozenset(places)
                self._index.delete(connection, places)
        finally:
            with self._lock:
                self._pending.dying = frozenset()
                self._forget(places)
                self._damaged.difference_update(places)
        return {key: place.size for key, place in places.items()}

    def _may_go(self, key: bytes, place: Place, threshold: int | None) -> bool:
        if threshold is None:
            return True
        return self._pending.find(key) is None and max(place.epoch, self._pending.epoch(key)) < threshold

    def hold(self) -> AbstractContextManager[None]:
        return self._holds.hold()

    def compact(self) -> int:
        """Give the space of deleted blocks back to the disk; return how many bytes.

        Raises:
            StorageError: the disk is full or failed; what was moved until then is in its new place.
        """
        with self._compacting:
            compaction = Compaction(self._index, self._files, self._disk, self.pack_size, self._forget_all)
            try:
                for number in compaction.victims(near_limit=self._is_near_limit()):
                    if not self._leave(number):
                        continue
                    if self.max_size is not None and self.used() + compaction.need(number) > self.max_size:
                        break
                    compaction.rewrite(number)
            finally:
                compaction.finish()
            self.database.shrink()
            self._flusher.index_size = self.database.size()
            return compaction.freed

    def _leave(self, number: int) -> bool:
        """Stop appending to a pack; False when somebody has just gone on with it."""
        with self._lock:
            if self._appender.leave(number):
                return True
        self.sync()
        with self._lock:
            return self._appender.leave(number)

    def _is_near_limit(self) -> bool:
        return self.max_size is not None and 2 * self.used() > self.max_size

    def _forget_all(self) -> None:
        with self._lock:
            self._moves += 1
            self._known = {}


def _pack_size(max_size: int | None) -> int:
    if max_size is None:
        return PACK_SIZE
    return min(PACK_SIZE, max(MIN_PACK_SIZE, max_size // _PACKS_IN_LIMIT))
