"""What both layouts keep to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.unixfs.layout.shapes import build, leaves, shape
from zwerm.ipfs.unixfs import layout
from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.profile import Layout, Profile
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


@given(st.integers(1, 300), st.integers(2, 6), st.sampled_from(Layout))
def test_leaves_keep_their_order(count: int, width: int, kind: Layout) -> None:
    found = leaves(shape(*build(Profile(max_links=width, layout=kind), count)))
    assert found == [number % 256 for number in range(count)]


def test_without_leaves_a_balanced_tree_has_no_root_and_a_trickle_tree_an_empty_one() -> None:
    assert layout.tree(Profile()).finish(None, None) == (None, [])
    root, (block,) = layout.tree(Profile(layout=Layout.TRICKLE)).finish(None, None)
    assert root is not None
    assert (root.cid, root.size) == (block.cid, 0)


@pytest.mark.parametrize("kind", Layout)
def test_metadata_stands_in_the_root_alone(kind: Layout) -> None:
    blocks, root = build(Profile(max_links=2, layout=kind), 20, 0o600, Mtime(7))
    described = [cid for cid in blocks.data if cid.codec == multicodec.DAG_PB and blocks.parsed(cid)[0].mode]
    assert described == [root]
    assert blocks.parsed(root)[0].mtime == Mtime(7)


@pytest.mark.parametrize("kind", Layout)
def test_only_the_open_path_is_held(kind: Layout) -> None:
    """Blocks leave as soon as they are complete, so a file of any size needs a few lists."""
    tree = layout.tree(Profile(max_links=4, layout=kind))
    leaf = layout.Child(CID.of(b""), 1, 1)
    written = sum(len(tree.push(leaf)) for _ in range(10_000))
    assert written > 2000
    assert len(tree.finish(None, None)[1]) < 20
