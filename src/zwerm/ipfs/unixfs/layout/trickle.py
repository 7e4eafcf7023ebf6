"""The trickle layout: a node holds leaves first, then subtrees that grow deeper (boxo `importer/trickle`).

Each depth is used four times before the next. The recursion that describes the tree is kept as it stands in the
definition: it runs as a generator that asks for one leaf at a time.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.layout.node import Child, join
from zwerm.ipfs.unixfs.profile import Profile

DEPTH_REPEAT: Final = 4  # subtrees of one depth in a node

_Leaves = Generator[None, Child | None, Child]


class TrickleTree:
    """Builds the tree of one file; an empty file is a node without children."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._blocks: list[Block] = []
        self._next: Child | None = None  # looked ahead: whether data follows decides whether a subtree begins
        self._metadata: tuple[int | None, Mtime | None] = (None, None)
        self._filling = self._fill_root()
        next(self._filling)

    def push(self, leaf: Child) -> list[Block]:
        """Take the next leaf; return the nodes that it completed."""
        self._filling.send(leaf)
        blocks, self._blocks = self._blocks, []
        return blocks

    def finish(self, mode: int | None, mtime: Mtime | None) -> tuple[Child | None, list[Block]]:
        """Return the root and the nodes that were still open."""
        self._metadata = (mode, mtime)
        try:
            self._filling.send(None)
        except StopIteration as stop:
            return stop.value, self._blocks
        raise AssertionError("a trickle tree ends with its data")

    def _fill_root(self) -> _Leaves:
        self._next = yield
        children = yield from self._children(None)
        root, block = join(self._profile, children, *self._metadata)
        self._blocks.append(block)
        return root

    def _children(self, max_depth: int | None) -> Generator[None, Child | None, list[Child]]:
        children: list[Child] = []
        while self._next is not None and len(children) < self._profile.max_links:
            children.append(self._next)
            self._next = yield
        depth = 1
        while not self._ended() and (max_depth is None or depth < max_depth):
            for _ in range(DEPTH_REPEAT):
                if self._ended():
                    break
                node, block = join(self._profile, (yield from self._children(depth)))
                self._blocks.append(block)
                children.append(node)
            depth += 1
        return children

    def _ended(self) -> bool:
        return self._next is None
