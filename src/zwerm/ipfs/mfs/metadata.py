"""Permissions and modification times (UnixFS 1.5) on nodes that exist."""

from __future__ import annotations

from typing import Final

from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.mfs.tree import Found, Tree, profile_of_directory
from zwerm.ipfs.unixfs.chunker import MAX_CHUNK
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.node import Node
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_PERMISSIONS: Final = 0o7777


async def with_mode(tree: Tree, cid: CID, mode: int) -> Found:
    """Return the node with these permissions, 12 bits; 0 takes them away, as in Kubo."""
    data = await tree.workspace.get(cid)
    node = Node.parse(cid, data)
    if node.kind is Kind.DIRECTORY:
        builder = await DirectoryBuilder.open(tree.workspace, cid, profile_of_directory(tree.profile, cid))
        builder.mode = mode & _PERMISSIONS or None
        return _finished(tree, builder)
    bits = (node.message.mode or 0) & ~_PERMISSIONS | mode & _PERMISSIONS
    return _rewritten(tree, cid, node, node.message._replace(mode=bits or None))


async def with_mtime(tree: Tree, cid: CID, mtime: Mtime) -> Found:
    """Return the node with this modification time."""
    data = await tree.workspace.get(cid)
    node = Node.parse(cid, data)
    if node.kind is Kind.DIRECTORY:
        builder = await DirectoryBuilder.open(tree.workspace, cid, profile_of_directory(tree.profile, cid))
        builder.mtime = mtime
        return _finished(tree, builder)
    return _rewritten(tree, cid, node, node.message._replace(mtime=mtime))


async def with_format(tree: Tree, cid: CID, profile: Profile) -> Found:
    """Return the directory with its root node named as `profile` says; NotADirectory for anything else."""
    return _finished(tree, await DirectoryBuilder.open(tree.workspace, cid, profile))


def _finished(tree: Tree, builder: DirectoryBuilder) -> Found:
    entry = builder.finish(tree.workspace)
    return Found(entry.cid, entry.total_size)


def _rewritten(tree: Tree, cid: CID, node: Node, message: UnixFSData) -> Found:
    links = node.links
    if cid.codec == multicodec.RAW:
        # Bare bytes have no place for metadata: they move into a node, as importers do it, or under one if too many.
        size = len(node.message.data or b"")
        message = message._replace(type=DataType.FILE, filesize=size)
        if size > MAX_CHUNK:
            links = (PBLink(cid, "", size),)
            message = message._replace(data=None, blocksizes=(size,))
    pieces = [dag_pb.serialize_link(link.cid, link.name, link.size) for link in links]
    block: Block = profile_of_directory(tree.profile, cid).block(dag_pb.join(pieces, message.serialize()))
    tree.workspace.put([block])
    return Found(block.cid, len(block.data) + sum(link.size or 0 for link in links))
