"""The balanced layout: every leaf at the same depth (boxo `importer/balanced`)."""

from __future__ import annotations

from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.layout.node import Child, join
from zwerm.ipfs.unixfs.profile import Profile


class BalancedTree:
    """Fills level after level. A full node is closed only when its next sibling comes, so a lone one stays the root."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._levels: list[list[Child]] = [[]]  # open nodes from the leaves up

    def push(self, leaf: Child) -> list[Block]:
        """Take the next leaf; return the nodes that it completed."""
        bottom = self._levels[0]
        if len(bottom) < self._profile.max_links:
            bottom.append(leaf)
            return []
        blocks: list[Block] = []
        self._raise(0, leaf, blocks)
        return blocks

    def finish(self, mode: int | None, mtime: Mtime | None) -> tuple[Child | None, list[Block]]:
        """Return the root, None when there were no leaves, and the nodes that were still open."""
        blocks: list[Block] = []
        for level, children in enumerate(self._levels):
            if level + 1 == len(self._levels):
                if len(children) < 2:
                    return (children[0] if children else None), blocks
                root, block = join(self._profile, children, mode, mtime)
                return root, [*blocks, block]
            node, block = join(self._profile, children)
            blocks.append(block)
            above = self._levels[level + 1]
            if len(above) == self._profile.max_links:
                self._raise(level + 1, node, blocks)
            else:
                above.append(node)
        raise AssertionError("a balanced tree has a level")

    def _raise(self, level: int, child: Child, blocks: list[Block]) -> None:
        """Close the full node of `level`, pass it up, and begin the next with `child`."""
        node, block = join(self._profile, self._levels[level])
        blocks.append(block)
        self._levels[level] = [child]
        if level + 1 == len(self._levels):
            self._levels.append([])
        above = self._levels[level + 1]
        if len(above) < self._profile.max_links:
            above.append(node)
        else:
            self._raise(level + 1, node, blocks)
