"""`History`: the versions of a node's files, from writing them down to bringing them back.

Every change set of `Files` becomes one commit of the whole tree, durable together with it. So each file and folder has
a history: the commits in which what its path leads to changed. A path's history travels on its own: `extract` makes it
a chain of its own, in which nothing of the rest of the tree is left, and `adopt` goes on from such a chain here.

Which versions are kept is a policy (`policy.py`); what is dropped is given back by the next collection.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final, NamedTuple

from zwerm.core.errors import NotFoundError, WireError
from zwerm.identity.keys import PrivateKey
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs.errors import FileExists, FileMissing
from zwerm.ipfs.mfs.files import Files
from zwerm.ipfs.mfs.journal import Change, ChangeSet, Prepared
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.mfs.working import Batch
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.versions import address as addresses
from zwerm.ipfs.versions import text as texts
from zwerm.ipfs.versions import verify as verification
from zwerm.ipfs.versions.address import AtTime, Back, BadVersion, Named
from zwerm.ipfs.versions.chain import BlockChain, Chain, OwnChain, read_commit
from zwerm.ipfs.versions.commit import Commit, is_commit
from zwerm.ipfs.versions.diff import Difference, diff
from zwerm.ipfs.versions.extract import extract
from zwerm.ipfs.versions.log import Gap, PathLog, Version
from zwerm.ipfs.versions.policy import Dated, Policy
from zwerm.ipfs.versions.subject import Subject, commit_path
from zwerm.ipfs.versions.table import Row, VersionTable
from zwerm.ipfs.versions.verify import Verification
from zwerm.multiformats.cid import CID

_SAID: Final = 400  # characters of a message that nobody gave


class VersionDropped(NotFoundError):
    """The version is known, and its content was dropped by the policy."""


class Thinned(NamedTuple):
    """What `thin` did."""

    dropped: int  # versions whose content is no longer kept
    cut: int  # commits that were forgotten because nothing older than them is kept


class History:
    """The history of a node's files. Belongs to the event loop of `files`."""

    def __init__(
        self,
        database: Database,
        store: Blockstore,
        source: BlockSource,
        files: Files,
        key: PrivateKey,
        *,
        policy: Policy | None = None,
        record: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the history of `files`, and from now on write their change sets down if `record`.

        Args:
            database: Holds the table of versions.
            store: Takes commits.
            source: Where blocks of other histories come from.
            files: Whose history it is.
            key: Signs the commits.
            policy: Which versions `thin` keeps; by default all.
            record: Whether changes are written down.
            clock: Seconds since 1970.
        """
        self.policy = policy or Policy()
        self.source = source
        self._store = store
        self._files = files
        self._key = key
        self._clock = clock
        self._table = VersionTable(database)
        self._newest = self._table.newest()
        self._thinned = self._table.thinned
        self._kept: list[CID] | None = None  # content of the versions that are kept; None: to be read from the table
        self._kept_lock = threading.Lock()
        if record:
            files.record_in(self)

    # Writing down.

    @property
    def head(self) -> CID | None:
        """The newest commit; None before the first change."""
        return self._newest.cid if self._newest is not None else None

    def prepare(self, change: ChangeSet) -> Prepared:
        """Write a commit for a change set; called by `Files`, which makes it durable."""
        parent = self._newest
        commit = Commit.sign(
            self._key,
            root=change.after,
            parents=[parent.cid] if parent is not None else [],
            time=self._now(),
            message=change.message or "",
            changes=change.touches,
            omitted=change.omitted,
            grafts=change.grafts,
        )
        block = commit.to_block()
        sequence = parent.sequence + 1 if parent is not None else 1
        row = Row(sequence, block.cid, change.after, commit.time, grafted=bool(change.grafts))

        def record(connection: sqlite3.Connection) -> None:
            VersionTable.add(connection, row, change.grafts)

        def accept() -> None:
            with self._kept_lock:
                self._newest = row
                if self._kept is not None:
                    self._kept += [row.root, *(graft.commit for graft in change.grafts)]

        return Prepared(block.cid, [block], record, accept)

    def batch(self, message: str | None = None) -> AbstractAsyncContextManager[Batch]:
        """Make all changes inside the block one version; see `Files.batch`."""
        return self._files.batch(message)

    async def commit(self, path: str, root: CID, message: str | None = None) -> Change:
        """Put content at a path as a new version."""
        return await self._files.place(path, root, message=message)

    # Looking back.

    async def log(self, path: str = "/", *, limit: int | None = None) -> AsyncGenerator[Version | Gap, None]:
        """List the versions of a path, newest first, as a stream; at the end a `Gap` if the history is cut off.

        Args:
            path: One of the files, which need not exist any more; or `/ipfs/COMMIT`, maybe with a path below it, for
                the history that ends with a commit wherever it came from.
            limit: The most versions to list.

        Raises:
            BadPath, WireError: no such path; the commit is malformed.
            BlockNotFound: the commit cannot be had.
        """
        subject = await self._subject(path)
        return self._limited(subject, limit)

    async def at(self, path: str, version: str) -> CID:
        """Return what a path led to in a version of it.

        Raises:
            BadVersion: no such version, or more than one.
            FileMissing: it did not exist then.
            VersionDropped: its content was dropped.
        """
        found = await self.version(path, version)
        if found.node is None and found.kept:
            raise FileMissing(f"{path} did not exist in version {version}")
        if found.node is None or not found.kept:
            raise VersionDropped(
                f"the content of {path} in version {version} was dropped by the policy of the history ({self.policy})"
            )
        return found.node

    async def version(self, path: str, version: str) -> Version:
        """Return the version of a path that a text names; of one that left the path alone, the one that still stood.

        Raises:
            BadVersion: no such version, or more than one.
        """
        address = addresses.parse(version)
        subject = await self._subject(path)
        position = await subject.position(address) if isinstance(address, Named) else 0
        async with aclosing(self._limited(subject, None)) as versions:
            async for found in versions:
                if isinstance(found, Gap):
                    continue
                if isinstance(address, Back):
                    wanted = found.number == address.count
                elif isinstance(address, AtTime):
                    wanted = found.commit.time <= address.time
                else:
                    wanted = address.matches(found.cid) or (not found.grafted and found.position >= position >= 0)
                if wanted:
                    return found
        raise BadVersion(f"{path} has no version {version}")

    async def diff(
        self, before: str | CID, after: str | CID | None = None, path: str = "/"
    ) -> AsyncGenerator[Difference, None]:
        """Compare two versions of a path, as a stream; see `diff.diff`.

        Args:
            before: A version of the path, or the CID of a tree or commit.
            after: Likewise; None: the path as it is now.
            path: As for `log`.
        """
        target = FilePath.from_text(path) if commit_path(path) is None else FilePath()
        one = await self._side(before, path)
        other = await self._present(path) if after is None else await self._side(after, path)
        return diff(self.source, one, other, target)

    async def text_diff(self, before: CID | None, after: CID | None, name: str = "file") -> str | None:
        """Return the lines that differ between two text files; see `text.text_diff`."""
        return await texts.text_diff(self.source, before, after, names=(f"{name} (before)", f"{name} (after)"))

    async def verify(self, commit: CID | None = None) -> Verification:
        """Check our own history, or the one that ends with a commit; see `verify.verify`."""
        if commit is not None:
            return await verification.verify(BlockChain(self.source, commit), self.source, self._now(), whole=False)
        return await verification.verify(self._own(), self.source, self._now(), whole=True)

    # Bringing back, sending away, taking in.

    async def restore(self, path: str, version: str, *, message: str | None = None) -> Change:
        """Make a path what it was in a version, as a new version; at `/`, everything.

        Raises:
            BadVersion, FileMissing, VersionDropped: see `at`; nothing was changed.
        """
        with self._store.hold():
            node = await self.at(path, version)
            return await self._files.place(path, node, message=message or _said(f"restore {path} from {version}"))

    async def undo(self, version: str, paths: Sequence[str], *, message: str | None = None) -> Change:
        """Make paths what they were in a version of the whole tree, in one change set; those that were not there go."""
        then = await self.version("/", version)
        if then.node is None or not then.kept:
            raise VersionDropped(f"the content of version {version} was dropped by the policy ({self.policy})")
        log = self._path_log()
        async with self._files.batch(message or _said(f"undo to {version}")) as batch:
            for path in paths:
                node = await log.node(then.node, FilePath.from_text(path))
                if node is None:
                    await self._files.rm(path, recursive=True, force=True)
                else:
                    await self._files.place(path, node)
        return batch.change

    async def extract(self, path: str) -> CID:
        """Make the history of a path a chain that can travel; return its newest commit, from which all can be reached.

        The commits are durable when this returns, and kept as long as something keeps them: call it under a hold of the
        store, and pin or export before that ends.

        Raises:
            FileMissing: no version of the path is kept.
        """
        subject = await self._subject(path)
        found = await extract(self._key, self._limited(subject, None))
        if found is None:
            raise FileMissing(f"{path} has no version that is kept")
        await asyncio.to_thread(self._write, found.commits)
        return found.head

    async def adopt(self, commit: CID, path: str, *, message: str | None = None) -> Change:
        """Put the newest content of another history at a path that is free, which goes on from that history.

        The chain and its content are kept from then on, as far as they are here.

        Raises:
            FileExists: something else is there.
            WireError: the commit is malformed, or its signature is not its author's.
        """
        found = await read_commit(self.source, commit)
        if not found.signed_by_author():
            raise WireError(f"{commit} is not signed by its author")
        if await self._files.exists(path) and (await self._files.stat(path)).cid != found.root:
            raise FileExists(f"{path} exists; a history can be adopted at a path that is free")
        return await self._files.place(path, found.root, message=message, graft=commit)

    # Keeping.

    def roots(self) -> list[CID]:
        """Return what the collector must keep whole, as far as it is here. Any thread."""
        newest = self._newest
        if newest is None:
            return []
        if not self._thinned:
            return [newest.cid]  # it leads to every commit, and those to every version and graft
        with self._kept_lock:
            if self._kept is None:
                self._kept = [*self._table.kept_roots(), *self._table.grafts()]
            return list(self._kept)

    def commits(self) -> list[CID]:
        """Return the commits that must stay though not all that they lead to does. Any thread."""
        return self._table.commits() if self._thinned else []

    async def thin(self) -> Thinned:
        """Drop what the policy does not keep. Nothing is deleted here: the next collection gives the space back."""
        now = self._now()
        thinned = await asyncio.to_thread(self._thin, self.policy, now)
        with self._kept_lock:
            self._thinned = self._thinned or thinned.dropped > 0
            self._kept = None
        return thinned

    def _thin(self, policy: Policy, now: int) -> Thinned:
        dated = (Dated(row.sequence, row.time) for row in self._table.all() if row.kept)
        dropped = self._table.drop([version.sequence for version in policy.dropped(dated, now)])
        return Thinned(dropped, self._table.cut() if dropped else 0)

    # The ways they share.

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _write(self, blocks: list[Block]) -> None:
        self._store.put(blocks)
        self._store.sync()

    def _own(self) -> Chain:
        return OwnChain(self._table, self.source)

    def _path_log(self) -> PathLog:
        return PathLog(self.source, lambda head: BlockChain(self.source, head))

    async def _subject(self, path: str) -> Subject:
        return await Subject.of(path, self._table, self.source)

    async def _limited(self, subject: Subject, limit: int | None) -> AsyncGenerator[Version | Gap, None]:
        if limit is not None and limit <= 0:
            return
        async with aclosing(self._path_log().versions(subject.chain, subject.path)) as versions:
            async for found in versions:
                yield found
                if isinstance(found, Version) and found.number + 1 == limit:
                    return

    async def _side(self, which: str | CID, path: str) -> CID | None:
        """Return one side of a comparison; None when the path did not exist then."""
        if isinstance(which, CID):
            if not is_commit(which):
                return which
            content = commit_path(path)
            below = FilePath.from_text(path) if content is None else content[1]
            return await self._path_log().node((await read_commit(self.source, which)).root, below)
        try:
            return await self.at(path, which)
        except FileMissing:
            return None

    async def _present(self, path: str) -> CID | None:
        content = commit_path(path)
        if content is not None:
            return await self._side(content[0], path)
        return await self._path_log().node(await self._files.root(), FilePath.from_text(path))


def _said(text: str) -> str:
    """Make a message of our own fit into a commit, whatever the path in it is."""
    return text.encode("utf-8", "replace").decode()[:_SAID]
