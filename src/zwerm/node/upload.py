"""A tree of files that arrives as streams: blocks are made as they come, names are put among the files at the end.

Small files are gathered and given to a thread together, because handing over each would cost more than hashing it;
large ones stream. Nothing is visible before `place`, which is one change set with one version; an upload that breaks
off leaves only garbage. The caller keeps a hold of the store from before the first file until `place` has returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.core.errors import ResourceLimitError
from zwerm.ipfs.mfs.errors import BadPath, FileExists
from zwerm.ipfs.mfs.journal import Change
from zwerm.ipfs.mfs.path import FilePath, check_name
from zwerm.ipfs.unixfs.builder import FileBuilder
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.entry import Entry
from zwerm.node.importing import add_stream
from zwerm.node.merge import Tree, directory_or_none, insert, merge

if TYPE_CHECKING:
    from zwerm.node.node import Node

MAX_FILES: Final = 250_000  # in one upload; each takes some hundred bytes of memory until the end

_SMALL: Final = 262_144  # bytes of a file that is gathered with others
_GATHER: Final = 2 * 1024 * 1024  # bytes, and
_GATHER_FILES: Final = 256  # files gathered before a thread takes them
_MANY: Final = 200  # names in the target that are changed one by one, and so listed in the version


class Uploaded(NamedTuple):
    """A file or directory of the upload."""

    path: tuple[str, ...]  # below the place it goes to
    entry: Entry


class _Waiting(NamedTuple):
    """A small file that is not blocks yet."""

    path: tuple[str, ...]
    data: bytes
    mode: int | None
    mtime: Mtime | None


def relative_path(text: str) -> tuple[str, ...]:
    """Read the relative path that a client gave a file.

    Raises:
        BadPath: absolute, with `..`, `.` or an empty part, or with a name that no file may have.
    """
    parts = tuple(text.split("/"))
    for part in parts:
        try:
            check_name(part)
        except BadPath as error:
            raise BadPath(f"{text[:200]!r} is not a path inside the upload: {error}") from None
    return parts


class Upload:
    """One upload. Add everything, then `place` it once."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._profile = node.import_profile()
        self._waiting: list[_Waiting] = []
        self._waiting_size = 0
        self._made: list[Uploaded] = []
        self._directories: list[tuple[str, ...]] = []
        self._count = 0
        self.size = 0  # bytes of files so far
        self.placed: list[str] = []  # the names that `place` put into the target

    @property
    def files(self) -> int:
        """Files so far."""
        return self._count - len(self._directories)

    async def add_file(
        self,
        path: tuple[str, ...],
        chunks: AsyncIterable[bytes],
        *,
        mode: int | None = None,
        mtime: Mtime | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Take a file in; return when its bytes were read.

        Raises:
            ResourceLimitError: the quota, or more than `MAX_FILES`.
            StorageError: the disk is full or failed. Whatever `chunks` raises goes through.
        """
        self._more()
        stream = chunks.__aiter__()
        head = bytearray()
        async for chunk in stream:
            head += chunk
            if len(head) > _SMALL:
                break
        else:
            self.size += len(head)
            if progress is not None:
                progress(len(head))
            await self._gather(_Waiting(path, bytes(head), mode, mtime))
            return

        async def all_of_it() -> AsyncIterable[bytes]:
            yield bytes(head)
            async for chunk in stream:
                yield chunk

        entry = await add_stream(
            self._node, all_of_it(), self._node.store, self._profile, mode=mode, mtime=mtime, progress=progress
        )
        self.size += entry.size
        self._made.append(Uploaded(path, entry))

    def add_directory(self, path: tuple[str, ...]) -> None:
        """Take a directory in, which may stay empty; those that files lie in need not be named."""
        self._more()
        self._directories.append(path)

    async def finish(self) -> list[Uploaded]:
        """Make blocks of what was gathered; return all files."""
        await self._build()
        return self._made

    async def place(self, target: FilePath, *, conflict: str = "replace", message: str | None = None) -> Change:
        """Put everything below `target`, in one change set.

        Args:
            target: a directory; made when it does not exist.
            conflict: `replace` files that are there, `rename` what comes at the top, or `fail`.
            message: the words that go with the version.

        Raises:
            FileExists: `fail`, and something is there. Nothing was changed.
        """
        tree: Tree = {}
        for uploaded in await self.finish():
            insert(tree, uploaded.path, uploaded.entry)
        for path in self._directories:
            insert(tree, path, None)
        names = await self._top_names(target, tree, conflict)
        self.placed = list(names.values())
        node, files = self._node, self._node.files
        await files.flush()  # what waits in memory only could not be read
        before = node.history.head
        async with files.batch(message):
            await files.mkdir(str(target), parents=True)
            renamed = {names[name]: below for name, below in tree.items()}
            if len(renamed) > _MANY:
                whole = await merge(node, self._profile, (await files.stat(str(target))).cid, renamed)
                await files.place(str(target), whole.cid)
            else:
                for name, below in renamed.items():
                    await self._place_one(target.child(name), below)
        head = node.history.head
        return Change(await files.root(), head if head != before else None)

    async def _place_one(self, path: FilePath, below: Entry | Tree) -> None:
        node = self._node
        if not isinstance(below, Entry):
            known = (await node.files.stat(str(path))).cid if await node.files.exists(str(path)) else None
            below = await merge(node, self._profile, await directory_or_none(node, known), below)
        await node.files.place(str(path), below.cid)

    async def _top_names(self, target: FilePath, tree: Tree, conflict: str) -> dict[str, str]:
        """Return under which name each top entry of the upload goes into the target."""
        if conflict == "replace":
            return {name: name for name in tree}
        names: dict[str, str] = {}
        for name in tree:
            free = name
            number = 2
            while free in names.values() or await self._node.files.exists(str(target.child(free))):
                if conflict == "fail":
                    raise FileExists(f"{target.child(name)} exists already")
                free = _numbered(name, number)
                number += 1
            names[name] = free
        return names

    def _more(self) -> None:
        self._count += 1
        if self._count > MAX_FILES:
            raise ResourceLimitError(f"more than {MAX_FILES} files in one upload; send them in several")

    async def _gather(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._waiting_size += len(waiting.data)
        if self._waiting_size >= _GATHER or len(self._waiting) >= _GATHER_FILES:
            await self._build()

    async def _build(self) -> None:
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        if waiting:
            self._made += await asyncio.to_thread(self._build_now, waiting)

    def _build_now(self, waiting: list[_Waiting]) -> list[Uploaded]:
        made = []
        for path, data, mode, mtime in waiting:
            builder = FileBuilder(self._node.store, self._profile, mode=mode, mtime=mtime)
            builder.write(data)
            made.append(Uploaded(path, builder.finish()))
        return made


def _numbered(name: str, number: int) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem} ({number}){dot}{ending}" if stem else f"{name} ({number})"
