"""Compaction: giving back the space of deleted blocks, by copying what lives out of a pack and unlinking it.

Copies go to a pack of their own, which the index knows as `Role.COPIES` before anything is in it: whatever a crash
leaves behind its committed end is cut off, never looked at. Copies are synced, then one transaction points the blocks
at them, then the old file is unlinked. At most one pack's live bytes are on the disk twice, which is what the store
keeps a reserve for. On a disk that has no room for that, blocks are moved from the end of a pack, a few at a time, and
the pack is cut behind the last one left. Every block is hashed on the way; a pack with a damaged one is left as it is,
for `repair` to judge.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Final

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import StorageError
from zwerm.ipfs.blockstore.disk import Disk, Sync
from zwerm.ipfs.blockstore.index import Index, PackRow, Role
from zwerm.ipfs.blockstore.pack import HEADER, MAX_CID, Section, scan, section_head
from zwerm.ipfs.blockstore.packfiles import PackFile, PackFiles
from zwerm.ipfs.blockstore.recovery import drop_emptied

_BATCH: Final = 4_096  # blocks moved in one transaction
_LOOKED_UP: Final = 256  # sections whose blocks are looked up together
_BYTES: Final = 32 * 1024 * 1024  # bytes copied before one
_LITTLE: Final = 256 * 1024  # bytes moved at a time where there is no room
_WASTE: Final = 0.25  # a pack with this share of dead bytes is worth rewriting
_WASTE_WHEN_FULL: Final = 0.05  # the same when the limit is near


class Compaction:
    """One run over a store's packs. One at a time; reads, writes and deletions go on beside it."""

    def __init__(
        self,
        index: Index,
        files: PackFiles,
        disk: Disk,
        pack_size: int,
        *,
        moved: Callable[[], None],
        is_appended: Callable[[int], bool],
        is_stopped: Callable[[], bool],
    ) -> None:
        """Prepare a run.

        Args:
            index: Where the blocks lie.
            files: The packs.
            disk: For writing.
            pack_size: Bytes that a pack of copies may grow to.
            moved: Is called whenever places that somebody may remember have become wrong.
            is_stopped: Says whether to end early, between two batches.
            is_appended: Says whether new blocks go to a pack, which is then none for copies.
        """
        self.freed = 0  # bytes given back so far
        self.damaged: list[int] = []  # packs that were left because a block in them is damaged
        self._index = index
        self._files = files
        self._disk = disk
        self._pack_size = pack_size
        self._batch_bytes = min(_BYTES, pack_size // 4)
        self._moved = moved
        self._is_appended = is_appended
        self._is_stopped = is_stopped
        self._victims: set[int] = set()
        self._copies: PackFile | None = None
        self._began = 0  # bytes that the copies' pack had before
        self._committed = 0  # bytes of it that the index knows
        self._new = False  # whether its name has yet to be synced

    def victims(self, *, near_limit: bool) -> list[int]:
        """The packs worth rewriting, those that give back most for least copying first."""
        waste = _WASTE_WHEN_FULL if near_limit else _WASTE
        found = []
        for row in self._index.packs():
            file = self._files.find(row.number)
            dead = row.committed - len(HEADER) - row.live
            whole = file is not None and file.size >= row.committed
            if row.role == Role.KEPT and whole and dead > 0 and (not row.live or dead >= waste * row.committed):
                found.append(row)
        self._victims = {row.number for row in found}
        return [row.number for row in sorted(found, key=lambda row: row.live)]

    def need(self, number: int) -> int:
        """Bytes that rewriting a pack takes before it gives any back."""
        return sum(row.live for row in self._index.packs() if row.number == number) + len(HEADER)

    def rewrite(self, number: int) -> bool:
        """Move everything out of a pack and unlink it; False when a damaged block forbids that, or it was stopped."""
        file = self._files.acquire(number)
        if file is None:
            return True
        size = file.size
        try:
            for batch in self._batches(file, size):
                if self._is_stopped():
                    return False
                if not all(section.intact for section in batch):
                    self.damaged.append(file.number)
                    return False
                self._move(file, batch)
        except OSError as error:
            raise disk_error("copy blocks", error) from error
        finally:
            self._files.release(file)
        with self._index.database.transaction() as connection:
            left = connection.execute("SELECT live FROM packs WHERE number = ?", (file.number,)).fetchone()[0]
            if left:  # a section could not be found by scanning, so something in the pack is damaged
                self.damaged.append(file.number)
                return False
            self._index.set_role(connection, file.number, Role.EMPTIED)
        self._files.remove(file.number)
        self.freed += size
        return True

    def shorten(self, number: int, *, may_cut: Callable[[], bool]) -> None:
        """Give a pack's space back from its end, little by little, which takes next to no room.

        Args:
            number: The pack.
            may_cut: Says whether nobody reads from a pack without coming back here when the end is missing.
        """
        file = self._files.acquire(number, writing=True)
        if file is None:
            return
        began = file.size
        try:
            living = list(self._living(file, file.size))
            while self._cut(file, living, may_cut) and living and not self._is_stopped():
                batch = _taken_from_end(living)
                if not all(section.intact for section in batch):
                    self.damaged.append(number)
                    break
                self._move(file, batch)
        except OSError as error:
            raise disk_error("copy blocks", error) from error
        finally:
            self._files.release(file)
            if file.size < began:
                self._end_shortening(file)

    def _end_shortening(self, file: PackFile) -> None:
        """Make a pack one like any other again, unless its last cut failed: then the next opening makes that."""
        emptied = file.size == len(HEADER)
        with self._index.database.transaction() as connection:
            row = connection.execute("SELECT committed FROM packs WHERE number = ?", (file.number,)).fetchone()
            if row[0] != file.size:
                return
            self._index.set_role(connection, file.number, Role.EMPTIED if emptied else Role.KEPT)
        if emptied:
            self._files.remove(file.number)
            self.freed += len(HEADER)

    def _cut(self, file: PackFile, living: list[Section], may_cut: Callable[[], bool]) -> bool:
        """End a pack behind the last block that lives; False when it must stay as long as it is."""
        end = living[-1].end if living else len(HEADER)
        if end == file.size:
            return True
        if not may_cut():
            return False
        known = sum(section.head + section.size for section in living)
        with self._index.database.transaction() as connection:
            left = connection.execute("SELECT live FROM packs WHERE number = ?", (file.number,)).fetchone()[0]
            if left > known:  # as in `rewrite`
                self.damaged.append(file.number)
                return False
            self._index.end_pack(connection, file.number, end)
        self._disk.truncate(file.descriptor, end)
        self._disk.sync(file.descriptor, Sync.CUT)
        self.freed += file.size - end
        file.size = end
        return True

    def finish(self) -> None:
        """Close the pack of copies and forget the emptied ones. Call it in every case.

        Raises:
            StorageError: the disk failed; what is left to do is done when the store is opened again.
        """
        try:
            if self._copies is not None:
                self._close_copies()
            drop_emptied(self._index, self._files, self._disk)
        except OSError as error:
            raise disk_error("end a compaction", error) from error

    def _close_copies(self) -> None:
        """Cut off what no transaction points at; a pack without any block goes the way of the emptied ones."""
        file, self._copies = self._copies, None
        assert file is not None  # noqa: S101 -- for the type checker
        try:
            if file.size > self._committed:
                self._disk.truncate(file.descriptor, self._committed)
                if self._committed:
                    self._disk.sync(file.descriptor, Sync.CUT)
                file.size = self._committed
            with self._index.database.transaction() as connection:
                self._index.set_role(connection, file.number, Role.KEPT if self._committed else Role.EMPTIED)
            self.freed -= file.size - self._began
        finally:
            self._files.release(file)

    def _batches(self, file: PackFile, size: int) -> Iterator[list[Section]]:
        """The sections of blocks that are still there, in groups small enough for one transaction."""
        batch: list[Section] = []
        copied = 0
        for section in self._living(file, size):
            batch.append(section)
            copied += section.head + section.size
            if len(batch) >= _BATCH or copied >= self._batch_bytes:
                yield batch
                batch, copied = [], 0
        if batch:
            yield batch

    def _living(self, file: PackFile, size: int) -> Iterator[Section]:
        sections = scan(file.descriptor, len(HEADER), size, resume=True)
        while some := list(itertools.islice(sections, _LOOKED_UP)):
            places = self._index.find_many(section.cid.multihash for section in some)
            for section in some:
                place = places.get(section.cid.multihash)
                if place is not None and (place.pack, place.offset) == (file.number, section.offset):
                    yield section

    def relocate(self, number: int, sections: list[Section]) -> None:
        """Copy intact blocks out of a pack, with new heads, make the copies durable, point the index at them."""
        file = self._files.acquire(number)
        if file is not None:
            try:
                self._move(file, sections)
            except OSError as error:
                raise disk_error("copy blocks", error) from error
            finally:
                self._files.release(file)

    def _move(self, source: PackFile, batch: list[Section]) -> None:
        copies = self._room_for(sum(section.size + MAX_CID for section in batch))
        position = copies.size
        moved: list[tuple[Section, Section]] = []
        with self._files.writing(copies):
            for section in batch:
                data = os.pread(source.descriptor, section.size, section.offset)
                head = section_head(bytes(section.cid), section.size)
                size = len(head) + section.size
                copies.size = position + size  # before the write, so that what a failed one leaves is cut off
                if len(data) != section.size or self._disk.write(copies.descriptor, [head, data], position) != size:
                    raise StorageError(f"cannot copy blocks out of {source.path}: a read or write was cut short")
                moved.append((section, section._replace(offset=position + len(head), head=len(head))))
                position += size
        self._disk.sync(copies.descriptor, Sync.COPIES)
        if self._new:
            self._disk.sync_directory(self._files.folder, Sync.COPIES_PACK)
            self._new = False
        with self._index.database.transaction() as connection:
            live = self._index.move(connection, source.number, copies.number, moved)
            self._index.grow_pack(connection, copies.number, position, live)
        self._committed = position
        self._moved()

    def _room_for(self, size: int) -> PackFile:
        """The pack that copies go to: one that is not full, so that small packs do not gather, or a new one."""
        if self._copies is not None and self._copies.size + size > self._pack_size:
            self._close_copies()
        if self._copies is None:
            self._copies = self._reopen(size) or self._create()
        return self._copies

    def _reopen(self, size: int) -> PackFile | None:
        rows = [row for row in self._index.packs() if self._can_take(row, size)]
        if not rows:
            return None
        row = max(rows, key=lambda row: row.committed)
        file = self._files.acquire(row.number, writing=True)
        if file is not None:
            self._began = self._committed = row.committed
            self._new = False
            with self._index.database.transaction() as connection:
                self._index.set_role(connection, row.number, Role.COPIES)
        return file

    def _can_take(self, row: PackRow, size: int) -> bool:
        file = self._files.find(row.number)
        return (
            row.role == Role.KEPT
            and row.committed + size <= self._pack_size
            and file is not None
            and file.size == row.committed
            and row.number not in self._victims
            and not self._is_appended(row.number)
        )

    def _create(self) -> PackFile:
        file = self._files.create()
        self._began, self._committed, self._new = 0, 0, True
        with self._index.database.transaction() as connection:
            self._index.set_role(connection, file.number, Role.COPIES)
        self._disk.write(file.descriptor, [HEADER], 0)
        file.size = len(HEADER)
        return file


def _taken_from_end(living: list[Section]) -> list[Section]:
    """Take the sections to be moved next off the end of a list: at least one."""
    batch = [living.pop()]
    end = batch[0].end
    while living and end - living[-1].offset <= _LITTLE:
        batch.append(living.pop())
    return batch[::-1]
