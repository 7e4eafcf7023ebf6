"""What differs between two trees, found by following only the links that differ.

Two directories of one block are compared name by name, two sharded ones slot by slot, so that one change among a
million names is found by reading one path of each. What was removed in one place and is found, by its CID, in another
was renamed; for that, removals and additions are held back until the end, up to `HELD`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.mfs.journal import ChangeKind
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.directory import DirEntry
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.node import Node
from zwerm.ipfs.unixfs.reader import stat_block
from zwerm.ipfs.versions.entries import Pair, differing
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

HELD: Final = 10_000  # removals and additions that are matched for renames; beyond, they are reported as they come
MAX_DEPTH: Final = 1_024  # directories within one another


class Side(NamedTuple):
    """A file or directory on one side of a comparison."""

    cid: CID
    size: int  # bytes of file; of a directory, and where the root block cannot be had, of all blocks by the link's word
    kind: Kind | None  # None: its root block cannot be had or read
    mode: int | None = None
    mtime: Mtime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One path that differs. A directory that is there on one side only is one difference, not one for each file."""

    kind: ChangeKind
    path: str  # after; of what was removed, before
    before: Side | None
    after: Side | None
    source: str | None = None  # of a rename, the path before


class _Looked(NamedTuple):
    """A side with what was read of it."""

    side: Side
    node: Node | None
    distinct: bool  # whether its CID says enough to know it again: it is not empty


async def diff(
    source: BlockSource, before: CID | None, after: CID | None, path: FilePath | None = None
) -> AsyncGenerator[Difference, None]:
    """Compare two trees, or what a path led to before and after; None is nothing.

    Changes come as they are found; then, by path, what was added, removed and renamed. Close it when it is not read to
    the end.

    Raises:
        BlockNotFound: a directory that has to be compared cannot be had.
        WireError: a block is malformed, or directories lie too deep.
    """
    if before == after:
        return
    comparison = _Comparison(source)
    async with contextlib.aclosing(comparison):
        sides = [DirEntry("", cid, 0) if cid is not None else None for cid in (before, after)]
        for difference in await comparison.enter(path or FilePath(), Pair("", sides[0], sides[1])):
            yield difference
        async for difference in comparison.below():
            yield difference
    for difference in comparison.held.matched():
        yield difference


class _Comparison:
    """A walk down two trees at once."""

    def __init__(self, source: BlockSource) -> None:
        self.held = _Held()
        self._source = source
        self._stack: list[
            tuple[FilePath, AsyncGenerator[Pair, None]]
        ] = []  # directories being compared, within each other

    async def enter(self, path: FilePath, pair: Pair) -> list[Difference]:
        """Compare what one name leads to; what lies below two directories comes with `below`."""
        before = await _look(self._source, pair.before) if pair.before is not None else None
        after = await _look(self._source, pair.after) if pair.after is not None else None
        if before is None or after is None:
            return self._one_sided(path, before, after)
        kinds = before.side.kind, after.side.kind
        if kinds == (Kind.DIRECTORY, Kind.DIRECTORY):
            if len(path.segments) >= MAX_DEPTH:
                raise WireError(f"directories more than {MAX_DEPTH} deep")
            self._stack.append((path, differing(self._source, before.side.cid, after.side.cid)))
            if (before.side.mode, before.side.mtime) == (after.side.mode, after.side.mtime):
                return []
            return [Difference(ChangeKind.MODE, str(path), before.side, after.side)]
        if Kind.DIRECTORY in kinds:
            return self._one_sided(path, before, after)
        kind = ChangeKind.MODE if _same_content(before, after) else ChangeKind.CHANGED
        return [Difference(kind, str(path), before.side, after.side)]

    async def below(self) -> AsyncIterator[Difference]:
        """Go through the directories that were entered, and those within them."""
        while self._stack:
            path, pairs = self._stack[-1]
            pair = await anext(pairs, None)
            if pair is None:
                self._stack.pop()
                continue
            for difference in await self.enter(path.child(pair.name), pair):
                yield difference

    async def aclose(self) -> None:
        """Stop reading."""
        while self._stack:
            await self._stack.pop()[1].aclose()

    def _one_sided(self, path: FilePath, before: _Looked | None, after: _Looked | None) -> list[Difference]:
        early = (
            self.held.add(path, before, added=False) if before is not None else None,
            self.held.add(path, after, added=True) if after is not None else None,
        )
        return [difference for difference in early if difference is not None]


def _same_content(before: _Looked, after: _Looked) -> bool:
    """Whether two files differ in nothing but permissions and time."""
    if before.node is None or after.node is None or before.side.kind is not after.side.kind:
        return False
    parts = [
        ((message := looked.node.message).data or b"", message.blocksizes, [link.cid for link in looked.node.links])
        for looked in (before, after)
        if looked.node is not None
    ]
    return parts[0] == parts[1]


async def _look(source: BlockSource, entry: DirEntry) -> _Looked:
    """Read the root block of a file or directory, as far as it can be had."""
    cid, total_size = entry.cid, entry.total_size
    try:
        data = await source.get(cid)
        found = stat_block(cid, data)
    except BlockNotFound:
        kind = Kind.FILE if cid.codec == multicodec.RAW else None
        return _Looked(Side(cid, total_size, kind), None, total_size > 0)
    except (NotUnixFS, WireError):
        return _Looked(Side(cid, total_size, None), None, total_size > 0)
    size = found.total_size if found.kind is Kind.DIRECTORY else found.size
    distinct = found.size > 0 if found.kind is not Kind.DIRECTORY else found.blocks > 0
    return _Looked(Side(cid, size, found.kind, found.mode, found.mtime), Node.parse(cid, data), distinct)


class _Held:
    """Removals and additions, until they can be matched."""

    def __init__(self) -> None:
        self._removed: dict[str, _Looked] = {}
        self._added: dict[str, _Looked] = {}

    def add(self, path: FilePath, looked: _Looked, *, added: bool) -> Difference | None:
        """Hold one back; when too many are, return it at once."""
        if len(self._removed) + len(self._added) >= HELD:
            return _one_sided(str(path), looked.side, added=added)
        (self._added if added else self._removed)[str(path)] = looked._replace(node=None)
        return None

    def matched(self) -> list[Difference]:
        """Return them by path, those with the same CID on both sides as renames; of several, of the same name first."""
        by_cid: dict[CID, list[str]] = {}
        for path, looked in sorted(self._removed.items()):
            if looked.distinct:
                by_cid.setdefault(looked.side.cid, []).append(path)
        found: list[Difference] = []
        for path, looked in sorted(self._added.items()):
            sources = by_cid.get(looked.side.cid) if looked.distinct else None
            if not sources:
                found.append(_one_sided(path, looked.side, added=True))
                continue
            name = path.rpartition("/")[2]
            source = next((old for old in sources if old.rpartition("/")[2] == name), sources[0])
            sources.remove(source)
            removed = self._removed.pop(source)
            found.append(Difference(ChangeKind.RENAMED, path, removed.side, looked.side, source))
        found += [_one_sided(path, looked.side, added=False) for path, looked in self._removed.items()]
        return sorted(found, key=lambda difference: difference.path)


def _one_sided(path: str, side: Side, *, added: bool) -> Difference:
    if added:
        return Difference(ChangeKind.ADDED, path, None, side)
    return Difference(ChangeKind.REMOVED, path, side, None)
