"""Putting a tree of new files into directories that exist, each directory rewritten once however many names it gets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.tree import profile_of_directory
from zwerm.ipfs.unixfs.directory import DirectoryBuilder, DirectoryWriter
from zwerm.ipfs.unixfs.directory.hamt import name_bytes
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.reader import stat

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.profile import Profile
    from zwerm.multiformats.cid import CID
    from zwerm.node.node import Node

Tree: TypeAlias = "dict[str, Entry | Tree]"  # a name is a finished file, or a directory of further names


def insert(tree: Tree, path: tuple[str, ...], entry: Entry | None) -> None:
    """Put a file into the tree, or with None a directory; the last one of a name counts.

    Raises:
        BadPath: a name is a file and a directory.
    """
    for name in path[:-1] if entry is not None else path:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            raise BadPath(f"{'/'.join(path)!r} is below a file of the same upload")
        tree = below
    if entry is not None:
        if isinstance(tree.get(path[-1]), dict):
            raise BadPath(f"{'/'.join(path)!r} is a file and a folder in the same upload")
        tree[path[-1]] = entry


async def merge(node: Node, profile: Profile, existing: CID | None, tree: Tree) -> Entry:
    """Make the directory that has what `existing` has and what `tree` adds; names of both are the tree's.

    Directories in directories are merged; anything else is replaced. Blocks are put, nothing is synced.
    """
    if existing is None:
        entries = {
            name: below if isinstance(below, Entry) else await merge(node, profile, None, below)
            for name, below in tree.items()
        }
        return await asyncio.to_thread(_write, node, profile, entries)
    builder = await DirectoryBuilder.open(node.source, existing, profile_of_directory(profile, existing))
    for number, (name, below) in enumerate(tree.items()):
        if isinstance(below, Entry):
            entry = below
        else:
            found = await builder.lookup(name)
            entry = await merge(node, profile, await directory_or_none(node, found.cid if found else None), below)
        await builder.set(name, entry.cid, entry.total_size)
        if number % 256 == 255:
            await asyncio.sleep(0)
    return await asyncio.to_thread(builder.finish, node.store)


async def directory_or_none(node: Node, cid: CID | None) -> CID | None:
    """Return the CID if it is that of a directory."""
    if cid is None:
        return None
    try:
        return cid if (await stat(node.source, cid)).kind is Kind.DIRECTORY else None
    except NotUnixFS:
        return None


def _write(node: Node, profile: Profile, entries: dict[str, Entry]) -> Entry:
    writer = DirectoryWriter(node.store, profile)
    for name in sorted(entries, key=name_bytes):
        writer.add(name, entries[name].cid, entries[name].total_size)
    return writer.finish()
