"""Making puts durable: packs first, then the index, then the acknowledgement.

The order is the whole protocol: (1) what is in the buffer is written, (2) the packs are synced, and their directory
when one of them is new, (3) one transaction tells the index, which syncs its log, (4) `sync` returns. Callers that come
while a flush is under way share the next one. A thread syncs packs while more is written, and commits when a pack is
full or many blocks wait, so that no sync has much to do and little has to be looked at again after a crash.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from zwerm.core.disk_failure import NO_SPACE
from zwerm.core.errors import DiskFull, LocalProtocolError, StorageError, ZwermError
from zwerm.ipfs.blockstore.appender import Appender, Unsynced
from zwerm.ipfs.blockstore.disk import Disk, Sync
from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.index import Index
from zwerm.ipfs.blockstore.packfiles import PackFiles
from zwerm.ipfs.blockstore.pending import Batch, Pending

_AHEAD: Final = 64 * 1024 * 1024  # bytes written before the thread syncs them
_MANY: Final = 65_536  # changes that wait before the thread commits them


class Flusher:
    """Flushes of one store, on the threads that ask for them and on one of its own. Any thread."""

    def __init__(
        self,
        lock: threading.Lock,
        index: Index,
        files: PackFiles,
        appender: Appender,
        pending: Pending,
        holds: Holds,
        disk: Disk,
        rows: int,
    ) -> None:
        self.index_size = index.database.size()  # bytes of the database after the last flush
        self._lock = lock  # the store's, which guards appender and pending
        self._index = index
        self._database = index.database
        self._files = files
        self._appender = appender
        self._pending = pending
        self._holds = holds
        self._disk = disk
        self.rows = rows  # in one transaction
        self._one_flush = threading.Lock()
        self._failure: StorageError | None = None
        self._starved = False  # a put or a flush has met a full disk since the last flush that went well
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._cut_done = threading.Event()
        self._cut_done.set()
        self._ending = False  # the thread is to stop
        self._closed = False  # nothing more is taken

    def check_usable(self) -> None:
        """Raise what made the store read-only, if something did."""
        if self._closed:
            raise LocalProtocolError("the blockstore is closed")
        if (failure := self._failure) is not None:
            raise type(failure)(str(failure)) from failure.__cause__  # a new one: each raise adds to its traceback

    def note_full(self) -> None:
        """A put has met a full disk."""
        self._starved = True

    def give_back(self) -> None:
        """After a full disk: drop what was put and never made durable, once nobody can be counting on it.

        That is when no hold is open: the work that put it has failed, and what it had taken is free again. Blocks put
        outside of any hold, and those of `keep_pending`, stay for the next flush.
        """
        if not self._starved or not self._one_flush.acquire(blocking=False):
            return  # or the flush under way finds the same and comes here itself
        dropped: list[Unsynced] | None = None
        try:
            with self._lock:
                if not self._pending.owed and self._holds.oldest() is None:
                    self._pending.drop()
                    dropped = self._appender.forget()
                    self._cut_done.clear()
                    self._starved = False
                    if isinstance(self._failure, DiskFull):
                        self._failure = None  # what the kernel may have lost is among what was dropped
        finally:
            if dropped is None:
                self._one_flush.release()
        if dropped is not None:
            if _on_event_loop():
                threading.Thread(target=self._cut, args=(dropped,), name="zwerm-blockstore-cut", daemon=True).start()
            else:
                self._cut(dropped)

    def _cut(self, dropped: list[Unsynced]) -> None:
        """Give the room of dropped blocks back; a flush waits until that is done."""
        try:
            self._appender.cut(dropped, {row.number: row.committed for row in self._index.packs()})
        except StorageError:
            self._appender.cut(dropped, {item.file.number: item.file.size for item in dropped})  # nothing is known
        finally:
            self._one_flush.release()
            self._cut_done.set()

    def wait_cut(self) -> None:
        """Return once nothing is being given back."""
        if not self._cut_done.is_set():
            self._cut_done.wait()

    def sync(self) -> None:
        """Return once every change made before this call is durable.

        Raises:
            StorageError: it could not be done. On a full disk all is kept and the next call tries again.
        """
        if self._database.in_transaction:
            raise LocalProtocolError("sync inside a database transaction would wait for itself")
        with self._lock:
            self.check_usable()
            wanted = self._pending.changes
        with self._one_flush:
            if self._pending.durable < wanted:
                try:
                    self._flush()
                except DiskFull:
                    self._starved = True
                    raise

    def work_ahead(self) -> None:
        """Wake the thread when it has something to do; called under the store's lock after every change."""
        if self._appender.written < _AHEAD and self._pending.weight < _MANY:
            return
        if self._thread is None and not self._ending:
            self._thread = threading.Thread(target=self._run, name="zwerm-blockstore", daemon=True)
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Stop the thread and flush what is left."""
        self._ending = True
        if self._thread is not None:
            self._wake.set()
            self._thread.join()
        self.give_back()
        try:
            if self._failure is None:
                self.sync()
        finally:
            self.give_back()
            self.wait_cut()
            self._closed = True

    def _flush(self) -> None:
        with self._lock:
            self.check_usable()
            self._appender.write_out()
            batch = self._pending.take()
            unsynced = self._appender.take_unsynced()
        try:
            self._sync_packs(unsynced)
            self._commit(batch, unsynced)
        except BaseException:
            with self._lock:
                self._pending.put_back(batch)
                self._appender.put_back(unsynced)
            raise
        with self._lock:
            self._pending.done(batch)
            self._appender.release(unsynced)
            self._starved = self._starved and len(self._pending) > 0
            self.index_size = self._database.size()

    def _sync_packs(self, unsynced: list[Unsynced]) -> None:
        try:
            for item in unsynced:
                self._disk.sync(item.file.descriptor, Sync.PACK)
            if any(item.is_new for item in unsynced):
                self._disk.sync_directory(self._files.folder, Sync.NEW_PACK)
        except OSError as error:
            self._fail(error)

    def _commit(self, batch: Batch, unsynced: list[Unsynced]) -> None:
        """Tell the index, in as many transactions as it takes; only the last one makes it true for `sync`."""
        keys = sorted(batch.places)  # in order: neighbours share a page
        for start in range(0, max(len(keys), 1), self.rows):
            places = {key: batch.places[key] for key in keys[start : start + self.rows]}
            with self._database.transaction() as connection:
                gained = self._index.insert(connection, places)
                for item in unsynced:  # every pack that gained a block is among them
                    self._index.grow_pack(connection, item.file.number, item.size, gained.get(item.file.number, 0))
                if start == 0:
                    self._index.touch(connection, batch.touched)
                    self._index.set_state(connection, "epoch", self._holds.epoch)

    def _fail(self, error: OSError) -> None:
        """Stop writing: after a failed sync nobody knows what of the page cache reached the disk.

        For want of room that lasts until what is not durable was dropped, otherwise for good.
        """
        if error.errno in NO_SPACE:
            self._starved = True
            self._failure = DiskFull("the disk is full and failed to keep blocks; make room and try again")
        else:
            self._failure = StorageError(
                f"the disk failed to keep blocks ({error.strerror or error}); "
                "nothing new is taken until the node is started again"
            )
        raise self._failure from error

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._ending:
                return
            try:
                self._work()
            except ZwermError:
                self.give_back()  # the same trouble meets the next put or sync, which has a caller to tell

    def _work(self) -> None:
        with self._lock:
            self._appender.written = 0
            files = self._appender.peek_unsynced()
            commit = len(files) > 1 or self._pending.weight >= _MANY
        try:
            for file in files:
                self._disk.sync_ahead(file.descriptor)
        except OSError as error:
            self._fail(error)
        finally:
            for file in files:
                self._files.release(file)
        if commit:
            self.sync()


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
