"""Reading one regular file from the disk, and noticing when it changes meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final, NamedTuple

from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs import chunker
from zwerm.ipfs.unixfs.builder import BlockSink, FileBuilder, leaves, only_leaf
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.errors import FileChanged, ImportFailed
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.profile import Layout, Profile

OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe in the place of a file must not make us wait
FOLDER: Final = "it is a folder; add it recursively (-r) to take all that is in it"
LOOP: Final = "it is a symlink to a folder that it lies in; add without following symlinks"
_PIECE: Final = 1024 * 1024  # bytes read at once from what has no known size


class Refused(Exception):
    """Why something is not added, before it is known under which path it was met."""

    def __init__(self, reason: str, kind: type[ImportFailed] = ImportFailed) -> None:
        super().__init__(reason)
        self.kind = kind


class Opened(NamedTuple):
    """A regular file that is about to be read."""

    descriptor: int
    status: os.stat_result


def open_regular(name: str, directory: int | None, *, follow: bool) -> Opened:
    """Open a regular file; the caller closes the descriptor.

    Raises:
        Refused: it is something else by now.
        OSError: it cannot be opened.
    """
    descriptor = os.open(name, OPEN if follow else OPEN | os.O_NOFOLLOW, dir_fd=directory)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise special(status)
    except BaseException:
        os.close(descriptor)
        raise
    return Opened(descriptor, status)


class FileReader:
    """Makes entries of open files as a profile says. Any thread."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._one_leaf = chunker.sure_size(profile.chunker) if profile.layout is Layout.BALANCED else -1

    def metadata(self, status: os.stat_result) -> tuple[int | None, Mtime | None]:
        """Return the permissions and time to keep, None for what the profile does not keep."""
        mode = stat.S_IMODE(status.st_mode) if self._profile.keep_mode else None
        return mode, Mtime.from_nanoseconds(status.st_mtime_ns) if self._profile.keep_mtime else None

    def read(
        self, file: Opened, sink: BlockSink, hashers: Hashers | None, on_bytes: Callable[[int], None]
    ) -> tuple[Entry, list[Block]]:
        """Read a file; return what it became, and the block of a file of one leaf, which is the caller's to put.

        Raises:
            FileChanged: it is not what it was when it was opened.
            OSError: it cannot be read.
        """
        descriptor, status = file
        size = status.st_size
        blocks: list[Block] = []
        if size <= self._one_leaf and len(data := os.read(descriptor, size + 1)) == size:
            entry, block = self._only_leaf(data, status)
            blocks.append(block)
            on_bytes(size)
        else:
            entry = self._tree(descriptor, status, sink, hashers, on_bytes)
        after = os.fstat(descriptor)
        if after.st_mtime_ns != status.st_mtime_ns or after.st_size != size:
            raise FileChanged(f"{size} bytes became {after.st_size}")
        return entry, blocks

    def _only_leaf(self, data: bytes, status: os.stat_result) -> tuple[Entry, Block]:
        (leaf,) = leaves(self._profile, [data])
        mode, mtime = self.metadata(status)
        if mode is not None or mtime is not None:
            leaf = only_leaf(self._profile, leaf, mode, mtime)
        return Entry(leaf.block.cid, len(data), len(leaf.block.data), Kind.FILE, mode, mtime), leaf.block

    def _tree(
        self,
        descriptor: int,
        status: os.stat_result,
        sink: BlockSink,
        hashers: Hashers | None,
        on_bytes: Callable[[int], None],
    ) -> Entry:
        mode, mtime = self.metadata(status)
        builder = FileBuilder(sink, self._profile, hashers=hashers, mode=mode, mtime=mtime)
        if status.st_size:
            builder.write_descriptor(descriptor, status.st_size, on_bytes=on_bytes)
        else:  # empty, or a file that only its reader learns the size of, as below /proc
            os.lseek(descriptor, 0, os.SEEK_SET)
            while data := os.read(descriptor, _PIECE):
                builder.write(data)
                on_bytes(len(data))
        return builder.finish()


def failed(path: str | os.PathLike[str], error: OSError | Refused) -> ImportFailed:
    """Return the error that says what cannot be added, and why."""
    kind = error.kind if isinstance(error, Refused) else ImportFailed
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return kind(f"cannot add {os.fspath(path)}: {reason[:1].lower()}{reason[1:]}")


def special(status: os.stat_result) -> Refused:
    """Say why what is neither file, folder nor symlink is not added."""
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFDIR: "a folder that was a file a moment ago",
    }
    kind = kinds.get(stat.S_IFMT(status.st_mode), "of no known kind")
    return Refused(f"it is {kind}; only files, folders and symlinks can be added")
