"""`zwerm.Node`: a repository opened, its services joined, and the operations a program wants.

    async with zwerm.Node("/data/node") as node:
        cid = await node.add("holiday/")
        async for chunk in node.cat(f"{cid}/beach.jpg"): ...

The node owns its services and closes them in the opposite order; they are attributes, for what the methods here do not
cover. One event loop owns a node. Blocking work (disk, hashing) runs in threads; a method that is cancelled leaves no
half-made name, pin or file, at most blocks that the next collection removes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeAlias, TypeVar

from zwerm.core.errors import LocalProtocolError, ZwermError
from zwerm.node.events import Events
from zwerm.node.repository import Repository
from zwerm.node.reserve import with_room

if TYPE_CHECKING:
    from zwerm.identity.keystore import Keystore
    from zwerm.identity.peer_id import PeerId
    from zwerm.ipfs.blockstore.packstore import PackBlockstore
    from zwerm.ipfs.blockstore.repair import Saved
    from zwerm.ipfs.blockstore.store import Removed, Statistics
    from zwerm.ipfs.car.importer import Imported
    from zwerm.ipfs.database import Database
    from zwerm.ipfs.exchange.switch import SwitchedSource
    from zwerm.ipfs.ipld.path import ContentPath
    from zwerm.ipfs.mfs.files import Files
    from zwerm.ipfs.mfs.journal import Change
    from zwerm.ipfs.mfs.status import FileEntry
    from zwerm.ipfs.pins.collector import Collector, Progress
    from zwerm.ipfs.pins.pins import Pins
    from zwerm.ipfs.unixfs.hashers import Hashers
    from zwerm.ipfs.unixfs.profile import Profile
    from zwerm.ipfs.unixfs.reader import Stat
    from zwerm.ipfs.versions.history import History
    from zwerm.multiformats.cid import CID
    from zwerm.node.announce import Announcer
    from zwerm.node.config import Config
    from zwerm.node.maintenance import Repaired, Verified
    from zwerm.node.names import NodeNames
    from zwerm.node.network import Network
    from zwerm.node.roots import Roots
    from zwerm.node.services import FileServices
    from zwerm.node.statistics import BlockCounter, TreeCounter

Addable: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | AsyncIterable[bytes]"
Findable: TypeAlias = "str | CID | ContentPath"
_T = TypeVar("_T")


class Node:
    """A node on a repository. Open it with `async with`, or with `open` and `close`."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        profile: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        port_offset: int = 0,
        purpose: str = "a Python program",
        patience: float = 0.0,
        save_index: bool = False,
        online: bool = False,
    ) -> None:
        """Say which repository; nothing is touched before `open`.

        Args:
            path: None: `$ZWERM_PATH` or `~/.zwerm`. It is created on first use.
            profile: set of defaults for this run; None: `$ZWERM_PROFILE`, or what the repository remembers.
            overrides: configuration for this run by dotted key.
            port_offset: added to the fixed ports of the HTTP addresses.
            purpose: what others are told who find the repository in use.
            patience: seconds to wait for another process to close the repository.
            save_index: replace a damaged index by what can be read of it, instead of refusing to open; see `saved`.
            online: join the network, so that what is not here is fetched and what is here can be; see `network`.
        """
        self._path = None if path is None else Path(path)
        self._profile = profile
        self._overrides = overrides
        self._port_offset = port_offset
        self._purpose = purpose
        self._patience = patience
        self._save_index = save_index
        self._online = online
        self._opened: Repository | None = None  # when somebody opened it for us
        self._lazy = False  # the files are opened by whoever asks for them first
        self._files: FileServices | None = None
        self._files_lock = threading.Lock()
        self._stack: contextlib.AsyncExitStack | None = None
        self.events = Events()
        self.started = time.time()  # seconds since 1970

        self.repository: Repository
        self.database: Database
        self.saved: Saved | None = None  # what became of a damaged index, when `save_index` found one
        self.store: PackBlockstore
        self.source: SwitchedSource
        self.network: Network | None = None  # None: this node is offline
        self.hashers: Hashers
        self.names: NodeNames
        self.pins: Pins
        self.blocks: BlockCounter
        self.announcer: Announcer

    @classmethod
    def on(cls, repository: Repository, *, save_index: bool = False, lazy: bool = False, online: bool = False) -> Self:
        """Make a node on a repository that is open already; it is closed with the node.

        Its settings and keys can be used before the node is opened, and without. With `lazy`, opening leaves the
        mutable files to whoever asks for them first: a process for one command may have no use for them.
        """
        node = cls(repository.path, save_index=save_index, online=online)
        node._opened = node.repository = repository
        node._lazy = lazy
        return node

    def _open_repository(self) -> Repository:
        return Repository.open(
            self._path,
            profile=self._profile,
            overrides=self._overrides,
            port_offset=self._port_offset,
            purpose=self._purpose,
            patience=self._patience,
        )

    async def open(self) -> Self:
        """Open the repository and start the services.

        Raises:
            RepositoryLocked: another process has it open.
            StorageError, SettingError: see `Repository.open`; nothing stays open.
        """
        if self._stack is not None:
            raise LocalProtocolError("this node is open already")
        async with contextlib.AsyncExitStack() as stack:
            from zwerm.node.services import start

            await start(self, stack)
            self._stack = stack.pop_all()
        return self

    async def close(self) -> None:
        """Close the services, last started first, and let go of the repository. Idempotent."""
        if self._stack is not None:
            stack, self._stack = self._stack, None
            self.events.close()
            await stack.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def config(self) -> Config:
        return self.repository.config

    @property
    def identity(self) -> PeerId:
        """Who this node is on a network."""
        return self.repository.identity

    @property
    def keys(self) -> Keystore:
        return self.repository.keystore()

    @property
    def files(self) -> Files:
        return self.open_files().files

    @property
    def history(self) -> History:
        return self.open_files().history

    @property
    def roots(self) -> Roots:
        return self.open_files().roots

    @property
    def collector(self) -> Collector:
        return self.open_files().collector

    @property
    def tree(self) -> TreeCounter:
        return self.open_files().counter

    def open_files(self) -> FileServices:
        """Open the mutable files and what rests on them, unless they are. Blocks for the disk; any thread."""
        with self._files_lock:
            if self._files is None:
                from zwerm.node.services import open_files

                self._files = open_files(self)
            return self._files

    async def _close_files(self) -> None:
        if self._files is not None:
            await self._files.close()

    def import_profile(self, name: str | Profile | None = None) -> Profile:
        """Return the settings by which added content becomes blocks: a named profile, or the configured one.

        Raises:
            LocalProtocolError: no profile has that name.
        """
        from zwerm.node.importing import configured_profile

        return configured_profile(self.config, name)

    async def add(
        self,
        what: Addable,
        *,
        name: str | None = None,
        pin: bool = True,
        profile: str | Profile | None = None,
        to: str | None = None,
        wrap: bool = False,
        recursive: bool = True,
        hidden: bool = False,
        only_hash: bool = False,
        message: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> CID:
        """Add a file, a folder, bytes, an open binary file or a stream; return its CID once everything is durable.

        Args:
            what: text and `Path` name something on the disk.
            name: what it is called in the wrapping directory or below `to`; default: the last part of its path.
            pin: keep it, recursively, until it is unpinned.
            profile: how it becomes blocks; None: as configured.
            to: also put it among the files, at this path (below it under its name, if it ends in `/`), as one version.
            wrap: put it in a directory of its own, so that its name is kept.
            recursive: whether folders are allowed.
            hidden: whether names that begin with a dot inside folders are taken along.
            only_hash: keep nothing, only say what the CID would be.
            message: the words that go with the version that `to` makes.
            progress: called from another thread with the number of file bytes done since the last call.

        Raises:
            StorageError: a file cannot be read, or the disk is full.
            ResourceLimitError: `storage.max` would be exceeded; nothing was kept.
        """
        from zwerm.node.importing import AddOptions, add

        options = AddOptions(
            profile=self.import_profile(profile),
            name=name,
            pin=pin,
            to=to,
            wrap=wrap,
            hidden=hidden,
            recursive=recursive,
            only_hash=only_hash,
            message=message,
            progress=progress,
        )
        return await add(self, what, options)

    async def cat(self, path: Findable, *, offset: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a file, or of a part of it.

        Args:
            path: a CID, `/ipfs/CID/a/b`, or the path of one of the node's files (`/notes/today.txt`), with
                `@VERSION` behind it as it was then.
            offset: first byte.
            length: at most so many; None: to the end.

        Raises:
            NotFoundError: no such path, or content that is not here.
            NotAFile: a directory.
        """
        from zwerm.ipfs.unixfs.reader import open_file

        file = await open_file(self.source, await self.resolve(path))
        async with contextlib.aclosing(file.stream(offset, None if length is None else offset + length)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def get(
        self,
        path: Findable,
        target: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Write a file or a tree to the disk, at exactly `target`.

        Args:
            path: see `cat`.
            target: where; nothing may be there, unless `overwrite`.
            overwrite: replace files, and write into folders.
            progress: called with bytes and files written so far.

        Raises:
            ExportFailed: the disk refuses, or something is there. What was written before stays, no file is partial.
        """
        from zwerm.ipfs.unixfs.export import get

        await get(self.source, await self.resolve(path), target, overwrite=overwrite, progress=progress)

    async def ls(self, path: Findable) -> AsyncGenerator[FileEntry, None]:
        """Yield the entries of a directory, with kind and size.

        Raises:
            NotADirectory: a file.
            NotFoundError: as `cat`.
        """
        from zwerm.ipfs.mfs.status import entries

        listing: Any = entries(self.source, await self.resolve(path), long=True)
        async with contextlib.aclosing(listing):
            async for entry in listing:
                yield entry

    async def stat(self, path: Findable) -> Stat:
        """Describe a file, directory or symlink from its root block."""
        from zwerm.ipfs.unixfs.reader import stat

        return await stat(self.source, await self.resolve(path))

    async def resolve(self, path: Findable) -> CID:
        """Return the CID that a path ends at; see `cat` for paths."""
        from zwerm.node.paths import resolve_path

        return await resolve_path(self, path)

    async def pin(self, path: Findable, *, recursive: bool = True, name: str = "") -> CID:
        """Keep content until it is unpinned; return its CID once that is durable.

        Raises:
            BlockNotFound: some of it is not here; nothing was pinned.
        """
        cid = await self.resolve(path)
        await self.pins.add(self.source, cid, recursive=recursive, name=name)
        return cid

    async def unpin(self, path: Findable) -> CID:
        """Keep content no longer; return its CID. A NotPinned error when it is not pinned by itself."""
        cid = await self.resolve(path)
        found = await asyncio.to_thread(self.pins.find, cid)
        await self.with_room(lambda: self.pins.remove(cid, recursive=found is None or found.kind.value == "recursive"))
        return cid

    async def put_file(self, to: str, cid: CID, *, name: str | None = None, message: str | None = None) -> Change:
        """Put content among the files, as one change set with one version; what was there stays in the history.

        Args:
            to: where; when it ends in `/`, below it under `name`.
            cid: a file or directory.
            name: needed only when `to` ends in `/`.
            message: the words that go with the version.

        Raises:
            BadPath: no path for a file, or `name` is missing.
            NotUnixFS: the content is neither file nor directory.
        """
        from zwerm.ipfs.mfs.errors import BadPath

        if to.endswith("/") and name:
            to += name
        elif to.endswith("/") and to.strip("/"):
            raise BadPath(f"{to} is a folder, and what to put there has no name; give the whole path")
        return await self.files.place(to, cid, message=message)

    async def export_car(self, path: Findable) -> AsyncGenerator[bytes, None]:
        """Yield a CARv1 archive of everything that a path leads to."""
        from zwerm.ipfs.car.writer import write
        from zwerm.ipfs.ipld.traverse import walk

        cid = await self.resolve(path)
        async with contextlib.aclosing(write([cid], walk(self.source, [cid]), repeats=True)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def import_car(self, chunks: AsyncIterable[bytes], *, pin: bool = True) -> Imported:
        """Take a CAR archive in (version 1 or 2), verifying every block; pin its roots.

        Raises:
            BrokenCar: it is cut short or damaged; the whole blocks before that stay, unpinned.
            BlockNotFound: a root to be pinned is not whole; the roots before it are pinned.
        """
        from zwerm.node.archives import import_car

        return await import_car(self, chunks, pin=pin)

    async def collect(self, progress: Callable[[Progress], None] | None = None) -> Removed:
        """Remove every block that no pin, file or kept version leads to; return what was removed.

        Cancelling stops it; what was removed stays so, and the next call goes on.

        Raises:
            StorageError: what is kept cannot be read whole, so that nothing may be removed.
        """
        from zwerm.ipfs.versions.policy import Policy

        self.history.policy = Policy.from_text(self.config.text("history.policy"))

        async def collect() -> Removed:
            await self.history.thin()
            self.roots.forget()
            return await self.collector.collect(progress)

        return await self.with_room(collect)

    async def with_room(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Do work that makes room on the disk, on a full one with the room that is kept back for that.

        `work` may be called twice; the first time it has then raised `DiskFull`, and must have changed nothing that the
        second time would miss.
        """
        return await with_room(self.repository.reserve, work)

    def keep_reserve(self) -> None:
        """Keep room back for `with_room` as the repository grows, if the disk and `storage.max` have some. Blocks."""
        self.repository.reserve.ensure(self.store.used(), limit=self.store.max_size, spare=self.store.pack_size)
        self.store.set_beside(self.repository.reserve.size)

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> Verified:
        """Read every block and hold it against its hash. What is found damaged is not served from then on."""
        from zwerm.node.maintenance import verify

        return await verify(self, progress)

    async def repair(self, progress: Callable[[int, int], None] | None = None) -> Repaired:
        """Verify, then drop what is damaged, so that everything the store says it has is there."""
        from zwerm.node.maintenance import repair

        return await repair(self, progress)

    async def repo_stat(self) -> Statistics:
        """Count blocks and bytes. Takes a fraction of a second for a million blocks."""
        return await asyncio.to_thread(self.store.statistics)

    def health(self) -> str | None:
        """Say what keeps the node from doing its work, or None. Blocks for the disk."""
        if self._stack is None:
            return "closed"
        try:
            self.database.query("SELECT 1")
            self.store.sync()
        except ZwermError as error:
            return str(error)
        return None

    async def numbers(self) -> dict[str, float]:
        """Return the figures about storage that monitoring wants, by name."""
        from zwerm.node.statistics import numbers

        return await asyncio.to_thread(numbers, self)
