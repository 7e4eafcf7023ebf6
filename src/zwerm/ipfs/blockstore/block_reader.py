"""Reading from a pack store: finding a block among what is pending and what the index knows, and getting its bytes.

Bytes out of a pack are given out only when they are known to hash to their CID: they were held against it when they
were read, or have been since the store was opened, lie in the page cache, and nobody has written to the file since.
So what has to come from the disk is hashed each time, and what lies in memory once. A block that does not match is not
served from then on.

No lock is taken on the way unless a block seems to be missing. A block may move while it is looked for, when compaction
rewrites its pack; then its old pack is gone, and looking again finds the new place.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable
from typing import Final

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import MAX_BLOCK, BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore.appender import Appender
from zwerm.ipfs.blockstore.index import Index, Place
from zwerm.ipfs.blockstore.packfiles import PackFile, PackFiles
from zwerm.ipfs.blockstore.pending import Pending
from zwerm.ipfs.blockstore.store import BlockLocation
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

_NO_DESCRIPTORS: Final = (errno.EMFILE, errno.ENFILE)
_KNOWN: Final = 65_536  # places remembered
_SMALL: Final = 4_096  # bytes that are hashed as quickly as it is looked up whether they have been
_QUICK: Final = 16_384  # bytes that an event loop may hash; larger blocks go to a thread
_PROBED: Final = 262_144  # bytes between two looks at whether a block is in memory
_NOWAIT: Final = getattr(os, "RWF_NOWAIT", 0)  # 0: this system cannot say what lies in its page cache


class _Buffer(threading.local):
    """Room to read blocks into that are only hashed: fresh memory would cost as much as reading."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray())

    def of(self, size: int) -> memoryview:
        if len(self.view) < size:
            self.view = memoryview(bytearray(max(size, min(2 * size, MAX_BLOCK))))
        return self.view[:size]


