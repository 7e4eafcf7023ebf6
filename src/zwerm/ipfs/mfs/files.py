"""`Files`: the mutable file system of a node, with the semantics and the sentences of Kubo's `files` commands.

Every call that changes something returns when that is durable, and is one change set with one version in the history.
With `flush=False` it waits in memory for the next call that flushes, for `flush` or for `close`; the collector leaves
it alone meanwhile, a crash loses it. Inside `batch` everything becomes one change set.

Changes happen one after another. Readers take the tree as it is when they start, and keep it: what they read never
mixes two states, and stays readable until they are done whatever is changed, removed or collected meanwhile.

Where this does better than Kubo: a file written with `truncate` is a new file (Kubo leaves an empty leaf in front); a
directory cannot be moved into itself (Kubo loses it); names are checked (`path.py`); unflushed changes need no limit,
since they hold no memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs import metadata, operations
from zwerm.ipfs.mfs.errors import NotADirectory
from zwerm.ipfs.mfs.journal import Change, ChangeKind, Graft, Journal, Outcome
from zwerm.ipfs.mfs.operations import explained, kind_of
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.mfs.reading import FileReading, content_path
from zwerm.ipfs.mfs.tree import Found, Tree, profile_of_directory
from zwerm.ipfs.mfs.working import Batch, Root
from zwerm.ipfs.mfs.workspace import Workspace
from zwerm.ipfs.mfs.write import Data, Resize, Write
from zwerm.ipfs.mfs.writer import MAX_FILE
from zwerm.ipfs.names import NameResolver, NoNames
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.unixfs.reader import stat
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_Operation = Callable[[CID], Awaitable[Outcome]]


class Files(FileReading):
    """The mutable file system. Belongs to one event loop; close it before the store.

    Cancelling a call leaves the tree as it was, or changed as a whole: never between.
    """

    def __init__(
        self,
        database: Database,
        store: Blockstore,
        source: BlockSource,
        profile: Profile = DEFAULT,
        *,
        hashers: Hashers | None = None,
        names: NameResolver | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open the tree of a repository, or begin an empty one. Blocks for the disk.

        Args:
            database: Holds the pointer to the root.
            store: Takes the new blocks.
            source: Where blocks come from, also those that are not here because they were copied lazily.
            profile: How new files and directories are made where the directory they are in does not say.
            hashers: Threads that hash large files.
            names: Resolves /ipns/ paths to copy from.
            clock: Nanoseconds since 1970, for modification times.
        """
        workspace = Workspace(source)
        self._tree = Tree(workspace, profile)
        super().__init__(Root(database, store, workspace, self._tree), store, source, names or NoNames())
        self.profile = profile
        self._hashers = hashers
        self._clock = clock

    # What surrounds the file system.

    @property
    def listeners(self) -> list[Callable[[Change], None]]:
        """Functions that are called on the event loop after each durable change set."""
        return self._root.listeners

    def record_in(self, journal: Journal | None) -> None:
        """Have every change set from now on written down."""
        self._root.journal = journal

    def batch(self, message: str | None = None) -> AbstractAsyncContextManager[Batch]:
        """Make all changes inside the block one change set: durable when it ends, undone when it raises.

        Others wait with their changes until then, and read the tree as it was before.
        """
        return self._root.batch(message)

    async def close(self) -> None:
        """Make durable what waits."""
        await self.flush()

    # Changing.

    async def write(
        self,
        path: str,
        data: Data,
        *,
        offset: int = 0,
        count: int | None = None,
        create: bool = False,
        truncate: bool = False,
        parents: bool = False,
        raw_leaves: bool | None = None,
        cid_version: int | None = None,
        hash_code: int | None = None,
        flush: bool = True,
        message: str | None = None,
    ) -> Change:
        """Write bytes, or a stream of them to its end, into a file.

        A stream is consumed before anybody else has to wait. Whatever it raises goes through, and nothing has changed.

        Args:
            path: Of the file.
            data: What to write.
            offset: Where to begin; a gap behind the end becomes zeros.
            count: The most bytes to take from `data`.
            create: Make the file if it is missing.
            truncate: Empty it first.
            parents: Make missing directories on the way.
            raw_leaves: Whether new leaves are bare; by default they are unless the file has CID version 0.
            cid_version: Of a new file; by default as the directory it is in.
            hash_code: Of a new file; likewise.
            flush: Whether to make the change durable now.
            message: What the history says of it.

        Raises:
            FileMissing, NotADirectory, NotAFile, BadPath, LocalProtocolError
            ResourceLimitError: the quota.
        """
        write = Write(
            FilePath.from_text(path),
            offset,
            count,
            create=create,
            truncate=truncate,
            parents=parents,
            raw_leaves=raw_leaves,
            profile=self._format(cid_version, hash_code),
        )
        write.check()
        now = self._now()
        with self._store.hold():
            async with self._root.changing() as step:
                plan = await write.plan(self._tree, step.root, now)
            ready = await write.prepare(plan, self.source, data, self._store, self._hashers, now)
            return await self._change(partial(ready.apply, self._tree), flush, message)

    async def truncate(self, path: str, size: int, *, flush: bool = True) -> Change:
        """Cut a file to `size` bytes, or fill it up to them with zeros."""
        resize = Resize(FilePath.from_text(path), size, self._now())
        if not 0 <= size <= MAX_FILE:
            raise LocalProtocolError(f"size {size}, expected 0 to {MAX_FILE}")
        return await self._change(partial(resize.apply, self._tree), flush)

    async def mkdir(
        self,
        path: str,
        *,
        parents: bool = False,
        cid_version: int | None = None,
        hash_code: int | None = None,
        flush: bool = True,
        message: str | None = None,
    ) -> Change:
        """Make a directory; with `parents` also those on the way, and one that exists is no error."""
        target = FilePath.from_text(path)
        profile = self._format(cid_version, hash_code)
        return await self._change(
            lambda root: operations.make_directory(self._tree, root, target, parents=parents, profile=profile),
            flush,
            message,
        )

    async def cp(
        self,
        source: str,
        path: str,
        *,
        parents: bool = False,
        force: bool = False,
        flush: bool = True,
        message: str | None = None,
    ) -> Change:
        """Copy a file or directory from here or from /ipfs/, which costs no space and fetches no more than its root.

        Args:
            source: A path here or below /ipfs/ or /ipns/; the latter win where both exist.
            path: The new path; when it ends with a slash, the directory to copy into.
            parents: Make missing directories on the way.
            force: Replace a file that is there.
            flush: Whether to make the change durable now.
            message: What the history says of it.
        """
        target = FilePath.from_text(path)
        content = content_path(source)
        origin = FilePath() if content else FilePath.from_text(source)
        if target.directory or not target.segments:
            target = target.child(content.name if content else origin.name)._replace(directory=False)
        place = f"cp: cannot get node from path {source.rstrip('/')}"
        with self._store.hold(), contextlib.ExitStack() as stack:
            fetched: Found | None = None
            if content:
                with explained(place):
                    cid = await self._resolve(content)
                stack.enter_context(self._using(cid))
                with explained("cp"):
                    fetched = await self._described(cid)

            async def copy(root: CID) -> Outcome:
                found = fetched
                if found is None:
                    with explained(place):
                        found = await operations.existing(self._tree, root, origin)
                    with explained("cp"):
                        found = await self._described(found.cid)
                return await operations.copy(self._tree, root, target, found, parents=parents, force=force)

            return await self._change(copy, flush, message)

    async def mv(self, source: str, path: str, *, flush: bool = True, message: str | None = None) -> Change:
        """Rename, replace a file, or move into a directory that exists."""
        origin, target = FilePath.from_text(source), FilePath.from_text(path)
        return await self._change(lambda root: operations.move(self._tree, root, origin, target), flush, message)

    async def rm(
        self,
        path: str,
        *,
        recursive: bool = False,
        force: bool = False,
        flush: bool = True,
        message: str | None = None,
    ) -> Change:
        """Remove a file, or with `recursive` a directory; with `force` anything, also what is not there or damaged."""
        target = FilePath.from_text(path)
        return await self._change(
            lambda root: operations.remove(self._tree, root, target, recursive=recursive, force=force), flush, message
        )

    async def place(
        self,
        path: str,
        cid: CID,
        *,
        parents: bool = True,
        flush: bool = True,
        message: str | None = None,
        graft: CID | None = None,
    ) -> Change:
        """Put content at a path, whatever is there; at `/` it becomes the whole tree.

        Args:
            path: Where.
            cid: What; only its root block is looked at.
            parents: Make missing directories on the way.
            flush: Whether to make the change durable now.
            message: What the history says of it.
            graft: The commit of another chain in which the past of this path is written.

        Raises:
            NotUnixFS: it is no file, directory or symlink; for `/`, NotADirectory when it is not a directory.
            BlockNotFound: its root block cannot be had.
        """
        target = FilePath.from_text(path)
        with self._store.hold(), self._using(cid):
            found = await self._described(cid)
            if not target.segments and await kind_of(self.source, cid) is not Kind.DIRECTORY:
                raise NotADirectory(f"{cid} is not a directory, which the root has to be")
            grafts = () if graft is None else (Graft(str(target._replace(directory=False)), graft),)
            return await self._change(
                lambda root: operations.place(self._tree, root, target, found, parents=parents), flush, message, grafts
            )

    async def flush(self, path: str = "/") -> CID:
        """Make everything durable that waits; return the CID of `path`."""
        await self._root.flush()
        return await self._node(path)

    async def chcid(
        self, path: str, *, cid_version: int | None = None, hash_code: int | None = None, flush: bool = True
    ) -> Change:
        """Name a directory in another way; what is made in it later follows. Nothing asked, nothing done."""
        target = FilePath.from_text(path)
        profile = self._format(cid_version, hash_code)

        async def rename(cid: CID) -> Found:
            if await kind_of(self._tree.workspace, cid) is not Kind.DIRECTORY:
                raise NotADirectory("can only update directories")
            return await metadata.with_format(self._tree, cid, profile or profile_of_directory(self.profile, cid))

        return await self._rewrite(target, rename, ChangeKind.CHANGED, flush)

    async def chmod(self, path: str, mode: int, *, flush: bool = True) -> Change:
        """Set the permissions, twelve bits; 0 takes them away."""
        if not 0 <= mode <= 0o7777:
            raise LocalProtocolError(f"mode {mode:o}, expected 0 to 7777")
        target = FilePath.from_text(path)
        return await self._rewrite(
            target, lambda cid: metadata.with_mode(self._tree, cid, mode), ChangeKind.MODE, flush
        )

    async def touch(self, path: str, mtime: Mtime | None = None, *, flush: bool = True) -> Change:
        """Set the modification time; to now when none is given."""
        target = FilePath.from_text(path)
        time_ = mtime or self._now()
        return await self._rewrite(
            target, lambda cid: metadata.with_mtime(self._tree, cid, time_), ChangeKind.MODE, flush
        )

    # The ways they share.

    async def _change(
        self, operation: _Operation, flush: bool, message: str | None = None, grafts: tuple[Graft, ...] = ()
    ) -> Change:
        async with self._root.changing() as step:
            step.take(await operation(step.root))
            step.describe(message, grafts)
            return await step.done(flush=flush)

    async def _rewrite(
        self, path: FilePath, change: Callable[[CID], Awaitable[Found]], kind: ChangeKind, flush: bool
    ) -> Change:
        return await self._change(lambda root: operations.rewrite(self._tree, root, path, change, kind), flush)

    async def _described(self, cid: CID) -> Found:
        """Return what a link to this node has to say; refuse what is no file, directory or symlink."""
        try:
            return Found(cid, (await stat(self._tree.workspace, cid)).total_size)
        except (NotUnixFS, WireError) as error:
            raise NotUnixFS(f"source must be a valid UnixFS (dag-pb or raw codec): {error}") from None

    def _format(self, cid_version: int | None, hash_code: int | None) -> Profile | None:
        """Return the profile for a CID version and a hash function, of which a hash alone means version 1."""
        if cid_version is None and hash_code is None:
            return None
        return dataclasses.replace(
            self.profile,
            cid_version=cid_version or (0 if hash_code is None else 1),
            hash_code=multicodec.SHA2_256 if hash_code is None else hash_code,
            inline_limit=None,
        )

    def _now(self) -> Mtime:
        return Mtime.from_nanoseconds(self._clock())
