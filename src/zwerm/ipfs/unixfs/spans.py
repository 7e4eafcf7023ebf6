"""Where the bytes of a file lie: a range as runs of leaf blocks, without reading the leaves.

What can send from the disk itself (`os.sendfile`) needs to know which block holds which bytes, not the bytes. The inner
nodes are read and checked as `File.stream` does; that a raw leaf has the promised size is the caller's to check, when
it locates the block.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.node import Node, file_sizes, parse_inner
from zwerm.ipfs.unixfs.reader import MAX_DEPTH, File
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


class Span(NamedTuple):
    """A run of bytes of the file."""

    cid: CID  # the block that holds it
    data: bytes | None  # the bytes, where the block had to be read anyway; None for a raw leaf
    offset: int  # first byte within the leaf
    size: int  # bytes
    leaf: int  # bytes of the whole leaf, as its parent says


async def spans(source: BlockSource, file: File, start: int = 0, end: int | None = None) -> AsyncGenerator[Span, None]:
    """Yield the runs that make up the bytes from `start` up to but without `end`, in order.

    Raises:
        WireError: the tree contradicts itself, or is too deep.
        BlockNotFound: an inner node cannot be had; what was yielded before is right.
    """
    end = file.size if end is None else min(end, file.size)
    if start < 0:
        raise LocalProtocolError(f"offset {start}, expected 0 or more")
    if file.cid.codec == multicodec.RAW:
        if start < end:
            yield Span(file.cid, None, start, end - start, file.size)
        return
    waiting = [(file.cid, 0, file.size, 0)]  # what is left to visit, the next one last: CID, position, size, depth
    while waiting:
        cid, position, size, depth = waiting.pop()
        first, last = max(start - position, 0), min(end - position, size)
        if cid.codec == multicodec.RAW:
            yield Span(cid, None, first, last - first, size)
            continue
        if depth > MAX_DEPTH:
            raise WireError(f"{file.cid} is a file of more than {MAX_DEPTH} levels")
        node = file.node if depth == 0 else _checked(file, cid, await source.get(cid), size)
        own, sizes = file_sizes(cid, node)
        if first < min(last, own):
            data = (node.message.data or b"")[first : min(last, own)]
            yield Span(cid, data, first, len(data), own)
        at = position + own
        children: list[tuple[CID, int, int, int]] = []
        for link, length in zip(node.links, sizes, strict=True):
            if at >= end:
                break
            if length and at + length > start:
                children.append((link.cid, at, length, depth + 1))
            at += length
        waiting += reversed(children)


def _checked(file: File, cid: CID, data: bytes, size: int) -> Node:
    """Parse a block inside the file and hold it against what its parent said."""
    node = parse_inner(cid, data)
    if node.kind is not Kind.FILE:
        raise WireError(f"{file.cid} is a file that links to a {node.kind.value}, {cid}")
    own, sizes = file_sizes(cid, node)
    if own + sum(sizes) != size:
        raise WireError(f"{cid} holds {own + sum(sizes)} bytes of file, its parent says {size}")
    return node
