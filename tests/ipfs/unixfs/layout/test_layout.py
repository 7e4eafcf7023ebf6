"""The shape of trees; that their CIDs are those of others is in tests/interop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.unixfs.blocks import Blocks
from zwerm.ipfs.unixfs import layout
from zwerm.ipfs.unixfs.data import DataType, Mtime
from zwerm.ipfs.unixfs.profile import Layout, Profile
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


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, 0),
        (2, [0, 1]),
        (3, [0, 1, 2]),
        (4, [[0, 1, 2], [3]]),
        (9, [[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
        (10, [[[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[9]]]),
    ],
)
def test_balanced_trees_have_their_leaves_at_one_depth(count: int, expected: Shape) -> None:
    assert shape(*build(Profile(max_links=3), count)) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [0]),
        (2, [0, 1]),
        (3, [0, 1, [2]]),
        (10, [0, 1, [2, 3], [4, 5], [6, 7], [8, 9]]),
        (13, [0, 1, [2, 3], [4, 5], [6, 7], [8, 9], [10, 11, [12]]]),
    ],
)
def test_trickle_trees_hold_leaves_first_and_four_subtrees_of_each_depth(count: int, expected: Shape) -> None:
    assert shape(*build(Profile(max_links=2, layout=Layout.TRICKLE), count)) == expected


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
