"""Walking folders of the disk: what is found becomes entries of directories.

A folder's files are read while it is scanned, then its folders one by one; names are never listed all at once. Small
files are done on the spot, files of a few mebibytes whole on a hashing thread while the scan goes on, and large ones
are shared between the threads.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Final, NamedTuple, Protocol

from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.unixfs.builder import BlockSink, put
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.directory.bulk import SPILL, DirectoryWriter
from zwerm.ipfs.unixfs.directory.hamt import name_bytes
from zwerm.ipfs.unixfs.disk_file import (
    FOLDER,
    LOOP,
    OPEN,
    FileReader,
    Opened,
    Refused,
    failed,
    open_regular,
    special,
)
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.errors import FileChanged
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.ignore import IgnoreRules
from zwerm.ipfs.unixfs.profile import Profile

_HANDED_OVER: Final = range(64 * 1024, 8 * 1024 * 1024)  # bytes of a file that one hashing thread does on its own
_LEAST_SPILL: Final = 256 * 1024  # bytes; folders below others share what `SPILL` allows


class Follow(enum.Enum):
    """Which symlinks stand for what they point to; others are added as symlinks."""

    NOTHING = "nothing"
    ARGUMENT = "argument"  # the path that was given, Kubo's --dereference-args
    EVERYTHING = "everything"


class Selection(NamedTuple):
    """What of a folder is taken."""

    hidden: bool  # names that begin with a dot; the added path itself always is
    ignore: IgnoreRules | None
    follow: Follow


class Reports(Protocol):
    """Who is told how the work goes. An exception from either ends it."""

    on_entry: Callable[[str, Entry], None] | None  # a path below the added one ("" for itself) and what it became

    def count(self, size: int, files: int) -> None:
        """Take note of that many more bytes and files."""
        ...


class _Folder(NamedTuple):
    """A folder whose own files are done and whose folders are being walked."""

    path: str
    relative: str
    name: str
    identity: tuple[int, int]  # device and inode
    writer: DirectoryWriter
    folders: list[str]  # names still to come, the next one last


class _HandedOver(NamedTuple):
    """A file that a hashing thread reads."""

    name: str
    relative: str
    descriptor: int
    result: Future[tuple[Entry, list[Block]]]


class Walk:
    """One path that is being added. Blocks go to `sink`, in the calling thread."""

    def __init__(
        self,
        path: str,
        selection: Selection,
        profile: Profile,
        sink: BlockSink,
        reports: Reports,
        hashers: Hashers | None,
    ) -> None:
        self._root = path
        self._selection = selection
        self._profile = profile
        self._sink = sink
        self._reports = reports
        self._hashers = hashers
        self._reader = FileReader(profile)
        self._handed_over: deque[_HandedOver] = deque()
        self._names_wanted = selection.ignore is not None or reports.on_entry is not None

    def add(self, *, recursive: bool) -> Entry:
        """Add the path; see `Importer.add_path`."""
        follow = self._selection.follow is not Follow.NOTHING
        with _named(self._root):
            status = os.stat(self._root, follow_symlinks=follow)
            if stat.S_ISREG(status.st_mode):
                entry = self._regular(open_regular(self._root, None, follow=follow), self._root, None, follow=follow)
            elif stat.S_ISLNK(status.st_mode):
                entry = self._symlink(self._root, None)
            elif not stat.S_ISDIR(status.st_mode):
                raise special(status)
            elif not recursive:
                raise Refused(FOLDER)
            else:
                return self._folders()
        self._done("", entry)
        return entry

    def _folders(self) -> Entry:
        """Add the root folder: each folder's files, then its folders, without recursion of Python's."""
        stack: list[_Folder] = []
        try:
            self._enter(stack, self._root, "", "", follow=self._selection.follow is not Follow.NOTHING)
            while True:
                folder = stack[-1]
                if folder.folders:
                    name = folder.folders.pop()
                    relative = f"{folder.relative}/{name}" if folder.relative else name
                    follow = self._selection.follow is Follow.EVERYTHING
                    self._enter(stack, os.path.join(folder.path, name), relative, name, follow=follow)
                    continue
                entry = folder.writer.finish()
                stack.pop()
                self._done(folder.relative, entry)
                if not stack:
                    return entry
                stack[-1].writer.add(folder.name, entry.cid, entry.total_size)
        finally:
            for folder in stack:
                folder.writer.close()

    def _enter(self, stack: list[_Folder], path: str, relative: str, name: str, *, follow: bool) -> None:
        """Put a folder on the stack, its files added."""
        with _named(path):
            descriptor = os.open(path, OPEN | os.O_DIRECTORY | (0 if follow else os.O_NOFOLLOW))
            try:
                status = os.fstat(descriptor)
                identity = (status.st_dev, status.st_ino)
                if any(folder.identity == identity for folder in stack):
                    raise Refused(LOOP)
                mode, mtime = self._reader.metadata(status)
                spill = max(SPILL >> len(stack), _LEAST_SPILL)
                writer = DirectoryWriter(self._sink, self._profile, mode=mode, mtime=mtime, spill=spill)
                folder = _Folder(path, relative, name, identity, writer, [])
                stack.append(folder)
                with os.scandir(descriptor) as found:
                    for entry in found:
                        if self._selection.hidden or not entry.name.startswith("."):
                            self._found(folder, descriptor, entry)
                while self._handed_over:
                    self._take_back(folder, descriptor)
            finally:
                self._give_up()
                os.close(descriptor)
        folder.folders.sort(reverse=True)

    def _found(self, folder: _Folder, descriptor: int, found: os.DirEntry[str]) -> None:
        """Add what a folder holds, or put it on its list when it is a folder itself."""
        name = found.name
        follow = self._selection.follow is Follow.EVERYTHING
        relative = ""
        if self._names_wanted:
            relative = f"{folder.relative}/{name}" if folder.relative else name
            ignore = self._selection.ignore
            if ignore is not None and ignore.match(relative, is_directory=found.is_dir(follow_symlinks=follow)):
                return
        try:
            if found.is_file(follow_symlinks=follow):
                file = open_regular(name, descriptor, follow=follow)
                if self._hashers is not None and file.status.st_size in _HANDED_OVER:
                    self._hand_over(self._hashers, file, name, relative)
                    if len(self._handed_over) > self._hashers.ahead:
                        self._take_back(folder, descriptor)
                    return
                entry = self._regular(file, name, descriptor, follow=follow)
            elif found.is_dir(follow_symlinks=follow):
                folder.folders.append(name)
                return
            elif found.is_symlink() and not follow:
                entry = self._symlink(name, descriptor)
            else:
                raise special(os.stat(name, dir_fd=descriptor, follow_symlinks=follow))
        except (OSError, Refused) as error:
            raise failed(os.path.join(folder.path, name), error) from error
        folder.writer.add(name, entry.cid, entry.total_size)
        self._done(relative, entry)

    def _regular(self, file: Opened, name: str, directory: int | None, *, follow: bool) -> Entry:
        """Add an open file, and close it; when it changed meanwhile, open it once more."""
        result = self._read(file) or self._read(open_regular(name, directory, follow=follow))
        return self._taken(result)

    def _read(self, file: Opened) -> tuple[Entry, list[Block]] | None:
        """Read a file and close it; None when it changed."""
        try:
            return self._reader.read(file, self._sink, self._hashers, self._count_bytes)
        except FileChanged:
            return None
        finally:
            os.close(file.descriptor)

    def _taken(self, result: tuple[Entry, list[Block]] | None) -> Entry:
        if result is None:
            raise Refused("it changed each time it was read; add it when nobody writes to it", FileChanged)
        entry, blocks = result
        if blocks:
            put(self._sink, self._profile, blocks)
        self._reports.count(0, 1)
        return entry

    def _hand_over(self, hashers: Hashers, file: Opened, name: str, relative: str) -> None:
        result = hashers.submit(functools.partial(_read_whole, self._reader, file))
        self._handed_over.append(_HandedOver(name, relative, file.descriptor, result))

    def _take_back(self, folder: _Folder, directory: int) -> None:
        """Wait for the file that was handed over first, and add it; when it changed meanwhile, read it here."""
        file = self._handed_over[0]
        try:
            result: tuple[Entry, list[Block]] | None = None
            with contextlib.suppress(FileChanged):
                result = file.result.result()
                self._count_bytes(result[0].size)
            self._handed_over.popleft()
            os.close(file.descriptor)
            if result is None:
                result = self._read(open_regular(file.name, directory, follow=True))
            entry = self._taken(result)
        except (OSError, Refused) as error:
            raise failed(os.path.join(folder.path, file.name), error) from error
        folder.writer.add(file.name, entry.cid, entry.total_size)
        self._done(file.relative, entry)

    def _give_up(self) -> None:
        """Close what is still handed over, after waiting for the thread that has it."""
        while self._handed_over:
            file = self._handed_over.popleft()
            if not file.result.cancel():
                file.result.exception()
            os.close(file.descriptor)

    def _symlink(self, name: str, directory: int | None) -> Entry:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        target = name_bytes(os.readlink(name, dir_fd=directory))
        entry, block = symlink(self._profile, target, self._reader.metadata(status)[1])
        put(self._sink, self._profile, [block])
        self._reports.count(0, 1)
        return entry

    def _count_bytes(self, size: int) -> None:
        self._reports.count(size, 0)

    def _done(self, relative: str, entry: Entry) -> None:
        if self._reports.on_entry is not None:
            self._reports.on_entry(relative, entry)


def symlink(profile: Profile, target: bytes, mtime: Mtime | None = None) -> tuple[Entry, Block]:
    """Make a symlink; its permissions mean nothing and are not kept."""
    message = UnixFSData(DataType.SYMLINK, target).with_metadata(None, mtime)
    block = profile.block(dag_pb.join([], message.serialize()))
    return Entry(block.cid, len(target), len(block.data), Kind.SYMLINK, None, mtime), block


class _Collected:
    """Keeps the blocks of a file that is read on a thread which may not call the store."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def put(self, blocks: Iterable[Block]) -> None:
        self.blocks += blocks


def _read_whole(reader: FileReader, file: Opened) -> tuple[Entry, list[Block]]:
    """Read a file of a few mebibytes on a hashing thread."""
    collected = _Collected()
    entry, blocks = reader.read(file, collected, None, _uncounted)
    return entry, collected.blocks + blocks


def _uncounted(_: int) -> None:
    """Count nothing: whoever takes the file back does."""


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """Give errors that do not know their path this one."""
    try:
        yield
    except (OSError, Refused) as error:
        raise failed(path, error) from error
