"""The versions of one path, out of a chain of versions of a whole tree.

From commit to commit only what the path goes through is compared, by CID: where a directory on the way is the same,
so is all below it, and nothing is read. Where the path first appears and its commit says that it was renamed, the
trail goes on under the old name; where it was grafted, in the other chain, and after that in this one.

Of a dropped version the content may be gone. Whether the path changed in it is therefore taken from what its commit
lists, also while the blocks are still there: the answer does not depend on when the collector comes by.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, NamedTuple

from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.journal import ChangeKind, Graft
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.errors import NotADirectory, NotUnixFS
from zwerm.ipfs.versions.chain import Chain, Stub
from zwerm.ipfs.versions.commit import Commit
from zwerm.multiformats.cid import CID

MAX_GRAFTS: Final = 16  # chains followed behind one another
_LOOKUPS: Final = 4_096  # names in directories that are remembered


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """One version of a path."""

    number: int  # how many versions before the newest: `~N`
    cid: CID  # of the commit
    commit: Commit
    path: str  # the name it had then
    node: CID | None  # what the path led to; None: nothing, or not known because the version was dropped
    kind: ChangeKind  # what this version did to the path
    kept: bool = True  # False: the content was dropped, and may be gone
    position: int = 0  # of the commit in its chain, from the newest
    grafted: int = 0  # how many grafts lie between its chain and the one that was asked for


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """The end of a chain that went on elsewhere: the next commit is known by its CID only."""

    cid: CID


class _Point(NamedTuple):
    """The path at one commit; nothing is known of it where the content was dropped."""

    stub: Stub
    position: int
    trail: tuple[CID, ...]  # the CIDs that the path leads through, the root first; shorter when it ends on the way
    node: CID | None


class PathLog:
    """Follows a path through a chain, and through those it was grafted from."""

    def __init__(self, source: BlockSource, open_chain: Callable[[CID], Chain]) -> None:
        """Read directories from `source`; `open_chain` gives the chain that ends with a commit."""
        self._source = source
        self._open_chain = open_chain
        self._found: dict[tuple[CID, str], CID | None] = {}

    async def versions(self, chain: Chain, path: FilePath) -> AsyncGenerator[Version | Gap, None]:
        """Yield the versions of a path, newest first, and a gap where a chain ends in one.

        Raises:
            BlockNotFound: a directory of a version that is kept cannot be had.
            WireError: a block is malformed.
        """
        number = 0
        async with aclosing(self.follow(chain, path, 0)) as found_versions:
            async for found in found_versions:
                if isinstance(found, Gap):
                    yield found
                    continue
                yield dataclasses.replace(found, number=number)
                number += 1

    def follow(self, chain: Chain, path: FilePath, grafted: int) -> AsyncGenerator[Version | Gap, None]:
        """Yield the versions of one chain, and of those it was grafted from, without numbers."""
        return _Walk(self, chain, path, grafted).versions()

    def open_chain(self, head: CID) -> Chain:
        return self._open_chain(head)

    async def node(self, root: CID, path: FilePath) -> CID | None:
        """Return what a path leads to below a root."""
        return _end(await self.trail(root, path), path)

    async def trail(self, root: CID, path: FilePath, like: tuple[CID, ...] = ()) -> tuple[CID, ...]:
        """Return the CIDs a path leads through; from where it meets `like`, its trail elsewhere, they are the same."""
        trail = [root]
        for depth, name in enumerate(path.segments):
            if len(like) > depth and like[depth] == trail[depth]:
                return tuple(trail) + like[depth + 1 :]
            below = await self._lookup(trail[depth], name)
            if below is None:
                break
            trail.append(below)
        return tuple(trail)

    async def _lookup(self, cid: CID, name: str) -> CID | None:
        key = cid, name
        if key not in self._found:
            try:
                entry = await directory.lookup(self._source, cid, name)
            except (NotADirectory, NotUnixFS):
                entry = None
            while len(self._found) >= _LOOKUPS:
                del self._found[next(iter(self._found))]
            self._found[key] = entry.cid if entry is not None else None
        return self._found[key]


class _Walk:
    """One chain being followed. A commit is judged when the one before it is known."""

    def __init__(self, log: PathLog, chain: Chain, path: FilePath, grafted: int) -> None:
        self._log = log
        self._chain = chain
        self._path = path
        self._grafted = grafted

    async def versions(self) -> AsyncGenerator[Version | Gap, None]:
        newer: _Point | None = None
        position = 0
        async with aclosing(self._chain.stubs()) as stubs:
            async for stub in stubs:
                if newer is not None:
                    async for found in self._judge(newer, stub):
                        yield found
                if stub.root is None:
                    yield Gap(stub.cid)
                    return
                newer = await self._point(stub, position, newer)
                position += 1
        if newer is not None:
            async for found in self._judge(newer, None):
                yield found

    async def _point(self, stub: Stub, position: int, like: _Point | None) -> _Point:
        if stub.root is None or not stub.kept:
            return _Point(stub, position, (), None)
        trail = await self._log.trail(stub.root, self._path, like.trail if like is not None else ())
        return _Point(stub, position, trail, _end(trail, self._path))

    async def _judge(self, newer: _Point, older: Stub | None) -> AsyncGenerator[Version | Gap, None]:
        """Say what a commit did to the path. `older` is the one before it, a gap, or None where the history begins."""
        stub, path = newer.stub, self._path
        if stub.kept and (older is None or (older.root is not None and older.kept)):
            before = None if older is None else await self._point(older, 0, newer)
            kind = _difference(None if before is None else before.node, newer.node)
            if kind is None and not stub.grafted:
                return
            commit = await self._chain.commit(stub.cid)
        else:
            commit = await self._chain.commit(stub.cid)
            kind = _listed(commit, path)
            if kind is None and older is not None and older.root is None and newer.node is not None:
                kind = ChangeKind.CHANGED  # the oldest that is known of it
        if kind in (ChangeKind.ADDED, ChangeKind.RENAMED) and older is not None and older.root is not None:
            source = _renamed_from(commit, path)
            if source is not None and (not older.kept or await self._log.node(older.root, source) is not None):
                kind, self._path = ChangeKind.RENAMED, source
        if kind is not None:
            yield Version(0, stub.cid, commit, str(path), newer.node, kind, stub.kept, newer.position, self._grafted)
        for graft in commit.grafts:
            async for found in self._follow_graft(graft, path):
                yield found

    async def _follow_graft(self, graft: Graft, path: FilePath) -> AsyncGenerator[Version | Gap, None]:
        try:
            place = FilePath.from_text(graft.path)
        except BadPath:
            return
        if place.contains(path) and self._grafted < MAX_GRAFTS:
            below = FilePath(path.segments[len(place.segments) :])
            async for found in self._log.follow(self._log.open_chain(graft.commit), below, self._grafted + 1):
                yield found


def _end(trail: tuple[CID, ...], path: FilePath) -> CID | None:
    return trail[-1] if len(trail) > len(path.segments) else None


def _difference(before: CID | None, after: CID | None) -> ChangeKind | None:
    if before == after:
        return None
    if before is None:
        return ChangeKind.ADDED
    return ChangeKind.REMOVED if after is None else ChangeKind.CHANGED


def _listed(commit: Commit, path: FilePath) -> ChangeKind | None:
    """Return what a commit says it did to a path, or to a directory above or below it; None: nothing."""
    found: ChangeKind | None = ChangeKind.CHANGED if commit.omitted else None
    for touch in commit.changes:
        for text in (touch.path, touch.source):
            try:
                touched = FilePath.from_text(text) if text is not None else None
            except BadPath:
                continue
            if touched is None:
                continue
            if touched.contains(path):
                kind = touch.kind if text == touch.path else ChangeKind.REMOVED
                if touched.segments == path.segments:
                    return kind
                found = kind if kind is not ChangeKind.MODE else found
            elif path.contains(touched):
                found = found or ChangeKind.CHANGED
    return found


def _renamed_from(commit: Commit, path: FilePath) -> FilePath | None:
    """Return the name that the path had before this commit, if it says so: the path itself, or a directory above it."""
    for touch in commit.changes:
        if touch.kind is not ChangeKind.RENAMED or touch.source is None:
            continue
        try:
            after, before = FilePath.from_text(touch.path), FilePath.from_text(touch.source)
        except BadPath:
            continue
        if after.contains(path) and before.segments != after.segments:
            return FilePath(before.segments + path.segments[len(after.segments) :])
    return None
