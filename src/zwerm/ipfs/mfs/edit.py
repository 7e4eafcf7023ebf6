"""Surgery on the tree of a file: overwrite bytes, append leaves, cut the end off (boxo `ipld/unixfs/mod`).

Blocks are never changed: each operation loads the nodes on the way to the bytes it touches, makes new ones, and leaves
all others as they are. Whatever layout the file came with is kept; what is appended goes where a trickle tree grows,
as in Kubo, because that is the layout that can grow without moving what is there.

No block is written to a store here. New ones gather in `fresh`, where later operations find them again; the owner
takes them out when there are enough.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.builder import leaves
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotAFile
from zwerm.ipfs.unixfs.layout import Child
from zwerm.ipfs.unixfs.layout.trickle import DEPTH_REPEAT
from zwerm.ipfs.unixfs.node import Node, file_sizes
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

MAX_DEPTH: Final = 64  # levels of a file; a trickle tree of 2**63 bytes has fewer than 40
ZERO_LEAF: Final = 262_144  # bytes of a leaf in a hole; Kubo uses 4,096, for which a large hole is no longer small


class _Opened(NamedTuple):
    """A node with its parts side by side."""

    message: UnixFSData
    own: bytes  # bytes of file in the node itself
    children: list[Child]


class Growth(Protocol):
    """What is to be appended, leaf by leaf or by whole subtrees."""

    def __bool__(self) -> bool:
        """Whether anything is left."""
        ...

    def leaf(self) -> Child: ...

    def subtree(self, depth: int) -> Child | None:
        """Return a full trickle subtree of this depth if there is enough for one and it costs nothing to make."""
        ...


class FileEdit:
    """One file on its way to another. Belongs to one event loop; one operation at a time.

    An operation that raises leaves the file as it was before it.
    """

    def __init__(self, source: BlockSource, profile: Profile, root: Child) -> None:
        """Begin with the file at `root`; new nodes are named as `profile` says, changed leaves as they were."""
        self._source = source
        self._profile = profile
        self.root = root
        self.fresh: dict[bytes, Block] = {}  # by multihash

    @classmethod
    async def open(cls, source: BlockSource, profile: Profile, cid: CID) -> FileEdit:
        """Read the root of a file.

        Raises:
            NotAFile: it is a directory or a symlink.
            WireError: it is malformed.
            BlockNotFound: it cannot be had.
        """
        data = await source.get(cid)
        node = Node.parse(cid, data)
        if node.kind is not Kind.FILE:
            raise NotAFile(f"{cid} is a {node.kind.value}, not a file")
        own, sizes = file_sizes(cid, node)
        total = len(data) + sum(link.size or 0 for link in node.links)
        return cls(source, profile, Child(cid, own + sum(sizes), total))

    @property
    def size(self) -> int:
        """Bytes of file."""
        return self.root.size

    async def overwrite(self, offset: int, data: bytes | memoryview) -> None:
        """Replace bytes that are there: `offset + len(data)` is at most `size`."""
        if offset + len(data) > self.size:
            raise LocalProtocolError(f"bytes {offset} to {offset + len(data)} of a file of {self.size}")
        if data:
            self.root = await self._overwrite(self.root, offset, memoryview(data), 0)

    async def append(self, children: Iterable[Child]) -> None:
        """Put leaves behind the end; their blocks are the caller's."""
        await self._append(_Leaves(children))

    async def append_hole(self, size: int) -> None:
        """Put `size` zeros behind the end, at a cost that does not grow with them."""
        await self._append(_Zeros(self, size))

    async def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes, at most what it has."""
        if size > self.size:
            raise LocalProtocolError(f"cannot cut a file of {self.size} bytes to {size}")
        if size < self.size:
            self.root = await self._truncate(self.root, size, 0)

    async def finish(self, now: Mtime | None) -> Child:
        """Return the root in its final form.

        A file of one bare leaf is that leaf, so that small files get the CID that `add` gives them. A modification time
        that the file carries becomes `now`; one that it does not carry is not invented.
        """
        if self.root.cid.codec == multicodec.DAG_PB:
            opened = await self._open(self.root)
            if opened.message.mtime is not None and now is not None:
                opened = opened._replace(message=opened.message._replace(mtime=now))
                self.root = self._close(opened)
            bare = opened.message.mode is None and opened.message.mtime is None and not opened.own
            only = opened.children[0] if len(opened.children) == 1 else None
            if bare and self._profile.raw_leaves and only is not None and only.cid.codec == multicodec.RAW:
                self.root = only
        return self.root

    def keep(self, blocks: Iterable[Block]) -> None:
        """Take in blocks that the tree will link to."""
        for block in blocks:
            self.fresh[block.cid.multihash] = block

    async def _open(self, child: Child, depth: int = 0) -> _Opened:
        if depth > MAX_DEPTH:
            raise WireError(f"{child.cid} lies {depth} levels deep in a file, expected at most {MAX_DEPTH}")
        fresh = self.fresh.get(child.cid.multihash)
        node = Node.parse(child.cid, fresh.data if fresh is not None else await self._source.get(child.cid))
        if node.kind is not Kind.FILE:
            raise WireError(f"{child.cid} is a {node.kind.value} inside a file")
        own, sizes = file_sizes(child.cid, node)
        if own + sum(sizes) != child.size:
            raise WireError(f"{child.cid} holds {own + sum(sizes)} bytes, the node above says {child.size}")
        children = [Child(link.cid, size, link.size or 0) for link, size in zip(node.links, sizes, strict=True)]
        return _Opened(node.message, node.message.data or b"", children)

    def _close(self, opened: _Opened) -> Child:
        """Make the node again from its parts."""
        own, children = opened.own, opened.children
        message = opened.message._replace(
            type=DataType.FILE if children else opened.message.type,
            data=own or None,
            filesize=len(own) + sum(child.size for child in children),
            blocksizes=tuple(child.size for child in children),
        )
        links = [dag_pb.serialize_link(child.cid, "", child.total_size) for child in children]
        block = self._profile.block(dag_pb.join(links, message.serialize()))
        self.keep([block])
        total = len(block.data) + sum(child.total_size for child in children)
        return Child(block.cid, message.filesize or 0, total)

    def _close_leaf(self, child: Child, opened: _Opened) -> Child:
        if child.cid.codec != multicodec.RAW:
            return self._close(opened)
        block = self._raw_like(child.cid, opened.own)
        self.keep([block])
        return Child(block.cid, len(opened.own), len(opened.own))

    def _raw_like(self, cid: CID, data: bytes) -> Block:
        """Name changed bytes with the hash they had; one that cannot be made here, or inlines, gives way."""
        code = cid.hash_code
        if code == multicodec.IDENTITY or code not in multihash.FUNCTION_NAMES:
            return self._profile.block(data, multicodec.RAW)
        return Block.create(data, multicodec.RAW, code)

    async def _overwrite(self, child: Child, offset: int, data: memoryview, depth: int) -> Child:
        opened = await self._open(child, depth)
        end = offset + len(data)
        own = opened.own
        if offset < len(own):
            own = b"".join([own[:offset], data[: len(own) - offset], own[end:]])
            opened = opened._replace(own=own)
        if not opened.children:
            return self._close_leaf(child, opened)
        start = len(own)
        for index, below in enumerate(opened.children):
            if start < end and offset < start + below.size:
                first = max(offset, start)
                piece = data[first - offset : start + below.size - offset]
                opened.children[index] = await self._overwrite(below, first - start, piece, depth + 1)
            start += below.size
        return self._close(opened)

    async def _truncate(self, child: Child, size: int, depth: int) -> Child:
        opened = await self._open(child, depth)
        own = opened.own[:size]
        kept: list[Child] = []
        left = size - len(own)
        for below in opened.children:
            if left <= 0:
                break
            kept.append(below if below.size <= left else await self._truncate(below, left, depth + 1))
            left -= below.size
        opened = _Opened(opened.message, own, kept)
        return self._close(opened) if kept else self._close_leaf(child, opened)

    async def _append(self, growth: Growth) -> None:
        if not growth:
            return
        opened = await self._open(self.root)
        if not opened.children:
            # What the file held in its one block becomes the first leaf: bytes in a node that also has links are legal
            # and rare, and not every reader expects them.
            first = [self._first_leaf(opened.own)] if opened.own else []
            bare = self.root.cid.codec == multicodec.RAW
            message = UnixFSData(DataType.FILE) if bare else opened.message._replace(type=DataType.FILE)
            opened = _Opened(message, b"", first)
        await self._grow(opened.children, growth, None, 0)
        self.root = self._close(opened)

    def _first_leaf(self, data: bytes) -> Child:
        if self.root.cid.codec == multicodec.RAW:
            return self.root
        (leaf,) = leaves(self._profile, [data])
        self.keep([leaf.block])
        return Child(leaf.block.cid, leaf.size, len(leaf.block.data))

    async def _grow(self, children: list[Child], growth: Growth, max_depth: int | None, depth: int) -> None:
        """Append to a trickle node as though it had been built in one go: leaves, then subtrees, each filled first."""
        width = self._profile.max_links
        while growth and len(children) < width:
            children.append(growth.leaf())
        if growth and len(children) > width:
            await self._fill_last(children, growth, depth)
        while growth:
            below = (len(children) - width) // DEPTH_REPEAT + 1
            if max_depth is not None and below >= max_depth:
                return
            full = growth.subtree(below)
            if full is None:
                parts: list[Child] = []
                await self._grow(parts, growth, below, depth + 1)
                full = self._close(_Opened(UnixFSData(DataType.FILE), b"", parts))
            children.append(full)

    async def _fill_last(self, children: list[Child], growth: Growth, depth: int) -> None:
        last = children[-1]
        if last.cid.codec != multicodec.DAG_PB:
            return  # a leaf, where another layout put more of them than this one does
        opened = await self._open(last, depth + 1)
        if not opened.children:
            return
        before = len(opened.children), opened.children[-1]
        max_depth = (len(children) - 1 - self._profile.max_links) // DEPTH_REPEAT + 1
        await self._grow(opened.children, growth, max_depth, depth + 1)
        if (len(opened.children), opened.children[-1]) != before:
            children[-1] = self._close(opened)

    def zero_leaf(self, size: int) -> Child:
        """Make a leaf of zeros."""
        (leaf,) = leaves(self._profile, [bytes(size)])
        self.keep([leaf.block])
        return Child(leaf.block.cid, leaf.size, len(leaf.block.data))

    def full_subtree(self, leaf: Child, depth: int, made: dict[int, Child]) -> Child:
        """Make the full trickle subtree of `depth` in which every leaf is the same; `made` remembers shallower ones."""
        if depth not in made:
            parts = [leaf] * self._profile.max_links
            for below in range(1, depth):
                parts += [self.full_subtree(leaf, below, made)] * DEPTH_REPEAT
            made[depth] = self._close(_Opened(UnixFSData(DataType.FILE), b"", parts))
        return made[depth]

    def capacity(self, depth: int) -> int:
        """Leaves in a full trickle subtree: each depth holds itself, and four of every depth below."""
        return self._profile.max_links * int((1 + DEPTH_REPEAT) ** (depth - 1))


class _Leaves:
    """Leaves that exist."""

    def __init__(self, children: Iterable[Child]) -> None:
        self._children = deque(children)

    def __bool__(self) -> bool:
        return bool(self._children)

    def leaf(self) -> Child:
        return self._children.popleft()

    def subtree(self, depth: int) -> Child | None:  # noqa: ARG002 - there is never one
        return None


@dataclasses.dataclass(slots=True)
class _Zeros:
    """A hole: as many equal leaves as fit, and a shorter one."""

    edit: FileEdit
    size: int  # bytes left
    made: dict[int, Child] = dataclasses.field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.size > 0

    def leaf(self) -> Child:
        size = min(ZERO_LEAF, self.size)
        self.size -= size
        return self.edit.zero_leaf(size)

    def subtree(self, depth: int) -> Child | None:
        size = self.edit.capacity(depth) * ZERO_LEAF
        if size > self.size:
            return None
        self.size -= size
        return self.edit.full_subtree(self.edit.zero_leaf(ZERO_LEAF), depth, self.made)
