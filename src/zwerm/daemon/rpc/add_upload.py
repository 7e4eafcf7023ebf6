"""Adding what is uploaded: parts in the order they come, folders made of their names.

A folder is finished when the next part lies outside of it; should a later part go into it again, it is opened again. So
memory does not grow with what was uploaded in the usual order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.rpc.add import AddPlan, event, keep
from zwerm.daemon.rpc.body import Body, Part, PartKind
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context
from zwerm.ipfs.unixfs.batch import BlockBatch
from zwerm.ipfs.unixfs.directory import DirectoryBuilder, DirectoryWriter

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.data import Mtime
    from zwerm.ipfs.unixfs.entry import Entry
    from zwerm.multiformats.cid import CID

MAX_DEPTH: Final = 256  # folders inside each other
_REPORT: Final = 0.2  # seconds between two progress items of a file
_RELEASE: Final = 1.0  # seconds between two syncs for the sake of telling what was added
_LINK: Final = 4096  # bytes of a symbolic link's target


class _Folder:
    """A folder that parts go into now."""

    def __init__(self, name: str, builder: DirectoryWriter | DirectoryBuilder) -> None:
        self.name = name
        self.builder = builder
        self.names: set[str] = set()
        self.folders: dict[str, Entry] = {}  # finished ones below, entered when this one is finished


class UploadAdder:
    """One `add` of an upload."""

    def __init__(self, context: Context, plan: AddPlan, body: Body) -> None:
        from zwerm.ipfs.unixfs.builder import NoStore

        self._context = context
        self._plan = plan
        self._body = body
        self._sink = BlockBatch(NoStore() if plan.only_hash else context.node.store)
        self._roots: list[tuple[str, Entry]] = []
        self._root_folders: dict[str, int] = {}  # where finished folders stand among the roots
        self._stack: list[_Folder] = []
        self._folders: dict[str, Entry] = {}  # below the roots; told at the end, as one may be opened again
        self._finished: list[tuple[str, Entry]] = []  # not told yet
        self._released = 0.0

    async def run(self) -> AsyncIterator[dict[str, Any]]:
        """Yield events; every address in them is durable, every root kept."""
        try:
            async for told in self._add():
                yield told
        finally:
            for folder in self._stack:  # what was broken off: their temporary files
                if isinstance(folder.builder, DirectoryWriter):
                    folder.builder.close()

    async def _add(self) -> AsyncIterator[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        self._released = loop.time()
        empty = True
        async for part in self._body.parts():
            empty = False
            async for told in self._take(part):
                yield told
            if self._finished and loop.time() - self._released >= _RELEASE:
                for told in await self._release():
                    yield told
        if empty:
            raise CommandError("expected a file argument")
        await self._leave(0)
        plan = self._plan
        roots = self._roots
        self._finished += [*self._folders.items(), *roots]
        if plan.wrap:
            roots = [("", await self._wrapper())]
            self._finished += roots
        await asyncio.to_thread(self._sink.flush)
        await keep(self._context, plan, roots)
        for told in await self._release(synced=True):
            yield told
        if plan.quieter and not plan.silent:
            for name, entry in roots:
                yield event(self._context, plan, name, entry)

    async def _take(self, part: Part) -> AsyncIterator[dict[str, Any]]:
        parents, name = _path(part)
        if part.kind is PartKind.DIRECTORY:
            await self._enter([*parents, name] if name else parents, part)
            return
        await self._enter(parents, None)
        if part.kind is PartKind.SYMLINK:
            entry = self._symlink(await part.read(_LINK), part)
        else:
            counter = _Counter(part)
            work = asyncio.ensure_future(self._file(part, counter))
            try:
                if self._plan.progress:
                    while not (await asyncio.wait([work], timeout=_REPORT))[0]:
                        yield {"Name": part.name, "Bytes": counter.size}
                entry = await work
            finally:
                if not work.done():
                    work.cancel()
                    await asyncio.wait([work])
            if self._plan.progress:
                yield {"Name": part.name, "Bytes": counter.size}
        await self._place(name, entry)
        if self._sink.is_full:
            await asyncio.to_thread(self._sink.flush)

    async def _file(self, part: Part, counter: _Counter) -> Entry:
        from zwerm.node.importing import add_stream

        mode, mtime = self._metadata(part)
        node, profile = self._context.node, self._plan.profile
        return await add_stream(node, counter.chunks(), self._sink, profile, mode=mode, mtime=mtime)

    def _metadata(self, part: Part | None) -> tuple[int | None, Mtime | None]:
        from zwerm.ipfs.unixfs.data import Mtime

        mode = self._plan.mode if part is None or part.mode is None else part.mode
        mtime = self._plan.mtime if part is None or part.mtime is None else part.mtime
        return mode, Mtime(*mtime) if mtime is not None else None

    def _symlink(self, target: bytes, part: Part) -> Entry:
        from zwerm.ipfs.unixfs.importer import symlink

        entry, block = symlink(self._plan.profile, target, self._metadata(part)[1])
        with self._sink.gathering():
            self._sink.put([block])
        return entry

    async def _enter(self, path: list[str], part: Part | None) -> None:
        """Make `path` the folder that parts go into; folders that are left are finished."""
        common = 0
        while common < min(len(path), len(self._stack)) and self._stack[common].name == path[common]:
            common += 1
        await self._leave(common)
        for name in path[common:]:
            if len(self._stack) >= MAX_DEPTH:
                raise CommandError(f"more than {MAX_DEPTH} folders inside each other")
            announced = part if len(self._stack) + 1 == len(path) else None
            self._stack.append(await self._open(name, announced))

    async def _open(self, name: str, part: Part | None) -> _Folder:
        before: CID | None = None
        if self._stack:
            above = self._stack[-1]
            finished = above.folders.pop(name, None)
            before = finished.cid if finished is not None else await self._reopened(above, name)
            if before is None and name in above.names:
                raise CommandError(f"{name!r} is a file and a folder in one upload")
        elif name in self._root_folders:
            before = self._roots.pop(self._root_folders.pop(name))[1].cid
            self._root_folders = {root: at for at, (root, _) in enumerate(self._roots) if root in self._root_folders}
        if before is None:
            mode, mtime = self._metadata(part)
            return _Folder(name, DirectoryWriter(self._sink, self._plan.profile, mode=mode, mtime=mtime))
        if self._plan.only_hash:
            raise CommandError(f"folder {name!r} comes twice; with --only-hash its parts have to come together")
        await asyncio.to_thread(self._sink.flush)
        return _Folder(name, await DirectoryBuilder.open(self._context.node.source, before, self._plan.profile))

    async def _reopened(self, folder: _Folder, name: str) -> CID | None:
        """What a folder that was opened again has under a name from before."""
        if not isinstance(folder.builder, DirectoryBuilder) or name in folder.names:
            return None
        entry = await folder.builder.lookup(name)
        return entry.cid if entry is not None else None

    async def _leave(self, depth: int) -> None:
        while len(self._stack) > depth:
            folder = self._stack.pop()
            path = "/".join([*(above.name for above in self._stack), folder.name])
            entry = await self._finish(folder)
            if not (folder.names or folder.folders or self._plan.empty_dirs):
                continue
            if self._stack:
                self._folders.pop(path, None)
                self._folders[path] = entry
                self._stack[-1].folders[folder.name] = entry
            else:
                self._root_folders[folder.name] = len(self._roots)
                self._roots.append((folder.name, entry))

    async def _finish(self, folder: _Folder) -> Entry:
        builder = folder.builder
        for name, entry in folder.folders.items():
            if isinstance(builder, DirectoryWriter):
                with self._sink.gathering():
                    builder.add(name, entry.cid, entry.total_size)
            else:
                await builder.set(name, entry.cid, entry.total_size)
        if isinstance(builder, DirectoryWriter):
            return await asyncio.to_thread(builder.finish)
        return await asyncio.to_thread(builder.finish, self._sink)

    async def _place(self, name: str, entry: Entry) -> None:
        if not self._stack:
            self._roots.append((name or str(entry.cid), entry))
            return
        folder = self._stack[-1]
        if name in folder.names or name in folder.folders or await self._reopened(folder, name) is not None:
            raise CommandError(f"{name!r} comes twice in one folder")
        folder.names.add(name)
        if isinstance(folder.builder, DirectoryWriter):
            with self._sink.gathering():
                folder.builder.add(name, entry.cid, entry.total_size)
        else:
            await folder.builder.set(name, entry.cid, entry.total_size)
        self._finished.append(("/".join([*(above.name for above in self._stack), name]), entry))

    async def _wrapper(self) -> Entry:
        writer = DirectoryWriter(self._sink, self._plan.profile)
        with self._sink.gathering():
            for name, entry in dict(self._roots).items():
                writer.add(name, entry.cid, entry.total_size)
        return await asyncio.to_thread(writer.finish)

    async def _release(self, *, synced: bool = False) -> list[dict[str, Any]]:
        """Return what is to be told, once it is durable."""
        finished, self._finished = self._finished, []
        if self._plan.silent or self._plan.quieter:
            return []
        if not synced and not self._plan.only_hash:
            await asyncio.to_thread(self._sink.flush)
            await asyncio.to_thread(self._context.node.store.sync)
        self._released = asyncio.get_running_loop().time()
        return [event(self._context, self._plan, name, entry) for name, entry in finished]


class _Counter:
    """Counts the bytes of a part as they pass."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self.size = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._part.chunks:
            self.size += len(chunk)
            yield chunk


def _path(part: Part) -> tuple[list[str], str]:
    """Take the name of a part apart; one at the root of a file system means one at the root of the upload.

    Raises:
        CommandError: it leads out of the upload, or no folder can hold it.
    """
    names = [name for name in part.name.split("/") if name not in ("", ".")]
    if ".." in names:
        raise CommandError(f"the name {part.name[:200]!r} leads out of what is uploaded")
    if "\0" in part.name:
        raise CommandError(f"the name {part.name[:200]!r} has a NUL in it")
    if len(names) > MAX_DEPTH:
        raise CommandError(f"the name {part.name[:200]!r} lies in more than {MAX_DEPTH} folders")
    return (names[:-1], names[-1]) if names else ([], "")
