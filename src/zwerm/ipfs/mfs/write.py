"""`files write` in two steps: take the data in while others work on, then change the tree in a moment.

A new file is built completely before the lock is asked for. Bytes that go into an existing file are gathered first,
in memory if they are few, else as a temporary file in the store; so a caller who sends slowly holds up nobody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import NamedTuple, Protocol

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.mfs.edit import FileEdit
from zwerm.ipfs.mfs.errors import FileMissing, NotAFile
from zwerm.ipfs.mfs.journal import ChangeKind, Outcome
from zwerm.ipfs.mfs.operations import existing, kind_of, nearest_directory, place
from zwerm.ipfs.mfs.path import FilePath, check_name
from zwerm.ipfs.mfs.tree import Found, Tree
from zwerm.ipfs.mfs.workspace import Workspace
from zwerm.ipfs.mfs.writer import BATCH, MAX_FILE, FileFactory, FileWriter, profile_of_file
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.ipfs.unixfs.reader import open_file, stat
from zwerm.multiformats.cid import CID

Data = bytes | AsyncIterable[bytes]


class Plan(NamedTuple):
    """How the data of a write is to be taken."""

    profile: Profile
    mode: int | None
    mtime: Mtime | None
    new: bool  # the file is made, or emptied: nothing of what is there remains


class Ready(Protocol):
    """A write whose data is here."""

    async def apply(self, tree: Tree, root: CID) -> Outcome:
        """Return the root with the write in it. Errors as `Files.write`."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Write:
    """What was asked for."""

    path: FilePath
    offset: int = 0
    count: int | None = None
    create: bool = False
    truncate: bool = False
    parents: bool = False
    raw_leaves: bool | None = None
    profile: Profile | None = None  # for a new file; None: as the directory it is in

    def check(self) -> None:
        """Refuse numbers that make no sense."""
        if self.offset < 0:
            raise LocalProtocolError("cannot have negative write offset")
        if self.offset > MAX_FILE:
            raise LocalProtocolError(f"offset {self.offset}, expected at most {MAX_FILE}")
        if self.count is not None and self.count < 0:
            raise LocalProtocolError("cannot have negative byte count")

    async def plan(self, tree: Tree, root: CID, now: Mtime) -> Plan:
        """Look at what is there, and say how the data is to be taken. What `root` does not allow is refused."""
        before = await self.target(tree, root)
        if before is not None and not self.truncate:
            return Plan(profile_of_file(tree.profile, before.cid, raw_leaves=self.raw_leaves), None, None, new=False)
        like = before.cid if before is not None else await nearest_directory(tree, root, self.path)
        profile = self.profile_like(tree, like, new=before is None)
        return Plan(profile, *await _metadata(tree.workspace, before, now), new=True)

    async def prepare(
        self, plan: Plan, source: BlockSource, data: Data, store: Blockstore, hashers: Hashers | None, now: Mtime
    ) -> Ready:
        """Take the data in."""
        if plan.new and self.offset == 0:
            factory = FileFactory(Workspace(source), store, plan.profile, hashers)
            async with aclosing(_limited(data, self.count)) as stream:
                child = await factory.build(stream, plan.mode, plan.mtime)
            return _NewFile(self, Found(child.cid, child.total_size), factory.workspace)
        gathered: list[bytes] = []
        size = 0
        async with aclosing(_limited(data, self.count)) as stream:
            async for piece in stream:
                gathered.append(piece)
                size += len(piece)
                if size > BATCH:
                    factory = FileFactory(Workspace(source), store, plan.profile, hashers)
                    spooled = await factory.build(_chained(gathered, stream))
                    return _Patch(self, store, now, [], (spooled.cid, factory.workspace))
        return _Patch(self, store, now, gathered, None)

    async def target(self, tree: Tree, root: CID) -> Found | None:
        """Return the file in this tree, or None when it is missing and may be made. Errors as `Files.write`."""
        if not self.path.segments:
            raise NotAFile("/ was not a file")
        found = await tree.find(root, self.path.segments)
        if found is not None:
            if await kind_of(tree.workspace, found.cid) is not Kind.FILE:
                raise NotAFile(f"{self.path} was not a file")
            return found
        if not self.create or self.path.directory:
            raise FileMissing
        for name in self.path.segments:
            check_name(name)
        if not self.parents:
            await existing(tree, root, self.path.parent)
        return None

    def profile_like(self, tree: Tree, like: CID, *, new: bool) -> Profile:
        """Return how the file is made: as asked for if it is new, else as the file or directory `like` was."""
        if new and self.profile is not None:
            like = self.profile.block(b"").cid
        return profile_of_file(tree.profile, like, raw_leaves=self.raw_leaves)


