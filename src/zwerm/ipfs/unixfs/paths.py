"""Names in dag-pb blocks as segments of a content path: the function that `ipld.resolve` calls when it is needed."""

from __future__ import annotations

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.dag_pb import PBNode
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.directory.listing import lookup_in
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.node import Node
from zwerm.multiformats.cid import CID


async def follow(source: BlockSource, cid: CID, name: str) -> CID | None:
    """Find a name in a dag-pb block: an entry of a directory, or, in a block that is no UnixFS, a link of that name.

    Raises:
        WireError: the block, or a shard below it, is malformed.
        BlockNotFound: one of them cannot be had.
    """
    data = await source.get(cid)
    try:
        node = Node.parse(cid, data)
    except (NotUnixFS, WireError):
        for link in PBNode.parse(data).links:
            if link.name == name:
                return link.cid
        return None
    if node.kind is not Kind.DIRECTORY:
        return None
    entry = await lookup_in(source, cid, node, name)
    return entry and entry.cid