class BlockReader:
    """The reading half of a pack store. Any thread."""

    def __init__(
        self,
        lock: threading.Lock,
        index: Index,
        files: PackFiles,
        appender: Appender,
        pending: Pending,
        damaged: set[bytes],
        condemn: Callable[[bytes], None],
    ) -> None:
        self._lock = lock  # the store's
        self._index = index
        self._files = files
        self._appender = appender
        self._pending = pending
        self._damaged = damaged  # multihashes that are not served; the store changes it
        self._condemn = condemn  # is told which block was found damaged
        self._buffer = _Buffer()
        self._known: dict[bytes, Place] = {}  # places found lately
        self._moves = 0  # how often places have become wrong, by deletion or compaction

    def find(self, key: bytes) -> Place | None:
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

    def absent(self, keys: set[bytes]) -> set[bytes]:
        """Return those of `keys` that `find` would not find."""
        flushed = self._pending.durable
        unknown = [key for key in keys if self._pending.find(key) is None and key not in self._known]
        absent = set(unknown).difference(self._index.find_many(unknown))
        if absent and (flushed != self._pending.durable or self._pending):
            with self._lock:  # a flush may have moved them between the look-ups
                absent = {key for key in absent if self._pending.find(key) is None}
                absent.difference_update(self._index.find_many(absent))
        return absent

    def knows(self, cid: CID) -> bool:
        """Whether the place of a block is remembered, or needs not be asked for."""
        key = cid.multihash
        return key in self._known or self._pending.find(key) is not None or cid.hash_code == multicodec.IDENTITY

    def look_up(self, cids: Iterable[CID]) -> None:
        """Remember the places of blocks by one question for all that are not remembered yet."""
        keys = [cid.multihash for cid in cids if not self.knows(cid)]
        if not keys:
            return
        moves = self._moves
        places = self._index.find_many(keys)
        with self._lock:
            if moves == self._moves:
                for key, place in places.items():
                    self._remember(key, place)

    def get(self, cid: CID, *, verify: bool = False) -> bytes:
        key = cid.multihash
        while True:
            place = self.find(key)
            if place is None:
                if cid.hash_code == multicodec.IDENTITY:
                    return cid.digest
                raise BlockNotFound(cid)
            data = self._appender.unwritten.get(key)  # after the place: what is no longer here is in the pack by now
            if data is not None:
                if verify and not multihash.verify(key, data):
                    raise CorruptBlock(cid)
                return data
            file = self._acquire(cid, place)
            if file is not None:
                try:
                    data = self._read(cid, place, file, verify=verify)
                finally:
                    self._files.release(file)
                if data is not None:
                    return data

    def get_nowait(self, cid: CID) -> bytes | None:
        data = self.lend_nowait(cid)
        return bytes(data) if data is not None else None

    def lend_nowait(self, cid: CID) -> bytes | bytearray | None:
        key = cid.multihash
        unwritten = self._appender.unwritten.get(key)
        if unwritten is not None:
            return unwritten
        place = self._pending.find(key) or self._known.get(key)
        if place is None:
            return cid.digest if cid.hash_code == multicodec.IDENTITY else None
        file = self._acquire_open(key, place)
        if file is None:
            return None
        try:
            series = self._files.series(file)
            is_checked = place.size > _SMALL and self._files.checked.has(series, place.offset)
            if not is_checked and place.size > _QUICK:
                return None
            data = _cached(file.descriptor, place)
            if data is None or is_checked:
                return data
            if not multihash.verify(key, data):
                return None  # whoever waits for `get` is told
            self._files.checked.add(series, place.offset)
        except (OSError, WireError, LocalProtocolError):
            return None
        finally:
            self._files.release(file)
        return data

    def locate(self, cid: CID, *, verify: bool = False) -> BlockLocation | None:
        """Return where the block's bytes lie in a file, or None when it is not in one.

        They have been held against the CID, with `verify` just now. The descriptor stays open until every hold that is
        open now has ended.

        Raises:
            CorruptBlock: they are something else, or cannot be read.
        """
        key = cid.multihash
        while True:
            place = self.find(key)
            if place is None:
                return None
            if key in self._appender.unwritten:
                with self._lock:
                    self._appender.write_out()
            file = self._acquire(cid, place)
            if file is None:
                continue
            try:
                if self._check(cid, place, file, verify=verify):
                    self._files.lend(file)
                    return BlockLocation(file.descriptor, place.offset, place.size)
            finally:
                self._files.release(file)

    def locate_nowait(self, cid: CID) -> BlockLocation | None:
        """The same for event loops: None also when it cannot be said without waiting for a disk or hashing."""
        key = cid.multihash
        place = self._pending.find(key) or self._known.get(key)
        if place is None or key in self._appender.unwritten:
            return None
        file = self._acquire_open(key, place)
        if file is None:
            return None
        try:
            if not self._is_checked(file, place):
                return None
            self._files.lend(file)
            return BlockLocation(file.descriptor, place.offset, place.size)
        except OSError:
            return None
        finally:
            self._files.release(file)

    def forget(self, keys: Iterable[bytes]) -> None:
        """Drop remembered places that are no longer right; called under the lock."""
        self._moves += 1
        for key in keys:
            self._known.pop(key, None)

    def forget_all(self) -> None:
        """The same for every place; takes the lock itself."""
        with self._lock:
            self._moves += 1
            self._known = {}

    def _remember(self, key: bytes, place: Place) -> None:
        if len(self._known) >= _KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = place

    def _acquire(self, cid: CID, place: Place) -> PackFile | None:
        """Open the block's pack; None when the block has moved meanwhile."""
        if cid.multihash in self._damaged:
            raise CorruptBlock(cid)
        try:
            file = self._files.acquire(place.pack)
        except OSError as error:
            if error.errno in _NO_DESCRIPTORS:  # which says nothing about the block
                raise disk_error(f"open {self._files.path(place.pack)}", error) from error
            raise CorruptBlock(cid) from error
        if file is None:
            with self._lock:
                self.forget([cid.multihash])
            found = self.find(cid.multihash)
            if found is not None and found.pack == place.pack:
                raise CorruptBlock(cid)  # the index names a pack that is not there
        return file

    def _acquire_open(self, key: bytes, place: Place) -> PackFile | None:
        """The same when it costs nothing: the pack is open and the block not known to be damaged."""
        file = self._files.find(place.pack)
        if not _NOWAIT or file is None or file.descriptor < 0 or key in self._damaged:
            return None
        try:
            return self._files.acquire(place.pack)
        except OSError:
            return None

    def _read(self, cid: CID, place: Place, file: PackFile, *, verify: bool) -> bytes | None:
        """Return the block's bytes, checked; None when it has moved."""
        try:
            series = self._files.series(file)
            if not verify and place.size > _SMALL and self._files.checked.has(series, place.offset):
                cached = _cached(file.descriptor, place)
                if cached is not None:
                    return bytes(cached)
            data = os.pread(file.descriptor, place.size, place.offset)
        except OSError as error:
            raise CorruptBlock(cid) from error
        return data if self._is_right(cid, place, series, data) else None

    def _check(self, cid: CID, place: Place, file: PackFile, *, verify: bool) -> bool:
        """Hold a block against its CID, unless it has been; False when it has moved."""
        try:
            if not verify and self._is_checked(file, place):
                return True
            series = self._files.series(file)
            view = self._buffer.of(place.size)
            size = os.preadv(file.descriptor, [view], place.offset) if view else 0
        except OSError as error:
            raise CorruptBlock(cid) from error
        return self._is_right(cid, place, series, view[:size])

    def _is_checked(self, file: PackFile, place: Place) -> bool:
        """Whether the bytes that lie in memory for a block are known to be right."""
        known = self._files.checked.has(self._files.series(file), place.offset)
        return known and _is_cached(file.descriptor, place)

    def _is_right(self, cid: CID, place: Place, series: int, data: bytes | memoryview) -> bool:
        """Hash what was read, and remember that; False when the block has moved, so that it may be right elsewhere."""
        key = cid.multihash
        if len(data) == place.size and multihash.verify(key, data):
            self._files.checked.add(series, place.offset)
            return True
        with self._lock:
            self.forget([key])
        now = self.find(key)
        if now is None or now[:2] != place[:2]:
            return False
        if len(data) == place.size:
            self._condemn(key)
        raise CorruptBlock(cid)


def _cached(descriptor: int, place: Place) -> bytearray | None:
    """Return a block's bytes when all of them are in memory."""
    if not _NOWAIT:
        return None
    buffer = bytearray(place.size)
    try:
        size = os.preadv(descriptor, [buffer], place.offset, _NOWAIT)
    except OSError:
        return None  # they are not, or the file system cannot tell
    return buffer if size == place.size else None


def _is_cached(descriptor: int, place: Place) -> bool:
    """Whether a block's bytes are in memory, as far as looking at some of them tells."""
    if not _NOWAIT:
        return True
    probe = bytearray(1)
    end = place.offset + place.size
    try:
        for at in (*range(place.offset, end, _PROBED), end - 1):
            if not os.preadv(descriptor, [probe], at, _NOWAIT):
                return False
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system that cannot say
    return True
