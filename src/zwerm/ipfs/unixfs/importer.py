"""From the disk: files, folders and symlinks become blocks, in bounded memory whatever lies there.

A folder's files are read while it is scanned, then its folders one by one; names are never listed all at once. Small
files are read, hashed and put on the calling thread, in batches: handing each to another would cost more than the
hashing. Large ones go through `FileBuilder` and its threads.
"""

from __future__ import annotations

import contextlib
import enum
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.unixfs import chunker
from zwerm.ipfs.unixfs.builder import BlockSink, FileBuilder, leaves, only_leaf, put
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.directory.bulk import SPILL, DirectoryWriter
from zwerm.ipfs.unixfs.directory.hamt import name_bytes
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.errors import FileChanged, ImportFailed
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.ignore import IgnoreRules
from zwerm.ipfs.unixfs.profile import DEFAULT, Layout, Profile

_BATCH_BLOCKS: Final = 256
_BATCH_BYTES: Final = 4 * 1024 * 1024
_REPORT_BYTES: Final = 1024 * 1024  # bytes between two calls of `progress`
_REPORT_FILES: Final = 64
_PIECE: Final = 1024 * 1024  # bytes read at once from what has no known size

_LEAST_SPILL: Final = 256 * 1024  # bytes; folders below others share what `SPILL` allows

_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe in the place of a file must not make us wait

Progress = Callable[[int, int], None]  # bytes and files read so far
OnEntry = Callable[[str, Entry], None]  # a path below the added one ("" for itself) and what it became


class Follow(enum.Enum):
    """Which symlinks stand for what they point to; others are added as symlinks."""

    NOTHING = "nothing"
    ARGUMENT = "argument"  # the path that was given, Kubo's --dereference-args
    EVERYTHING = "everything"


class _Selection(NamedTuple):
    """What of a folder is taken."""

    hidden: bool
    ignore: IgnoreRules | None
    follow: Follow


