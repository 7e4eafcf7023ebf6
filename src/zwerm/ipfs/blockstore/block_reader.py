"""Reading from a pack store: finding a block among what is pending and what the index knows, and getting its bytes.

No lock is taken on the way unless a block seems to be missing. A block may move while it is looked for, when compaction
rewrites its pack; then its old pack is gone, and looking again finds the new place.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import Final

from zwerm.ipfs.block import BlockNotFound, CorruptBlock
from zwerm.ipfs.blockstore.appender import Appender
from zwerm.ipfs.blockstore.index import Index, Place
from zwerm.ipfs.blockstore.packfiles import PackFile, PackFiles
from zwerm.ipfs.blockstore.pending import Pending
from zwerm.ipfs.blockstore.store import BlockLocation
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

_KNOWN: Final = 65_536  # places remembered
_NOWAIT: Final = getattr(os, "RWF_NOWAIT", 0)  # 0: this system cannot say what lies in its page cache


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
    ) -> None:
        self._lock = lock  # the store's
        self._index = index
        self._files = files
        self._appender = appender
        self._pending = pending
        self._damaged = damaged  # multihashes that are not served; the store changes it
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

    def get(self, cid: CID, *, verify: bool = False) -> bytes:
        key = cid.multihash
        data = None
        while data is None:
            place = self.find(key)
            if place is None:
                if cid.hash_code == multicodec.IDENTITY:
                    return cid.digest
                raise BlockNotFound(cid)
            data = self._appender.unwritten.get(key)  # after the place: what is no longer here is in the pack by now
            if data is None:
                data = self._read(cid, place)
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

    def locate(self, cid: CID) -> BlockLocation | None:
        """Return where the block's bytes lie in a file, or None when it is not in one.

        The descriptor stays open until every hold that is open now has ended. The bytes are not verified.

        Raises:
            CorruptBlock: it is known to be damaged.
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
                self._files.lend(file)
                return BlockLocation(file.descriptor, place.offset, place.size)
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
            raise CorruptBlock(cid) from error
        if file is None:
            with self._lock:
                self.forget([cid.multihash])
            found = self.find(cid.multihash)
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
