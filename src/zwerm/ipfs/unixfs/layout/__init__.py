"""Layouts: how the leaves of a file become a tree.

A layout is a push machine: `push` takes the next leaf and returns the blocks of nodes that are complete, `finish`
returns the last blocks and the root. It holds one path of open nodes, so memory does not grow with the file.
"""

from __future__ import annotations

from typing import Protocol

from zwerm.ipfs.block import Block
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.layout import balanced, trickle
from zwerm.ipfs.unixfs.layout.node import Child
from zwerm.ipfs.unixfs.profile import Layout, Profile

__all__ = ["Child", "Tree", "tree"]


class Tree(Protocol):
    """Builds the tree of one file."""

    def push(self, leaf: Child) -> list[Block]:
        """Take the next leaf; return the nodes that it completed."""
        ...

    def finish(self, mode: int | None, mtime: Mtime | None) -> tuple[Child | None, list[Block]]:
        """Return the root and the nodes that were still open.

        The root is None when there were no leaves and the layout has no form of its own for an empty file. Metadata
        goes into the root, except when the root is the only leaf: that is the caller's to rewrite.
        """
        ...


def tree(profile: Profile) -> Tree:
    """Make the layout that the profile names."""
    if profile.layout is Layout.TRICKLE:
        return trickle.TrickleTree(profile)
    return balanced.BalancedTree(profile)
