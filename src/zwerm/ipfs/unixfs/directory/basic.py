"""The plain form of a directory, one block of links sorted by name, and the rule that says when it is too big."""

from __future__ import annotations

from collections.abc import Iterable

from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.directory.hamt import link_bytes
from zwerm.ipfs.unixfs.profile import Profile, SizeEstimate


def serialize_directory(
    profile: Profile, links: Iterable[tuple[bytes, bytes, int]], mode: int | None, mtime: Mtime | None
) -> tuple[Block, int]:
    """Make the block of a directory from names, binary CIDs and Tsizes in any order; return it and its Tsize."""
    ordered = sorted(links)
    message = UnixFSData(DataType.DIRECTORY).with_metadata(mode, mtime)
    block = profile.block(dag_pb.join([link_bytes(*link) for link in ordered], message.serialize()))
    return block, len(block.data) + sum(size for _, _, size in ordered)


def base_size(profile: Profile, mode: int | None, mtime: Mtime | None) -> int:
    """Return the estimate for a directory without entries, in bytes."""
    if profile.hamt_estimate is SizeEstimate.LINKS:
        return 0
    message = UnixFSData(DataType.DIRECTORY).with_metadata(mode, mtime)
    return len(dag_pb.join([], message.serialize()))


def link_size(profile: Profile, name: bytes, cid: bytes, size: int) -> int:
    """Return what one entry adds to the estimate, in bytes."""
    if profile.hamt_estimate is SizeEstimate.LINKS:
        return len(name) + len(cid)
    fields = (len(cid), len(name), size)
    link = 3 + sum(map(_varint_size, fields)) + len(cid) + len(name)
    return 1 + _varint_size(link) + link


def _varint_size(value: int) -> int:
    return (value.bit_length() + 6) // 7 or 1