class _Batch:
    """Gathers blocks, so that the store is called seldom."""

    def __init__(self, store: BlockSink) -> None:
        self._store = store
        self._blocks: list[Block] = []
        self._size = 0

    def put(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._blocks.append(block)
            self._size += len(block.data)
        if self._size >= _BATCH_BYTES or len(self._blocks) >= _BATCH_BLOCKS:
            self.flush()

    def flush(self) -> None:
        blocks = self._blocks
        self.clear()
        if blocks:
            self._store.put(blocks)

    def clear(self) -> None:
        self._blocks, self._size = [], 0


class Importer:
    """Adds what lies on the disk. Synchronous: call it from a worker thread, one at a time.

    `progress` is called about every mebibyte and every 64 files, `on_entry` after every file, folder and symlink; an
    exception from either ends the work and passes through, which is how to cancel. After any exception the blocks
    that were put are garbage in the store. Everything is in the store when a method returns, and durable after the
    store's next `sync`.
    """

    def __init__(
        self,
        store: BlockSink,
        profile: Profile = DEFAULT,
        *,
        hashers: Hashers | None = None,
        progress: Progress | None = None,
        on_entry: OnEntry | None = None,
    ) -> None:
        self.profile = profile
        self.hashers = hashers
        self.on_entry = on_entry
        self._progress = progress
        self._batch = _Batch(store)
        self._bytes = 0
        self._files = 0
        self._reported = (0, 0)

    def add_file(self, pieces: Iterable[bytes], *, mode: int | None = None, mtime: Mtime | None = None) -> Entry:
        """Add one file from its bytes in order; an open binary file is read by `iter(partial(f.read, 2**20), b"")`."""
        try:
            builder = FileBuilder(self._batch, self.profile, hashers=self.hashers, mode=mode, mtime=mtime)
            for piece in pieces:
                builder.write(piece)
                self.count(len(piece), 0)
            entry = builder.finish()
            self._batch.flush()
        finally:
            self._batch.clear()
        self.count(0, 1, end=True)
        if self.on_entry is not None:
            self.on_entry("", entry)
        return entry

    def add_path(
        self,
        path: str | os.PathLike[str],
        *,
        recursive: bool = True,
        hidden: bool = False,
        ignore: IgnoreRules | None = None,
        follow: Follow = Follow.NOTHING,
    ) -> Entry:
        """Add a file, a symlink, or a folder with all that is in it.

        Names in a folder that begin with a dot are left out unless `hidden`, and so is what `ignore` matches.

        Raises:
            ImportFailed: something cannot be read, is neither file, folder nor symlink, or is a folder though not
                `recursive`; the message names it.
            FileChanged: a file changed each time it was read.
            ResourceLimitError: the store's quota is reached.
        """
        try:
            entry = _Walk(self, self._batch, os.fspath(path), _Selection(hidden, ignore, follow)).add(
                recursive=recursive
            )
            self._batch.flush()
        finally:
            self._batch.clear()
        self.count(0, 0, end=True)
        return entry

    def count(self, size: int, files: int, *, end: bool = False) -> None:
        """Report that so much more was read, when it is time to."""
        self._bytes += size
        self._files += files
        if self._progress is None:
            return
        due = self._bytes - self._reported[0] >= _REPORT_BYTES or self._files - self._reported[1] >= _REPORT_FILES
        if due or (end and self._reported != (self._bytes, self._files)):
            self._reported = (self._bytes, self._files)
            self._progress(self._bytes, self._files)


class _Folder(NamedTuple):
    """A folder whose own files are done and whose folders are being walked."""

    path: str
    relative: str
    name: str
    identity: tuple[int, int]  # device and inode
    writer: DirectoryWriter
    folders: list[str]  # names still to come, the next one last


class _Walk:
    """One call of `add_path`."""

    def __init__(self, importer: Importer, sink: _Batch, path: str, select: _Selection) -> None:
        self._importer = importer
        self._profile = importer.profile
        self._sink = sink
        self._root = path
        self._select = select
        self._small = chunker.sure_size(self._profile.chunker) if self._profile.layout is Layout.BALANCED else -1
        self._names_wanted = select.ignore is not None or importer.on_entry is not None

    def add(self, *, recursive: bool) -> Entry:
        follow = self._select.follow is not Follow.NOTHING
        with _named(self._root):
            status = os.stat(self._root, follow_symlinks=follow)
            if stat.S_ISREG(status.st_mode):
                entry = self._regular(self._root, None, follow=follow)
            elif stat.S_ISLNK(status.st_mode):
                entry = self._symlink(self._root, None)
            elif not stat.S_ISDIR(status.st_mode):
                raise _special(status)
            elif not recursive:
                raise ImportFailed(f"{self._root} is a folder; add it recursively to take all that is in it")
            else:
                return self._folders()
        self._done("", entry)
        return entry

    def _folders(self) -> Entry:
        """Add the root folder: each folder's files, then its folders, without recursion of Python's."""
        stack: list[_Folder] = []
        try:
            self._enter(stack, self._root, "", "", follow=self._select.follow is not Follow.NOTHING)
            while True:
                folder = stack[-1]
                if folder.folders:
                    name = folder.folders.pop()
                    relative = f"{folder.relative}/{name}" if folder.relative else name
                    follow = self._select.follow is Follow.EVERYTHING
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
            descriptor = os.open(path, _OPEN | os.O_DIRECTORY | (0 if follow else os.O_NOFOLLOW))
            try:
                status = os.fstat(descriptor)
                identity = (status.st_dev, status.st_ino)
                if any(folder.identity == identity for folder in stack):
                    raise ImportFailed(
                        f"{path} is a symlink to a folder that it lies in; add without following symlinks"
                    )
                mode, mtime = self._metadata(status)
                spill = max(SPILL >> len(stack), _LEAST_SPILL)
                writer = DirectoryWriter(self._sink, self._profile, mode=mode, mtime=mtime, spill=spill)
                folder = _Folder(path, relative, name, identity, writer, [])
                stack.append(folder)
                with os.scandir(descriptor) as found:
                    for entry in found:
                        if self._select.hidden or not entry.name.startswith("."):
                            self._found(folder, descriptor, entry)
            finally:
                os.close(descriptor)
        folder.folders.sort(reverse=True)

    def _found(self, folder: _Folder, descriptor: int, found: os.DirEntry[str]) -> None:
        """Add what a folder holds, or put it on its list when it is a folder itself."""
        name = found.name
        follow = self._select.follow is Follow.EVERYTHING
        relative = ""
        if self._names_wanted:
            relative = f"{folder.relative}/{name}" if folder.relative else name
            ignore = self._select.ignore
            if ignore is not None and ignore.match(relative, is_directory=found.is_dir(follow_symlinks=follow)):
                return
        try:
            if found.is_file(follow_symlinks=follow):
                entry = self._regular(name, descriptor, follow=follow)
            elif found.is_dir(follow_symlinks=follow):
                folder.folders.append(name)
                return
            elif found.is_symlink() and not follow:
                entry = self._symlink(name, descriptor)
            else:
                raise _special(os.stat(name, dir_fd=descriptor, follow_symlinks=follow))
            folder.writer.add(name, entry.cid, entry.total_size)
        except (OSError, _Refused) as error:
            raise _failed(os.path.join(folder.path, name), error) from error
        self._done(relative, entry)

    def _regular(self, name: str, directory: int | None, *, follow: bool) -> Entry:
        """Add a regular file; when it changes meanwhile, once more."""
        for _ in range(2):
            descriptor = os.open(name, _OPEN if follow else _OPEN | os.O_NOFOLLOW, dir_fd=directory)
            try:
                before = os.fstat(descriptor)
                if not stat.S_ISREG(before.st_mode):
                    raise _special(before)
                entry, blocks = self._contents(descriptor, before)
                after = os.fstat(descriptor)
            except FileChanged:
                continue
            finally:
                os.close(descriptor)
            if before.st_mtime_ns == after.st_mtime_ns and before.st_size == after.st_size:
                put(self._sink, self._profile, blocks)
                self._importer.count(entry.size if blocks else 0, 1)
                return entry
        raise _Refused("it changed each time it was read; add it when nobody writes to it", FileChanged)

    def _contents(self, descriptor: int, status: os.stat_result) -> tuple[Entry, list[Block]]:
        """Read an open file; return the block of a small one, which is not put yet."""
        size = status.st_size
        mode, mtime = self._metadata(status)
        if size <= self._small:
            data = os.read(descriptor, size + 1)
            if len(data) == size:
                (leaf,) = leaves(self._profile, [data])
                if mode is not None or mtime is not None:
                    leaf = only_leaf(self._profile, leaf, mode, mtime)
                return Entry(leaf.block.cid, size, len(leaf.block.data), Kind.FILE, mode, mtime), [leaf.block]
            if size:
                raise FileChanged(f"{len(data)} bytes were read of {size}")
            if data:
                os.lseek(descriptor, 0, os.SEEK_SET)
        builder = FileBuilder(self._sink, self._profile, hashers=self._importer.hashers, mode=mode, mtime=mtime)
        if size:
            builder.write_descriptor(descriptor, size, on_bytes=self._count_bytes)
        else:  # empty, or a file that only its reader learns the size of, as below /proc
            while data := os.read(descriptor, _PIECE):
                builder.write(data)
                self._count_bytes(len(data))
        return builder.finish(), []

    def _symlink(self, name: str, directory: int | None) -> Entry:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        target = name_bytes(os.readlink(name, dir_fd=directory))
        entry, block = symlink(self._profile, target, self._metadata(status)[1])
        put(self._sink, self._profile, [block])
        self._importer.count(0, 1)
        return entry

    def _metadata(self, status: os.stat_result) -> tuple[int | None, Mtime | None]:
        mode = stat.S_IMODE(status.st_mode) if self._profile.keep_mode else None
        return mode, Mtime.from_nanoseconds(status.st_mtime_ns) if self._profile.keep_mtime else None

    def _count_bytes(self, size: int) -> None:
        self._importer.count(size, 0)

    def _done(self, relative: str, entry: Entry) -> None:
        if self._importer.on_entry is not None:
            self._importer.on_entry(relative, entry)


class _Refused(Exception):
    """Why something is not added, before it is known under which path it was met."""

    def __init__(self, reason: str, kind: type[ImportFailed] = ImportFailed) -> None:
        super().__init__(reason)
        self.kind = kind


def symlink(profile: Profile, target: bytes, mtime: Mtime | None = None) -> tuple[Entry, Block]:
    """Make a symlink; its permissions mean nothing and are not kept."""
    message = UnixFSData(DataType.SYMLINK, target).with_metadata(None, mtime)
    block = profile.block(dag_pb.join([], message.serialize()))
    return Entry(block.cid, len(target), len(block.data), Kind.SYMLINK, None, mtime), block


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """Give errors that do not know their path this one."""
    try:
        yield
    except (OSError, _Refused) as error:
        raise _failed(path, error) from error


def _failed(path: str, error: OSError | _Refused) -> ImportFailed:
    kind = error.kind if isinstance(error, _Refused) else ImportFailed
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return kind(f"cannot add {path}: {reason[:1].lower()}{reason[1:]}")


def _special(status: os.stat_result) -> _Refused:
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFLNK: "a symlink that was a file a moment ago",
    }
    kind = kinds.get(stat.S_IFMT(status.st_mode), "of no known kind")
    return _Refused(f"it is {kind}; only files, folders and symlinks can be added")
