"""At any commit, after any sequence of changes, `at` returns exactly what the model had then."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import ZwermError
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs.errors import FileMissing
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.versions.address import BadVersion
from zwerm.ipfs.versions.history import VersionDropped
from zwerm.ipfs.versions.log import Version
from zwerm.ipfs.versions.policy import Policy
from zwerm.multiformats.cid import CID

paths = st.sampled_from(["/a", "/b", "/d/a", "/d/b", "/d", "/e/f/g"])
Model = dict[str, CID]  # every path that exists, directories too, and what it leads to


class HistoryMachine(RuleBasedStateMachine):
    """The history beside a list of what each commit's tree was."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.store = MemoryBlockstore()
        self.states: list[tuple[CID, float, Model]] = []  # commit, time, tree; oldest first
        self.dropped: set[CID] = set()
        self.clock = 1_750_000_000.0
        self.open()

    def open(self) -> None:
        self.database = Database(Path(self.folder.name) / "index.sqlite")
        self.database._writer.execute("PRAGMA synchronous = OFF")
        self.room = Room(self.database, self.store)
        self.room.clock.now = self.clock

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.database.close()
            self.loop.close()
            self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def tree(self, path: str = "/") -> Model:
        found: Model = {"/": await self.room.files.root()} if path == "/" else {}
        async for entry in await self.room.files.ls(path, long=True):
            below = f"{path.rstrip('/')}/{entry.name}"
            found[below] = entry.cid
            if entry.kind is not None and entry.kind.value == "directory":
                found |= await self.tree(below)
        return found

    def attempt(self, work: Coroutine[Any, Any, Any]) -> None:
        """Change something, or not; remember the tree if there is a new version."""
        self.clock += 60
        self.room.clock.now = self.clock
        before = self.room.history.head
        try:
            self.run(work)
        except ZwermError:
            assert self.room.history.head == before
            return
        if self.room.history.head != before:
            self.states.append((self.room.history.head, self.clock, self.run(self.tree())))

    @rule(path=paths, data=st.binary(max_size=3))
    def write(self, path: str, data: bytes) -> None:
        self.attempt(self.room.files.write(path, data, create=True, truncate=True, parents=True))

    @rule(path=paths)
    def rm(self, path: str) -> None:
        self.attempt(self.room.files.rm(path, recursive=True))

    @rule(source=paths, path=paths)
    def mv(self, source: str, path: str) -> None:
        self.attempt(self.room.files.mv(source, path))

    @rule(source=paths, path=paths)
    def cp(self, source: str, path: str) -> None:
        self.attempt(self.room.files.cp(source, path, parents=True, force=True))

    @rule(todo=st.lists(st.tuples(paths, st.binary(max_size=2)), min_size=2, max_size=4))
    def batch(self, todo: list[tuple[str, bytes]]) -> None:
        async def work() -> None:
            async with self.room.history.batch("several"):
                for path, data in todo:
                    await self.room.files.write(path, data, create=True, truncate=True, parents=True)

        self.attempt(work())

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        commit, _, model = data.draw(st.sampled_from(self.states))
        path = data.draw(st.sampled_from(sorted(model)))
        if commit not in self.dropped:
            self.attempt(self.room.history.restore(path, str(commit)))
            # The newest version of the path that is not newer than the commit is where it came from.
            assert self.run(self.tree()).get(path) == model[path]

    @precondition(lambda self: len(self.states) > 3)
    @rule(last=st.integers(2, 6))
    def thin(self, last: int) -> None:
        self.room.history.policy = Policy(last=last)
        thinned = self.run(self.room.history.thin())
        for commit, _, _ in self.states[:-last]:
            self.dropped.add(commit)
        assert thinned.cut <= len(self.states)

    @rule()
    def open_again(self) -> None:
        self.database.close()
        self.open()

    @precondition(lambda self: self.states)
    @rule(data=st.data(), path=st.sampled_from(["/", "/a", "/d", "/d/b", "/e/f/g"]))
    def look_back(self, data: st.DataObject, path: str) -> None:
        commit, time, model = data.draw(st.sampled_from(self.states))
        self.run(self.check(commit, time, model, path))

    async def check(self, commit: CID, time: float, model: Model, path: str) -> None:
        if commit in self.dropped:
            await self.check_dropped(commit)
            return
        history = self.room.history
        root = (await history.version("/", str(commit))).commit.root
        assert root == model["/"]
        assert await history._path_log().node(root, FilePath.from_text(path)) == model.get(path)
        for version in (str(commit), _date(time)):
            assert await self.at(path, version) == model.get(path), (path, version)

    async def at(self, path: str, version: str) -> CID | None:
        """What the path led to; where it was called something else then, its history goes on under that name."""
        try:
            found: Version = await self.room.history.version(path, version)
            if found.path != path:
                root = found.commit.root
                return await self.room.history._path_log().node(root, FilePath.from_text(path))
            return await self.room.history.at(path, version)
        except (FileMissing, BadVersion):
            return None

    async def check_dropped(self, commit: CID) -> None:
        try:
            await self.room.history.at("/", str(commit))
        except (VersionDropped, BadVersion):
            return
        raise AssertionError("a dropped version was handed out")


def _date(time: float) -> str:
    import datetime as dt

    return dt.datetime.fromtimestamp(time, dt.UTC).isoformat()


HistoryMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_at_any_commit_the_tree_is_the_models = HistoryMachine.TestCase
