"""A node of a file: links to its children, and how many bytes of file lie under each."""

from __future__ import annotations

from typing import NamedTuple

from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID


class Child(NamedTuple):
    """A finished subtree."""

    cid: CID
    size: int  # bytes of file
    total_size: int  # bytes of blocks: Tsize


def join(
    profile: Profile, children: list[Child], mode: int | None = None, mtime: Mtime | None = None
) -> tuple[Child, Block]:
    """Make the node over these children."""
    size = sum(child.size for child in children)
    data = UnixFSData(DataType.FILE, filesize=size, blocksizes=tuple(child.size for child in children))
    if mode is not None or mtime is not None:
        data = data.with_metadata(mode, mtime)
    # Links of a file carry an empty name, not none (specs.ipfs.tech/unixfs, "File": Kubo always wrote it so).
    links = [dag_pb.serialize_link(child.cid, "", child.total_size) for child in children]
    block = profile.block(dag_pb.join(links, data.serialize()))
    return Child(block.cid, size, len(block.data) + sum(child.total_size for child in children)), block
