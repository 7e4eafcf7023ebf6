"""`PackBlockstore`: blocks in pack files, found through an index, acknowledged only when durable.

A put appends to a pack through a buffer and notes the place in `pending`, where it can be read at once. `sync` makes
the packs durable first and the index after them, in one transaction, so that the index never points at bytes that power
loss can take (`docs/blockstore.md` has the whole protocol).

Locks, always taken in this order: the flusher's (one flush at a time), the database's writer, `_lock` (what is in
memory). Reading takes none of them unless a block seems to be missing.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import DiskFull, ResourceLimitError, StorageError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.appender import Appender
from zwerm.ipfs.blockstore.block_reader import BlockReader
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.flusher import Flusher
from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.index import Index, Place, Role
from zwerm.ipfs.blockstore.pack import Section
from zwerm.ipfs.blockstore.packfiles import PackFiles
from zwerm.ipfs.blockstore.pending import Pending
from zwerm.ipfs.blockstore.recovery import has_packs, recover
from zwerm.ipfs.blockstore.store import BlockLocation, Statistics
from zwerm.ipfs.database import Database
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from zwerm.ipfs.blockstore.compaction import Compaction
    from zwerm.ipfs.blockstore.verification import Finding, Verification

PACK_SIZE: Final = 256 * 1024 * 1024  # bytes; large enough that a sync is rare, small enough to rewrite
MIN_PACK_SIZE: Final = 256 * 1024  # bytes, under a very small limit
_PACKS_IN_LIMIT: Final = 16  # packs are made smaller than PACK_SIZE so that a limit holds about this many
_ROW: Final = 200  # bytes that a block's row takes in the index, generously
_ROWS: Final = 16_384  # rows in one transaction, at most
_INDEX_PAGE: Final = 4_096  # bytes of a page of the index
_SECTION: Final = _ROW + 64  # bytes that a block takes besides its own
_BATCH: Final = 256  # blocks looked up at once by `put`
_PAGE: Final = 1_000  # multihashes read from the index, or deleted, at a time


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
        self.listeners: list[Callable[[Mapping[bytes, int]], None]] = []  # told in any thread what was put, with sizes
        self._beside = 0  # bytes of other files that the limit counts
        self._disk = disk or Disk()
        self._closed = False
        self._lock = threading.Lock()
        self._index = Index(database, has_packs=has_packs(self.folder))
        self._holds = Holds(self._index.state("epoch"))
        self._files = PackFiles(self.folder, self._disk, self._holds)
        self._pending = Pending(self._holds)
        self._room = 0  # bytes that may still be put, by a guess that is on the safe side
        self._room_at = -1  # the flush since when it holds
        self._compacting = threading.Lock()
        self._appender = Appender(self._files, self._disk, self.pack_size)
        self._damaged: set[bytes] = set()  # found when they were read or verified; not served
        self._unsaved: set[bytes] = set()  # of these, what the index does not know
        self._reader = BlockReader(
            self._lock, self._index, self._files, self._appender, self._pending, self._damaged, self._condemn
        )
        self._flusher = Flusher(
            self._lock, self._index, self._files, self._appender, self._pending, self._holds, self._disk, self._rows()
        )
        try:
            self.recovered = recover(self.folder, self._index, self._files, self._disk)
            self._damaged.update(self._index.damaged())
            number = self._emptiest_pack()
            if number is not None:
                self._appender.resume(number)
        except OSError as error:
            self._files.close()
            raise disk_error(f"open {self.folder}", error) from error
        except BaseException:
            self._files.close()
            raise

    def set_limit(self, max_size: int | None) -> None:
        """Take another limit from now on, as if opened with it.

        What is stored stays, also when it is more than the limit; then nothing new is taken until there is room again.
        """
        with self._lock:
            self.max_size = max_size
            self.pack_size = self._appender.limit = _pack_size(max_size)
            self._flusher.rows = self._rows()
            self._room_at = -1

    def set_beside(self, size: int) -> None:
        """Have the limit count `size` bytes that lie beside packs and index."""
        with self._lock:
            self._beside = size
            self._room_at = -1

    def close(self) -> None:
        """Sync what is pending and close the files. Idempotent.

        Raises:
            StorageError: what was put since the last sync could not be kept; the files are closed all the same.
        """
        if self._closed:
            return
        self._closed = True
        with self._compacting:  # which ends early
            try:
                self._save_damaged()
                self._flusher.close()
            finally:
                self._appender.close()
                self._files.close()

    def _rows(self) -> int:
        """Rows in one transaction of the index: each may put a page into its log, which counts against the limit."""
        return min(_ROWS, max(self.pack_size // (2 * _INDEX_PAGE), 64))

    def _emptiest_pack(self) -> int | None:
        """The pack to go on with: small remainders of compaction are filled up rather than left lying."""
        rows = (row for row in self._index.packs() if row.role == Role.KEPT)
        sizes = {row.number: row.committed for row in rows if row.committed < self.pack_size // 2}
        lost = (*self.recovered.short, *self.recovered.missing, *self.recovered.unread)
        return min((number for number in sizes if number not in lost), key=lambda number: sizes[number], default=None)

    # Reading

    def has(self, cid: CID) -> bool:
        return self._reader.find(cid.multihash) is not None or cid.hash_code == multicodec.IDENTITY

    def absent(self, cids: Iterable[CID]) -> list[CID]:
        cids = [cid for cid in cids if cid.hash_code != multicodec.IDENTITY]
        absent = self._reader.absent({cid.multihash for cid in cids})
        return [cid for cid in cids if cid.multihash in absent]

    def get(self, cid: CID, *, verify: bool = False) -> bytes:
        return self._reader.get(cid, verify=verify)

    def get_nowait(self, cid: CID) -> bytes | None:
        return self._reader.get_nowait(cid)

    def lend_nowait(self, cid: CID) -> bytes | bytearray | None:
        """The same, of which whoever reads it only once may save a copy."""
        return self._reader.lend_nowait(cid)

    def knows(self, cid: CID) -> bool:
        return self._reader.knows(cid)

    def look_up(self, cids: Iterable[CID]) -> None:
        self._reader.look_up(cids)

    def size(self, cid: CID) -> int:
        place = self._reader.find(cid.multihash)
        if place is not None:
            return place.size
        if cid.hash_code == multicodec.IDENTITY:
            return len(cid.digest)
        raise BlockNotFound(cid)

    def locate(self, cid: CID, *, verify: bool = False) -> BlockLocation | None:
        """Return where the block's bytes lie in a file, or None when it is not in one.

        They have been held against the CID, with `verify` just now. The descriptor stays open until every hold that is
        open now has ended.

        Raises:
            CorruptBlock: they are something else, or cannot be read.
        """
        return self._reader.locate(cid, verify=verify)

    def locate_nowait(self, cid: CID) -> BlockLocation | None:
        """The same for event loops: None also when it cannot be said without waiting for a disk or hashing."""
        return self._reader.locate_nowait(cid)

    def multihashes(self) -> Iterator[bytes]:
        with self._lock:
            pending = set(self._pending.keys())
        yield from pending
        after = b""
        while page := self._index.page(after, _PAGE):
            yield from (key for key in page if key not in pending)
            after = page[-1]

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

    def put_chunks(self, chunks: Sequence[memoryview], name: Callable[[memoryview], CID]) -> list[CID]:
        """Put blocks whose bytes are only lent, and return their CIDs: what `name` makes of each by hashing it.

        For the leaves of large files, a mebibyte or so in one call: they go from their owner's memory to the file
        without being kept in between. Any thread; may be called by several at once.
        """
        cids = [name(chunk) for chunk in chunks]
        self._put(list(zip(cids, chunks, strict=True)), lent=True)
        return cids

    def _put(self, batch: Sequence[tuple[CID, bytes | memoryview]], *, lent: bool = False) -> None:
        pending = self._pending
        self._flusher.wait_cut()
        if self._damaged:  # what was damaged and comes again takes a new place
            self._drop([cid.multihash for cid, _ in batch if cid.multihash in self._damaged])
        with self._lock:
            self._flusher.check_usable()
            if self._holds.oldest() is None:
                pending.owed = True
            epoch = self._holds.epoch
            keys = [cid.multihash for cid, _ in batch]
            known = self._find_known(keys)
            added: dict[bytes, Place] = {}  # what is lent can be read when it is in the file, and is pending from then
            try:
                for (cid, data), key in zip(batch, keys, strict=True):
                    place = pending.find(key) or known.get(key) or added.get(key)
                    if place is not None:
                        pending.touch(key, place)
                    elif cid.hash_code != multicodec.IDENTITY:
                        if self.max_size is not None:
                            self._check_room(len(data))
                        added[key] = self._appender.append(bytes(cid), key, data, epoch)
                if lent:
                    self._appender.write_out()
            except DiskFull:
                self._flusher.note_full()
                raise
            finally:
                if lent:
                    self._appender.keep()
                for key, place in added.items():
                    pending.add(key, place)
            self._flusher.work_ahead()
        self._tell(added)

    def _tell(self, added: Mapping[bytes, Place]) -> None:
        if self.listeners and added:
            sizes = {key: place.size for key, place in added.items()}
            for listener in self.listeners:
                listener(sizes)

    def touch(self, cids: Iterable[CID]) -> list[CID]:
        remaining = iter(cids)
        missing: list[CID] = []
        while batch := list(itertools.islice(remaining, _BATCH)):
            with self._lock:
                known = self._find_known([cid.multihash for cid in batch])
                for cid in batch:
                    key = cid.multihash
                    place = self._pending.find(key) or known.get(key)
                    if place is not None:
                        self._pending.touch(key, place)
                    elif cid.hash_code != multicodec.IDENTITY:
                        missing.append(cid)
                self._flusher.work_ahead()
        return missing

    def _find_known(self, keys: Iterable[bytes]) -> dict[bytes, Place]:
        """Look up in the index what is neither pending nor about to go; called under the lock."""
        pending = self._pending
        return self._index.find_many(key for key in keys if pending.find(key) is None and key not in pending.dying)

    def _check_room(self, size: int) -> None:
        """Raise unless a block fits; what all files take is looked at again only when a guess no longer suffices."""
        need = size + _SECTION
        if self._room_at != self._pending.durable or self._room < need:
            self._room = (self.max_size or 0) - self.pack_size - self._beside - self.used()
            self._room_at = self._pending.durable
        self._room -= need
        if self._room < 0:
            used = self.used() + self._beside
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
        return len(self._drop(keys))

    def _drop(self, keys: list[bytes]) -> list[bytes]:
        dropped: list[bytes] = []
        for start in range(0, len(keys), _PAGE):
            dropped += self._delete(keys[start : start + _PAGE], None, lambda: False) or ()
        return dropped

    def threshold(self) -> int:
        self._flusher.give_back()
        with contextlib.suppress(StorageError):  # on a full disk a collection is what helps
            self.sync()  # only what the index knows can be collected
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
                self._index.delete(connection, places, damaged=self._damaged.intersection(places))
        finally:
            with self._lock:
                self._pending.dying = frozenset()
                self._reader.forget(places)
                self._damaged.difference_update(places)
                self._unsaved.difference_update(places)
        return {key: place.size for key, place in places.items()}

    def _may_go(self, key: bytes, place: Place, threshold: int | None) -> bool:
        if threshold is None:
            return True
        return self._pending.find(key) is None and max(place.epoch, self._pending.epoch(key)) < threshold

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        try:
            with self._holds.hold():
                yield
        finally:
            self._flusher.give_back()

    def keep_pending(self) -> None:
        with self._lock:
            self._pending.owed = len(self._pending) > 0

    def compact(self) -> int:
        """Give the space of deleted blocks back to the disk; return how many bytes.

        Where there is no room to copy what lives in a pack, the pack is made shorter from its end, little by little.

        Raises:
            StorageError: the disk failed, or is so full that nothing can be moved; what was moved is in its new place.
        """
        full: DiskFull | None = None
        with self._compaction() as compaction:
            try:
                self._rewrite(compaction)
            except DiskFull as error:
                full = error
        freed = compaction.freed
        if full is not None:
            with self._compaction() as compaction:
                try:
                    for number in self._victims(compaction):
                        compaction.shorten(number, may_cut=lambda: self._holds.oldest() is None)
                except DiskFull as error:
                    full = error
            freed += compaction.freed
            if freed <= 0:
                raise full
        with contextlib.suppress(DiskFull):  # it needs room in its log; next time
            self.database.shrink()
        self._flusher.index_size = self.database.size()
        return freed

    def _victims(self, compaction: Compaction) -> Iterator[int]:
        for number in compaction.victims(near_limit=self._is_near_limit()):
            if not self._closed and number not in self.recovered.unread and self._leave(number):
                yield number

    def _rewrite(self, compaction: Compaction) -> None:
        import shutil

        for number in self._victims(compaction):
            need = compaction.need(number)
            if self.max_size is not None and self.used() + self._beside + need > self.max_size:
                break
            if need > shutil.disk_usage(self.folder).free:
                raise DiskFull("cannot copy blocks: the disk is full; make room and try again")
            compaction.rewrite(number)

    @contextlib.contextmanager
    def _compaction(self) -> Iterator[Compaction]:
        from zwerm.ipfs.blockstore.compaction import Compaction

        with self._compacting:
            compaction = Compaction(
                self._index,
                self._files,
                self._disk,
                self.pack_size,
                moved=self._reader.forget_all,
                is_appended=self._appender.has,
                is_stopped=lambda: self._closed,
            )
            try:
                yield compaction
            finally:
                compaction.finish()

    def _leave(self, number: int) -> bool:
        """Stop appending to a pack; False when somebody has just gone on with it."""
        with self._lock:
            if self._appender.leave(number):
                return True
        try:
            self.sync()
        except StorageError:
            return False  # on a full disk the other packs are what gives space back
        with self._lock:
            return self._appender.leave(number)

    # Looking after

    def statistics(self) -> Statistics:
        """Count everything now. Reads the whole index, a fraction of a second for a million blocks."""
        blocks, size = self._index.count()
        rows = self._index.packs()
        with self._lock:
            return Statistics(
                blocks=blocks + len(self._pending),
                size=size + sum(place.size for place in self._pending.places()),
                packs=self._files.total() + self._appender.buffered,
                dead=sum(row.committed - row.live for row in rows),
                index=self.database.size(),
                damaged=len(self._damaged),
                limit=self.max_size,
            )

    def verification(self) -> Verification:
        """Begin to read and hash every block (what is pending is synced first, unless the disk is full)."""
        from zwerm.ipfs.blockstore.verification import Verification

        with contextlib.suppress(StorageError):
            self.sync()
        return Verification(self._index, self._files, self._judge)

    def repair(self, verification: Verification) -> list[bytes]:
        """Act on a finished verification: drop what is corrupt and return its multihashes; relabel, recount.

        Blocks that were put again since are left alone: they are no longer where they were corrupt.
        """
        from zwerm.ipfs.blockstore.repair import settle_packs

        dropped = self._drop([key for key in verification.corrupt if key in self._damaged])
        with self._compaction() as compaction:
            for key in verification.unlabelled:
                place = self._index.find(key)
                if place is not None:
                    section = Section(CID(1, multicodec.RAW, key), place.offset, place.size, place.head, intact=True)
                    compaction.relocate(place.pack, [section])
        settle_packs(self._index, self._files, self._disk)
        return dropped

    def _judge(self, key: bytes, finding: Finding) -> None:
        from zwerm.ipfs.blockstore.verification import Finding

        if (finding is Finding.CORRUPT) == (key in self._damaged) and key not in self._unsaved:
            return
        with self.database.transaction() as connection:
            self._index.set_damaged(connection, key, damaged=finding is Finding.CORRUPT)
            with self._lock:
                (self._damaged.add if finding is Finding.CORRUPT else self._damaged.discard)(key)
                self._unsaved.discard(key)

    def _condemn(self, key: bytes) -> None:
        """Serve a block no more that was found damaged when it was read; the index learns of it in the end.

        Not at once: whoever reads may be somebody for whom the one who changes the index waits.
        """
        with self._lock:
            self._damaged.add(key)
            self._unsaved.add(key)

    def _save_damaged(self) -> None:
        with self._lock:
            found = sorted(self._unsaved)
        if not found:
            return
        with contextlib.suppress(StorageError), self.database.transaction() as connection:  # found again, at worst
            for key in found:
                self._index.set_damaged(connection, key, damaged=True)

    def _is_near_limit(self) -> bool:
        return self.max_size is not None and 2 * self.used() > self.max_size


def _pack_size(max_size: int | None) -> int:
    if max_size is None:
        return PACK_SIZE
    return min(PACK_SIZE, max(MIN_PACK_SIZE, max_size // _PACKS_IN_LIMIT))
