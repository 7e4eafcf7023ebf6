"""The trickle layout; that its CIDs are those of others is in tests/interop."""

from __future__ import annotations

import pytest

from tests.ipfs.unixfs.layout.shapes import Shape, build, shape
from zwerm.ipfs.unixfs.profile import Layout, Profile


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
