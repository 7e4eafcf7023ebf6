"""Appending sections to packs: a buffer, large writes, and the next file when one is full.

What is in the buffer can be read from it; what has been written can be read from the pack. Nothing here is durable:
`take_unsynced` says what must be synced for that. Every call is made under the store's lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from zwerm.core.disk_failure import disk_error
from zwerm.core.errors import StorageError
from zwerm.ipfs.blockstore.disk import Disk
from zwerm.ipfs.blockstore.index import Place
from zwerm.ipfs.blockstore.pack import HEADER, section_head
from zwerm.ipfs.blockstore.packfiles import PackFile, PackFiles

_BUFFER: Final = 1024 * 1024  # bytes gathered for one write
_LENT: Final = 4 * _BUFFER  # the same of bytes that somebody lends, who waits until they are written
_PIECES: Final = 512  # buffers in one write; the kernel takes at most 1,024


class Unsynced(NamedTuple):
    """A pack that holds bytes which the medium may not have."""

    file: PackFile
    size: int  # bytes of the file that are meant
    is_new: bool  # its name is not on the medium either


class Appender:
    """The end of the store, where blocks are added."""

    def __init__(self, files: PackFiles, disk: Disk, limit: int) -> None:
        self.unwritten: dict[bytes, bytes] = {}  # multihash -> data that is in no file yet
        self.written = 0  # bytes, since somebody last set it to 0
        self._files = files
        self._disk = disk
        self.limit = limit  # bytes of a pack, at which the next is begun
        self._file: PackFile | None = None
        self._pieces: list[bytes | memoryview] = []
        self._lent: dict[int, bytes] = {}  # which of the pieces are lent, and the multihashes of these blocks
        self._buffered = 0
        self._unsynced: dict[int, Unsynced] = {}
        self._in_flight: dict[int, Unsynced] = {}  # taken by a flush that has not ended

    @property
    def number(self) -> int | None:
        """The pack that is being appended to."""
        return self._file.number if self._file else None

    @property
    def buffered(self) -> int:
        """Bytes that no file has yet."""
        return self._buffered

    def has(self, number: int) -> bool:
        """Whether a pack is being appended to, or has bytes that no flush has committed."""
        return number == self.number or number in self._unsynced or number in self._in_flight

    def leave(self, number: int) -> bool:
        """Append no more to a pack; False when it has bytes that no flush has committed."""
        if number in self._unsynced or number in self._in_flight or (self.number == number and self._pieces):
            return False
        if self.number == number and self._file is not None:
            self._files.release(self._file)
            self._file = None
        return True

    def resume(self, number: int) -> None:
        """Go on behind the end of a pack that is there."""
        self._file = self._files.acquire(number, writing=True)

    def append(self, cid: bytes, multihash: bytes, data: bytes | memoryview, epoch: int) -> Place:
        """Take a block in; return where it will lie.

        A view is only lent: it cannot be read from here, and after the last `append` comes `write_out` or `keep`.

        Raises:
            StorageError: the disk is full or failed, and the buffer too; the block was not taken.
        """
        head = section_head(cid, len(data))
        size = len(head) + len(data)
        lent = isinstance(data, memoryview)
        if self._buffered + size > (_LENT if lent else _BUFFER) or len(self._pieces) > _PIECES:
            self.write_out()
        file = self._file
        if file is None or len(HEADER) < file.size + self._buffered > self.limit - size:
            file = self._next_file()
        offset = file.size + self._buffered + len(head)
        self._pieces += (head, data)
        self._buffered += size
        if isinstance(data, memoryview):
            self._lent[len(self._pieces) - 1] = multihash
        else:
            self.unwritten[multihash] = data
        self._files.checked.add(file.series, offset)  # whoever has a `Block` has hashed it
        return Place(file.number, offset, len(data), len(head), epoch)

    def write_out(self) -> None:
        """Empty the buffer into the file.

        Raises:
            StorageError: the disk is full or failed; the buffer is kept and the next call tries again.
        """
        file = self._file
        if file is None or not self._pieces:
            return
        self._write(file, self._pieces, self._buffered)
        self._clear()

    def keep(self) -> None:
        """Copy what was lent and could not be written, so that its owner has it back."""
        for index, multihash in self._lent.items():
            self._pieces[index] = self.unwritten[multihash] = bytes(self._pieces[index])
        self._lent.clear()

    def take_unsynced(self) -> list[Unsynced]:
        """Return what was written since the last time: to be synced, then given to `release` or `put_back`."""
        self._in_flight, self._unsynced = self._unsynced, {}
        return list(self._in_flight.values())

    def release(self, unsynced: list[Unsynced]) -> None:
        """The flush has committed them."""
        self._in_flight = {}
        for item in unsynced:
            self._files.release(item.file)

    def put_back(self, unsynced: list[Unsynced]) -> None:
        """The flush failed."""
        self._in_flight = {}
        for item in unsynced:
            newer = self._unsynced.get(item.file.number)
            self._note(item.file, max(item.size, newer.size if newer else 0), is_new=item.is_new)
            self._files.release(item.file)

    def forget(self) -> list[Unsynced]:
        """Forget everything that no flush has committed; return where it lies, for `cut`."""
        self._clear()
        forgotten, self._unsynced = list(self._unsynced.values()), {}
        if any(item.file is self._file for item in forgotten) and self._file is not None:
            self._files.release(self._file)
            self._file = None
        return forgotten

    def cut(self, forgotten: list[Unsynced], committed: Mapping[int, int]) -> None:
        """Give the room of what was forgotten back to the disk; the only call that needs no lock.

        Not synced: what a crash brings back was acknowledged to nobody, and is garbage when it is found.

        Args:
            forgotten: From `forget`.
            committed: pack -> bytes of it that the index counts on; packs that are not in it go as a whole.
        """
        for item in forgotten:
            size = committed.get(item.file.number)
            if size is not None:
                item.file.size = size
                self._cut_back(item.file)
            else:
                with contextlib.suppress(OSError):  # a file that stays is looked at when the store is opened again
                    self._files.remove(item.file.number)
            self._files.release(item.file)

    def peek_unsynced(self) -> list[PackFile]:
        """The files that `take_unsynced` would name; each counts one more reader, to be released."""
        for item in self._unsynced.values():
            self._files.retain(item.file)
        return [item.file for item in self._unsynced.values()]

    def close(self) -> None:
        self.release(self.take_unsynced())
        if self._file is not None:
            self._files.release(self._file)
            self._file = None

    def _clear(self) -> None:
        self._pieces = []
        self._lent.clear()
        self._buffered = 0
        self.unwritten.clear()

    def _next_file(self) -> PackFile:
        self.write_out()
        try:
            file = self._files.create()
        except OSError as error:
            raise disk_error("make a pack", error) from error
        try:
            self._write(file, [HEADER], len(HEADER))
        except StorageError:
            self._files.release(file)
            self._files.remove(file.number)
            raise
        if self._file is not None:
            self._files.release(self._file)
        self._file = file
        self._note(file, file.size, is_new=True)
        return file

    def _write(self, file: PackFile, pieces: Sequence[bytes | memoryview], size: int) -> None:
        done = 0
        remaining = pieces
        with self._files.writing(file):
            while True:
                try:
                    done += self._disk.write(file.descriptor, remaining, file.size + done)
                    if done == size:
                        break
                except OSError as error:
                    self._cut_back(file)
                    raise disk_error("write blocks", error) from error
                remaining = _rest(pieces, done)
        file.size += size
        self.written += size
        self._note(file, file.size, is_new=False)

    def _cut_back(self, file: PackFile) -> None:
        """Give back what a failed write took, so that a full disk is not kept full by it."""
        try:
            self._disk.truncate(file.descriptor, file.size)
        except OSError:
            return  # the bytes stay behind the end, where the next write goes over them

    def _note(self, file: PackFile, size: int, *, is_new: bool) -> None:
        known = self._unsynced.get(file.number)
        if known is None:
            self._files.retain(file)  # it must stay open until it is synced
        self._unsynced[file.number] = Unsynced(file, size, is_new or (known is not None and known.is_new))


def _rest(pieces: Sequence[bytes | memoryview], done: int) -> list[memoryview]:
    rest = []
    for piece in pieces:
        if done < len(piece):
            rest.append(memoryview(piece)[done:])
        done = max(done - len(piece), 0)
    return rest
