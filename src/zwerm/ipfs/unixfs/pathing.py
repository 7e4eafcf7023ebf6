"""Paths through UnixFS: what `zwerm.ipfs.ipld.resolve` asks when a path meets a dag-pb block.

A dag-pb block that is no UnixFS is followed by the names of its links, as Kubo does.
"""

from __future__ import annotations

from zwerm.ipfs.ipld import resolve
from zwerm.ipfs.ipld.dag_pb import PBNode
from zwerm.ipfs.ipld.traverse import load
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.directory.listing import lookup
from zwerm.ipfs.unixfs.errors import NotADirectory, NotUnixFS
from zwerm.multiformats.cid import CID


async def follow(source: BlockSource, cid: CID, name: str) -> CID | None:
    """Return what `name` is in the dag-pb block, None when it has no such name: nothing lies below a file.

    Raises:
        BlockNotFound: the block, or a shard below it, cannot be had.
        WireError: one of these is malformed.
    """
    try:
        entry = await lookup(source, cid, name)
    except NotADirectory:
        return None
    except NotUnixFS:
        node = PBNode.parse(await load(source, cid))
        return next((link.cid for link in node.links if link.name == name), None)
    return entry.cid if entry is not None else None


resolve.register_unixfs(follow)
