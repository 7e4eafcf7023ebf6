"""Trees of directories as values: look a path up below a root, or make the root that differs from it in one entry.

A change opens the directories on its path, and writes each of them anew from the bottom up; all else is shared with
the tree before. Nothing is half done: until the new root is returned the old one stands.
"""

from __future__ import annotations

import dataclasses
from typing import Final, NamedTuple

from zwerm.ipfs.mfs.errors import FileMissing, NotADirectory
from zwerm.ipfs.mfs.path import check_name
from zwerm.ipfs.mfs.workspace import Workspace
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
from zwerm.ipfs.unixfs.entry import Entry
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

_OPEN_DIRECTORIES: Final = 8  # kept open for the next change: their names are parsed once
_SHARDED_CHANGES: Final = 1_000  # after so many, the shards that a builder holds have become many


class Found(NamedTuple):
    """What a path leads to."""

    cid: CID
    total_size: int  # Tsize; of the root 0, since nothing links to it


def profile_of_directory(profile: Profile, like: CID) -> Profile:
    """Return how the nodes of a directory named `like` are made: with its CID version and hash."""
    code = like.hash_code
    if code == multicodec.IDENTITY or code not in multihash.FUNCTION_NAMES:
        code = profile.hash_code if like.version else multicodec.SHA2_256
    return dataclasses.replace(profile, cid_version=like.version, hash_code=code, inline_limit=None)


async def find(source: BlockSource, root: CID, segments: tuple[str, ...]) -> Found | None:
    """Follow names below `root`; None when the last one, or one on the way, is not there.

    Raises:
        NotADirectory: a name on the way is something else.
        WireError: a directory is malformed.
        BlockNotFound: a directory cannot be had.
    """
    found = Found(root, 0)
    for index, name in enumerate(segments):
        try:
            entry = await directory.lookup(source, found.cid, name)
        except NotADirectory:
            raise NotADirectory(f"cannot access {'/'.join(segments[: index + 1])}: Not a directory") from None
        if entry is None:
            return None
        found = Found(entry.cid, entry.total_size)
    return found


class Tree:
    """Makes new roots. Their blocks wait in the workspace. One call at a time: whoever holds the writers' lock."""

    def __init__(self, workspace: Workspace, profile: Profile) -> None:
        self.workspace = workspace
        self.profile = profile
        self._open: dict[CID, tuple[DirectoryBuilder, int]] = {}  # with the changes since it was opened; oldest first

    def empty(self, profile: Profile | None = None) -> Entry:
        """Make a directory without entries."""
        return DirectoryBuilder(profile or self.profile).finish(self.workspace)

    async def find(self, root: CID, segments: tuple[str, ...]) -> Found | None:
        """As the function `find`, with the directories that are open; for whoever holds the writers' lock."""
        found = Found(root, 0)
        for index, name in enumerate(segments):
            builder, changes = await self._builder(found.cid, segments, index)
            entry = await builder.lookup(name)
            self._keep(found.cid, builder, changes)
            if entry is None:
                return None
            found = Found(entry.cid, entry.total_size)
        return found

    async def put(self, root: CID, segments: tuple[str, ...], found: Found, *, parents: Profile | None = None) -> CID:
        """Return the root in which `segments` leads to `found`, whatever it led to before.

        Directories that are missing on the way are made as `parents` says; without it they must be there.

        Raises:
            FileMissing: a directory on the way is missing.
            NotADirectory: something on the way is no directory.
            BadPath: a name that no new file may have.
        """
        if not segments:
            return found.cid
        return await self._changed(root, segments, found, parents)

    async def remove(self, root: CID, segments: tuple[str, ...]) -> CID:
        """Return the root without that entry; FileMissing when there is none."""
        return await self._changed(root, segments, None, None)

    def forget(self) -> None:
        """Close the directories that are kept open: what they became was not kept."""
        self._open.clear()

    async def _changed(self, root: CID, segments: tuple[str, ...], found: Found | None, parents: Profile | None) -> CID:
        try:
            return await self._change(root, segments, found, parents)
        except BaseException:
            self.forget()  # a directory further down may have been changed already
            raise

    async def _change(self, root: CID, segments: tuple[str, ...], found: Found | None, parents: Profile | None) -> CID:
        path: list[tuple[DirectoryBuilder, int]] = [await self._builder(root, segments, 0)]
        for index, name in enumerate(segments[:-1]):
            entry = await path[-1][0].lookup(name)
            if entry is not None:
                path.append(await self._builder(entry.cid, segments, index + 1))
                continue
            if parents is None:
                raise FileMissing
            check_name(name)
            path.append((DirectoryBuilder(parents, source=self.workspace), 0))
        if found is None:
            if await path[-1][0].lookup(segments[-1]) is None:
                raise FileMissing
        elif await path[-1][0].lookup(segments[-1]) is None:
            check_name(segments[-1])
        for (builder, changes), name in zip(reversed(path), reversed(segments), strict=True):
            if found is None:
                await builder.remove(name)
            else:
                await builder.set(name, found.cid, found.total_size)
            entry_of = builder.finish(self.workspace)
            found = Found(entry_of.cid, entry_of.total_size)
            self._keep(found.cid, builder, changes + 1)
        assert found is not None  # noqa: S101 - a path has at least one directory, the root
        return found.cid

    async def _builder(self, cid: CID, segments: tuple[str, ...], depth: int) -> tuple[DirectoryBuilder, int]:
        kept = self._open.pop(cid, None)
        if kept is not None:
            return kept
        try:
            return await DirectoryBuilder.open(self.workspace, cid, profile_of_directory(self.profile, cid)), 0
        except NotADirectory:
            where = "/".join(segments[: depth + 1])
            raise NotADirectory(f"cannot access {where}: Not a directory") from None

    def _keep(self, cid: CID, builder: DirectoryBuilder, changes: int) -> None:
        if builder.sharded and changes > _SHARDED_CHANGES:
            return
        self._open[cid] = builder, changes
        while len(self._open) > _OPEN_DIRECTORIES:
            del self._open[next(iter(self._open))]