@dataclasses.dataclass(frozen=True, slots=True)
class _NewFile:
    """A file that is built and waits for its place."""

    write: Write
    found: Found
    workspace: Workspace  # its blocks, as far as they are not in the store

    async def apply(self, tree: Tree, root: CID) -> Outcome:
        await self.write.target(tree, root)  # the tree may be another by now
        tree.workspace.put(self.workspace.all())
        return await place(tree, root, self.write.path, self.found, parents=self.write.parents)


@dataclasses.dataclass(frozen=True, slots=True)
class _Patch:
    """Bytes to be written into a file."""

    write: Write
    store: Blockstore
    now: Mtime
    gathered: list[bytes]
    spooled: tuple[CID, Workspace] | None  # instead of `gathered`: a temporary file

    async def apply(self, tree: Tree, root: CID) -> Outcome:
        write, workspace = self.write, tree.workspace
        plan = await write.plan(tree, root, self.now)
        start = _empty_file(workspace, plan) if plan.new else (await existing(tree, root, write.path)).cid
        writer = FileWriter(await FileEdit.open(workspace, plan.profile, start), self.store, plan.profile, write.offset)
        async with aclosing(self._data()) as stream:
            async for piece in stream:
                await writer.write(piece)
        child = await writer.finish(self.now)
        workspace.put(writer.take())
        return await place(tree, root, write.path, Found(child.cid, child.total_size), parents=write.parents)

    async def _data(self) -> AsyncGenerator[bytes, None]:
        for piece in self.gathered:
            yield piece
        if self.spooled is not None:
            cid, workspace = self.spooled
            async for piece in (await open_file(workspace, cid)).stream():
                yield piece


@dataclasses.dataclass(frozen=True, slots=True)
class Resize:
    """`truncate(2)`: cut a file off, or fill it up with zeros."""

    path: FilePath
    size: int
    now: Mtime

    async def apply(self, tree: Tree, root: CID) -> Outcome:
        """Return the root with the file in its new size."""
        before = await Write(self.path).target(tree, root)
        if before is None:
            raise FileMissing
        profile = profile_of_file(tree.profile, before.cid)
        edit = await FileEdit.open(tree.workspace, profile, before.cid)
        changed = edit.size != self.size
        if self.size < edit.size:
            await edit.truncate(self.size)
        else:
            await edit.append_hole(self.size - edit.size)
        child = await edit.finish(self.now if changed else None)
        tree.workspace.put(edit.fresh.values())
        found = Found(child.cid, child.total_size)
        return await place(tree, root, self.path, found, parents=False, kind=ChangeKind.CHANGED)


async def _metadata(source: BlockSource, before: Found | None, now: Mtime) -> tuple[int | None, Mtime | None]:
    """Return what a file that is emptied keeps: its permissions, and that it has a time at all."""
    if before is None:
        return None, None
    found = await stat(source, before.cid)
    return found.mode, now if found.mtime is not None else None


def _empty_file(workspace: Workspace, plan: Plan) -> CID:
    message = UnixFSData(DataType.FILE, filesize=0, mode=plan.mode, mtime=plan.mtime)
    block = plan.profile.block(dag_pb.join([], message.serialize()))
    workspace.put([block])
    return block.cid


async def _limited(data: Data, count: int | None) -> AsyncGenerator[bytes, None]:
    """Yield the data, at most `count` bytes of it."""
    if isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data[:count])
        return
    left = MAX_FILE if count is None else count
    async for piece in data:
        yield bytes(piece[:left])
        left -= len(piece)
        if left <= 0:
            return


async def _chained(first: list[bytes], rest: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    while first:
        yield first.pop(0)
    async for piece in rest:
        yield piece
