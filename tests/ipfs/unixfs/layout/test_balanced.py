"""The balanced layout; that its CIDs are those of others is in tests/interop."""

from __future__ import annotations

import pytest

from tests.ipfs.unixfs.layout.shapes import Shape, build, shape
from zwerm.ipfs.unixfs.profile import Profile


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
