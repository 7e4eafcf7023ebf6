"""The verbs of the file system as functions from a root to the next: what `Files` does between taking a lock and
making the result durable. None of them changes anything that is there; an exception means there is no next root.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator

from zwerm.core.errors import LocalProtocolError, ZwermError
from zwerm.ipfs.mfs.errors import BadPath, FileExists, FileMissing, IsADirectory, NotADirectory
from zwerm.ipfs.mfs.journal import ChangeKind, Outcome, Touch
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.mfs.tree import Found, Tree, profile_of_directory
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.ipfs.unixfs.reader import stat
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_TAKEN = "directory already has entry by that name"


@contextlib.contextmanager
def explained(prefix: str) -> Iterator[None]:
    """Say in front of an error what was being done when it came."""
    try:
        yield
    except ZwermError as error:
        error.args = (f"{prefix}: {error}",)
        raise


async def kind_of(source: BlockSource, cid: CID) -> Kind:
    """Return what a node is; of bare bytes without reading them. Raises as `reader.stat`."""
    return Kind.FILE if cid.codec == multicodec.RAW else (await stat(source, cid)).kind


async def existing(tree: Tree, root: CID, path: FilePath) -> Found:
    """Return what the path leads to; FileMissing when that is nothing."""
    found = await tree.find(root, path.segments)
    if found is None:
        raise FileMissing
    return found


async def nearest_directory(tree: Tree, root: CID, path: FilePath) -> CID:
    """Return the deepest directory above the path that exists: what is new there is made as it was."""
    while (found := await tree.find(root, path.parent.segments)) is None:
        path = path.parent
    return found.cid


async def make_directory(tree: Tree, root: CID, path: FilePath, *, parents: bool, profile: Profile | None) -> Outcome:
    """`files mkdir`. Without `profile` the directory is made as the one it is in."""
    if not path.segments:
        if parents:
            return Outcome(root)
        raise FileExists("cannot create directory '/': Already exists")
    try:
        found = await tree.find(root, path.segments)
    except NotADirectory as error:
        raise NotADirectory(f"{str(error).split()[2].rstrip(':')} was not a directory") from None
    if found is not None:
        if parents and await kind_of(tree.workspace, found.cid) is Kind.DIRECTORY:
            return Outcome(root)
        raise FileExists("file already exists")
    if profile is None:
        profile = profile_of_directory(tree.profile, await nearest_directory(tree, root, path))
    empty = tree.empty(profile)
    new = Found(empty.cid, empty.total_size)
    root = await tree.put(root, path.segments, new, parents=profile if parents else None)
    return Outcome(root, (Touch(ChangeKind.ADDED, str(path._replace(directory=False))),))


async def place(
    tree: Tree, root: CID, path: FilePath, found: Found, *, parents: bool, kind: ChangeKind | None = None
) -> Outcome:
    """Put a node at a path, whatever is there."""
    before = await tree.find(root, path.segments)
    if before is not None and before.cid == found.cid:
        return Outcome(root)
    profile = None
    if parents:
        profile = profile_of_directory(tree.profile, await nearest_directory(tree, root, path))
    after = await tree.put(root, path.segments, found, parents=profile)
    kind = kind or (ChangeKind.ADDED if before is None else ChangeKind.CHANGED)
    return Outcome(after, (Touch(kind, str(path._replace(directory=False))),), found.cid)


async def copy(tree: Tree, root: CID, path: FilePath, found: Found, *, parents: bool, force: bool) -> Outcome:
    """`files cp`, once the source is found."""
    if not path.segments:
        raise BadPath("cannot create file with empty name")
    with explained(f"cp: cannot put node in path {path}"):
        before = await tree.find(root, path.segments)
        if before is not None and not force:
            raise FileExists(_TAKEN)
    if before is not None and await kind_of(tree.workspace, before.cid) is Kind.DIRECTORY:
        with explained("cp: cannot unlink existing file"):
            raise IsADirectory(f"not a file: {path}")
    with explained(f"cp: cannot put node in path {path}"):
        return await place(tree, root, path, found, parents=parents)


async def move(tree: Tree, root: CID, source: FilePath, target: FilePath) -> Outcome:
    """`files mv`: rename, replace a file, or move into a directory."""
    if not source.segments:
        raise LocalProtocolError("cannot move the root")
    directory = target if target.directory or not target.segments else target.parent
    above = await existing(tree, root, directory)
    if await kind_of(tree.workspace, above.cid) is not Kind.DIRECTORY:
        raise NotADirectory(f"{directory} is not a directory")
    found = await existing(tree, root, source)
    into = directory.child(source.name if directory is target else target.name)
    there = await tree.find(root, into.segments)
    inside = into.child(source.name)
    if there is not None and await kind_of(tree.workspace, there.cid) is Kind.DIRECTORY:
        if inside.segments != source.segments and await tree.find(root, inside.segments) is not None:
            raise FileExists(_TAKEN)
        into = inside
    if into.segments == source.segments:
        return Outcome(root)
    if source.contains(into):
        raise LocalProtocolError(f"cannot move {source} into itself, to {into}")
    root = await tree.remove(root, source.segments)
    root = await tree.put(root, into.segments, found)
    before = str(source._replace(directory=False))
    return Outcome(root, (Touch(ChangeKind.RENAMED, str(into), before),))


async def remove(tree: Tree, root: CID, path: FilePath, *, recursive: bool, force: bool) -> Outcome:
    """`files rm` of one path."""
    if not path.segments:
        raise LocalProtocolError("cannot delete root")
    found = await tree.find(root, path.segments)
    if found is None:
        if force:
            return Outcome(root)
        raise FileMissing
    if not (recursive or force) and await kind_of(tree.workspace, found.cid) is Kind.DIRECTORY:
        raise IsADirectory("path is a directory, use -r to remove directories")
    root = await tree.remove(root, path.segments)
    return Outcome(root, (Touch(ChangeKind.REMOVED, str(path._replace(directory=False))),))


async def rewrite(
    tree: Tree, root: CID, path: FilePath, change: Callable[[CID], Awaitable[Found]], kind: ChangeKind
) -> Outcome:
    """Put in the place of a node what `change` makes of it."""
    before = await existing(tree, root, path)
    found = await change(before.cid)
    if found.cid == before.cid:
        return Outcome(root)
    after = await tree.put(root, path.segments, found)
    return Outcome(after, (Touch(kind, str(path._replace(directory=False))),))
