"""Building trees of one byte a leaf, and describing them."""

from __future__ import annotations

from tests.ipfs.unixfs.blocks import Blocks
from zwerm.ipfs.unixfs import layout
from zwerm.ipfs.unixfs.data import DataType, Mtime
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

Shape = int | list["Shape"]


def build(profile: Profile, count: int, mode: int | None = None, mtime: Mtime | None = None) -> tuple[Blocks, CID]:
    """Build a tree over `count` leaves of one byte each."""
    blocks = Blocks()
    tree = layout.tree(profile)
    for number in range(count):
        blocks.put(tree.push(layout.Child(blocks.raw(b"%c" % (number % 256)), 1, 1)))
    root, rest = tree.finish(mode, mtime)
    blocks.put(rest)
    assert root is not None
    assert root.size == count
    return blocks, root.cid


def shape(blocks: Blocks, cid: CID) -> Shape:
    """Describe a tree: a leaf is its byte, a node the list of what it links to, with its sizes checked."""
    if cid.codec == multicodec.RAW:
        return blocks.data[cid][0]
    message, links = blocks.parsed(cid)
    assert message.type is DataType.FILE
    assert [link.name for link in links] == [""] * len(links)
    below = [shape(blocks, link.cid) for link in links]
    assert message.blocksizes == tuple(len(leaves(part)) for part in below)
    assert message.filesize == sum(message.blocksizes)
    assert [link.size for link in links] == [total(blocks, link.cid) for link in links]
    return below


def total(blocks: Blocks, cid: CID) -> int:
    below = [] if cid.codec == multicodec.RAW else [total(blocks, link.cid) for link in blocks.parsed(cid)[1]]
    return len(blocks.data[cid]) + sum(below)


def leaves(part: Shape) -> list[int]:
    return [part] if isinstance(part, int) else [leaf for below in part for leaf in leaves(below)]
