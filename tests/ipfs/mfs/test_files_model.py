"""Any sequence of calls, opened again at any moment, gives the tree that a plain dict of paths gives."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import ZwermError
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Profile

# Directories shard above 300 bytes and leaves are cut at 8, so that small trees take every form.
PROFILE = dataclasses.replace(DEFAULT, hamt_threshold=300, chunker="size-8")
LEGACY = dataclasses.replace(PROFILES["unixfs-v0-2015"], chunker="size-8")

names = st.sampled_from(["a", "b", "c", "ä"])
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
Model = dict[str, bytes | None]  # path to content; None is a directory


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def below(model: Model, path: str) -> list[str]:
    return [other for other in model if other == path or other.startswith(path + "/")]


class FilesMachine(RuleBasedStateMachine):
    """`Files` beside the model. What the model refuses has to be refused, and then nothing has changed."""

    @initialize(profile=st.sampled_from([PROFILE, LEGACY]))
    def begin(self, profile: Profile) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.store = MemoryBlockstore()
        self.profile = profile
        self.model: Model = {}
        self.unflushed = False
        self.open()

    def open(self) -> None:
        self.database = Database(Path(self.folder.name) / "index.sqlite")
        self.database._writer.execute("PRAGMA synchronous = OFF")
        self.room = Room(self.database, self.store, self.profile)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.run(self.room.files.close())
            self.database.close()
            self.loop.close()
            self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def attempt(self, work: Coroutine[Any, Any, Any], model: Model | None, flush: bool) -> None:
        """Run a call that the model allows (it gives its next state) or refuses (None)."""
        try:
            self.run(work)
        except ZwermError:
            assert model is None, "refused what the model allows"
            return
        assert model is not None, "allowed what the model refuses"
        self.model = model
        self.unflushed = not flush

    def is_directory(self, path: str) -> bool:
        return path == "" or (path in self.model and self.model[path] is None)

    def with_parents(self, path: str) -> Model | None:
        """The model with the directories above a path made; None when a file is in the way."""
        model = dict(self.model)
        parts = path.split("/")[1:-1]
        for count in range(1, len(parts) + 1):
            above = "/" + "/".join(parts[:count])
            if model.setdefault(above, None) is not None:
                return None
        return model

    @rule(path=paths, parents=st.booleans(), flush=st.booleans())
    def mkdir(self, path: str, parents: bool, flush: bool) -> None:
        model: Model | None = None
        if parents:
            model = self.with_parents(path + "/x")
        elif path not in self.model and self.is_directory(parent(path)):
            model = {**self.model, path: None}
        self.attempt(self.room.files.mkdir(path, parents=parents, flush=flush), model, flush)

    @rule(
        path=paths,
        data=st.binary(max_size=30),
        offset=st.integers(0, 40),
        create=st.booleans(),
        truncate=st.booleans(),
        parents=st.booleans(),
        flush=st.booleans(),
    )
    def write(
        self, path: str, data: bytes, offset: int, create: bool, truncate: bool, parents: bool, flush: bool
    ) -> None:
        model: Model | None = None
        if path in self.model:
            model = dict(self.model) if self.model[path] is not None else None
        elif create and parents:
            model = self.with_parents(path)
        elif create and self.is_directory(parent(path)):
            model = dict(self.model)
        if model is not None:
            content = bytearray(b"" if truncate else model.get(path) or b"")
            if data:
                content += bytes(max(0, offset - len(content)))
                content[offset : offset + len(data)] = data
            model[path] = bytes(content)
        call = self.room.files.write(
            path, data, offset=offset, create=create, truncate=truncate, parents=parents, flush=flush
        )
        self.attempt(call, model, flush)

    @rule(source=paths, path=paths, force=st.booleans(), flush=st.booleans())
    def cp(self, source: str, path: str, force: bool, flush: bool) -> None:
        model: Model | None = None
        replaces = path not in self.model or (force and self.model[path] is not None)
        if source in self.model and self.is_directory(parent(path)) and replaces:
            model = dict(self.model)
            model.pop(path, None)
            model |= {path + other[len(source) :]: self.model[other] for other in below(self.model, source)}
        self.attempt(self.room.files.cp(source, path, force=force, flush=flush), model, flush)

    @rule(source=paths, path=paths, flush=st.booleans())
    def mv(self, source: str, path: str, flush: bool) -> None:
        into = path
        if self.is_directory(path):
            into = f"{path}/{source.rpartition('/')[2]}"
        model: Model | None = None
        if source in self.model and self.is_directory(parent(path)):
            taken = into != path and into in self.model and into != source
            if into == source:
                model = dict(self.model)
            elif not taken and not into.startswith(source + "/"):
                moved = {into + other[len(source) :]: self.model[other] for other in below(self.model, source)}
                gone = set(below(self.model, source)) | {into}
                model = {other: content for other, content in self.model.items() if other not in gone} | moved
        self.attempt(self.room.files.mv(source, path, flush=flush), model, flush)

    @rule(path=paths, recursive=st.booleans(), force=st.booleans(), flush=st.booleans())
    def rm(self, path: str, recursive: bool, force: bool, flush: bool) -> None:
        model: Model | None = None
        if path in self.model and (recursive or force or self.model[path] is not None):
            gone = set(below(self.model, path))
            model = {other: content for other, content in self.model.items() if other not in gone}
        elif path not in self.model and force and not self.blocked(path):
            model = dict(self.model)
        self.attempt(self.room.files.rm(path, recursive=recursive, force=force, flush=flush), model, flush)

    def blocked(self, path: str) -> bool:
        """Whether a file stands where a directory on the way would have to be."""
        return any(content is not None and path.startswith(other + "/") for other, content in self.model.items())

    @rule(path=paths, size=st.integers(0, 60))
    def truncate(self, path: str, size: int) -> None:
        model: Model | None = None
        content = self.model.get(path)
        if content is not None:
            model = {**self.model, path: content[:size] + bytes(max(0, size - len(content)))}
        self.attempt(self.room.files.truncate(path, size), model, flush=True)

    @rule()
    def flush(self) -> None:
        self.run(self.room.files.flush())
        self.unflushed = False

    @precondition(lambda self: not self.unflushed)
    @rule()
    def die_and_open_again(self) -> None:
        self.database.close()
        self.open()

    @rule()
    def close_and_open_again(self) -> None:
        self.run(self.room.files.close())
        self.unflushed = False
        self.die_and_open_again()

    @invariant()
    def the_tree_is_the_models(self) -> None:
        if hasattr(self, "room"):
            assert self.run(self.room.snapshot()) == self.model


FilesMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_files_behave_as_a_dict_of_paths = FilesMachine.TestCase
