"""The root that changes: what is durable, what waits for a flush, and the one way from there to the disk.

Every change takes the writers' lock, makes a new root from the one before, and either becomes durable at once or
waits in memory for the next flush. The order on the disk is: blocks, their sync, then one transaction that moves the
root and records the version. So a root that is read back after a crash is whole, and its version is there.

A root that waits, or that of an open batch, is itself not in the store: its newest directories are in the workspace. So
the collector cannot walk down from it, and is told of what it leads to in the store instead: the durable root, the
content that was placed since, and roots that were put into the store on the way.

A batch holds the lock from its beginning to its end: nobody else changes anything meanwhile, readers see the tree
before it, and when it fails nothing has happened. Calls inside it, those of tasks it started included, belong to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs.journal import Change, ChangeSet, Graft, Journal, Outcome, Prepared, Touches
from zwerm.ipfs.mfs.tree import Tree
from zwerm.ipfs.mfs.workspace import LIMIT, Workspace
from zwerm.multiformats.cid import CID

MIGRATIONS: Final = ("CREATE TABLE mfs (name TEXT PRIMARY KEY, cid BLOB NOT NULL) WITHOUT ROWID",)

_ROOT: Final = "root"
_Result = TypeVar("_Result")


@dataclasses.dataclass(slots=True)
class Working:
    """A root and how it came about since the last one that is durable."""

    root: CID
    touches: Touches = dataclasses.field(default_factory=Touches)
    grafts: list[Graft] = dataclasses.field(default_factory=list)
    message: str | None = None
    steps: int = 0  # new roots since the last flush: with more than one, some blocks that wait are not needed

    def copy(self) -> Working:
        return Working(self.root, self.touches.copy(), list(self.grafts), self.message, self.steps)


@dataclasses.dataclass(slots=True)
class Batch:
    """A batch: the tree that its calls see, and a lock among them. `change` is what it did, once it has ended."""

    working: Working
    change: Change
    lock: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    open: bool = True


class Root:
    """The current root of the mutable file system, and every change of it. Belongs to one event loop."""

    def __init__(self, database: Database, store: Blockstore, workspace: Workspace, tree: Tree) -> None:
        self._database = database
        self._store = store
        self._workspace = workspace
        self._tree = tree
        self._lock = asyncio.Lock()
        self._batch: contextvars.ContextVar[Batch | None] = contextvars.ContextVar("zwerm-batch", default=None)
        self._batching: Batch | None = None
        self._coming: CID | None = None  # the root that is about to be the current one
        self._placed: dict[CID, None] = {}  # in the store, and reached through the workspace only
        self.journal: Journal | None = None
        self.listeners: list[Callable[[Change], None]] = []  # called on the event loop after each durable change
        database.define("mfs", MIGRATIONS)
        row = database.row("SELECT cid FROM mfs WHERE name = ?", (_ROOT,))
        self.durable = CID.parse(row[0]) if row else self._first()
        self._current = Working(self.durable)

    def _first(self) -> CID:
        """Give a new repository its empty tree."""
        root = self._tree.empty().cid
        with self._store.hold():
            self._write(root, self._workspace.all(), None)
        self._workspace.clear()
        return root

    def in_use(self) -> list[CID]:
        """Return the roots whose content must stay: durable, waiting for a flush, and of an open batch. Any thread."""
        # The order matters: a root that moves on between two lines here is found under its next name.
        batch, coming = self._batching, self._coming
        roots = [batch.working.root] if batch is not None else []
        if coming is not None:
            roots.append(coming)
        return [*roots, *list(self._placed), self._current.root, self.durable]

    def working(self) -> Working:
        """Return what the caller sees: inside a batch that batch's tree, otherwise the current one."""
        batch = self._own_batch()
        return self._current if batch is None else batch.working

    async def settle(self, root: CID) -> None:
        """Return once every block that a root of ours needs can be read from the store."""
        if root != self.durable:
            # Only what this root needs: a step that is under way has blocks in the workspace, too.
            await self._spill(root, self._workspace.reachable(root))

    @contextlib.asynccontextmanager
    async def changing(self) -> AsyncIterator[Step]:
        """Change the tree: the block gives `step` a new root, and calls `step.done` as its last act.

        When the block raises, nothing has changed.
        """
        batch = self._own_batch()
        async with batch.lock if batch is not None else self._lock:
            if batch is not None and not batch.open:
                raise LocalProtocolError("this batch has ended")
            with self._store.hold():
                try:
                    yield Step(self, batch, (batch.working if batch is not None else self._current).copy())
                except BaseException:
                    self._discard(batch)
                    raise

    @contextlib.asynccontextmanager
    async def batch(self, message: str | None = None) -> AsyncIterator[Batch]:
        """Make all changes inside the block one change set, durable when the block ends; see the module."""
        if self._own_batch() is not None:
            raise LocalProtocolError("a batch inside a batch; use the one that is open")
        async with self._lock:
            with self._store.hold():
                batch = self._batching = Batch(self._current.copy(), Change(self._current.root, None))
                batch.working.message = message
                self._batch.set(batch)
                try:
                    yield batch
                    async with batch.lock:
                        batch.open = False
                    batch.change = await self._whole(self._commit(batch.working))
                except BaseException:
                    batch.open = False
                    self._discard(None)
                    raise
                finally:
                    self._batch.set(None)
                    self._batching = None

    async def accept(self, batch: Batch | None, working: Working, placed: CID | None, *, flush: bool) -> Change:
        """Take a finished step over."""
        if batch is None and flush:
            return await self._whole(self._commit(working))
        if placed is not None and placed not in self._workspace:
            self._placed[placed] = None
        if batch is not None:
            batch.working = working
            await self._spill_when_large()
            return Change(working.root, None)
        self._current = working
        await self._spill_when_large()
        self._store.keep_pending()
        return Change(working.root, None)

    async def flush(self) -> Change:
        """Make durable what waits; inside a batch, that is left to its end."""
        async with self.changing() as step:
            return await step.done(flush=True)

    def _discard(self, batch: Batch | None) -> None:
        """Forget the open directories of a step that failed, and its blocks where none of them can be wanted."""
        self._tree.forget()
        if batch is None and self._current.root == self.durable:
            self._workspace.clear()
            self._placed.clear()

    def _own_batch(self) -> Batch | None:
        batch = self._batch.get()
        return batch if batch is not None and batch.open else None

    async def _commit(self, working: Working) -> Change:
        if working.root == self.durable and not working.grafts:
            self._current = Working(working.root)
            return Change(working.root, None)
        touches = working.touches.list()
        prepared: Prepared | None = None
        if self.journal is not None:
            omitted, grafts = working.touches.omitted, tuple(working.grafts)
            change_set = ChangeSet(self.durable, working.root, touches, omitted, working.message, grafts)
            prepared = self.journal.prepare(change_set)
        blocks = self._workspace.reachable(working.root) if working.steps > 1 else self._workspace.all()
        self._coming = working.root
        try:
            await asyncio.to_thread(self._write, working.root, blocks, prepared)
            self._workspace.clear()
            self.durable = working.root
            self._current = Working(working.root)
            if prepared is not None:
                prepared.accept()
            self._placed.clear()
        finally:
            self._coming = None
        change = Change(working.root, prepared.version if prepared else None, tuple(touches))
        for listener in self.listeners:
            asyncio.get_running_loop().call_soon(listener, change)  # its errors are not the writer's
        return change

    def _write(self, root: CID, blocks: list[Block], prepared: Prepared | None) -> None:
        self._store.put(blocks + prepared.blocks if prepared else blocks)
        self._store.sync()
        with self._database.transaction() as connection:
            _move_root(connection, root)
            if prepared is not None:
                prepared.record(connection)

    async def _whole(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run to the end even when the caller is cancelled: the disk and what we remember of it must agree."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # the caller is gone: nobody else asks for it
            raise

    async def _spill_when_large(self) -> None:
        """Forget what later steps made superfluous; put the rest when that alone is too much. Under the lock."""
        if self._workspace.size <= LIMIT:
            return
        self._tree.forget()
        self._workspace.keep(self._workspace.reachable(*self.in_use()))
        if self._workspace.size > LIMIT // 2:
            root = self.working().root
            await self._spill(root, self._workspace.reachable(root))

    async def _spill(self, root: CID, blocks: list[Block]) -> None:
        """Put what a root needs into the store, and have the collector keep it there."""
        if blocks:
            self._placed[root] = None  # first: from the moment they leave the workspace only this keeps them
            with self._store.hold():
                await asyncio.to_thread(self._store.put, blocks)
                self._store.keep_pending()
            self._workspace.forget(blocks)


class Step:
    """One change under way."""

    def __init__(self, owner: Root, batch: Batch | None, working: Working) -> None:
        self._owner = owner
        self._batch = batch
        self._placed: CID | None = None
        self.working = working

    @property
    def root(self) -> CID:
        return self.working.root

    def take(self, outcome: Outcome) -> None:
        """Go to the root that an operation made."""
        self._placed = outcome.placed
        for touch in outcome.touches:
            self.working.touches.add(touch)
        if outcome.root != self.working.root:
            self.working.root = outcome.root
            self.working.steps += 1

    def describe(self, message: str | None, grafts: Iterable[Graft]) -> None:
        """Say what the change set is for, and where the past of its paths is written."""
        self.working.message = message or self.working.message
        self.working.grafts += grafts

    async def done(self, *, flush: bool) -> Change:
        """Take the new root over: durable when it returns, if `flush` and not inside a batch."""
        return await self._owner.accept(self._batch, self.working, self._placed, flush=flush)


def _move_root(connection: sqlite3.Connection, root: CID) -> None:
    connection.execute("INSERT OR REPLACE INTO mfs VALUES (?, ?)", (_ROOT, bytes(root)))
