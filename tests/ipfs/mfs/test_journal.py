"""The touches of a change set: each path once, with what happened to it in all."""

from __future__ import annotations

import pytest

from zwerm.ipfs.mfs.journal import MAX_TOUCHES, Change, ChangeKind, Touch, Touches
from zwerm.multiformats.cid import CID

ADDED, CHANGED, REMOVED, RENAMED, MODE = ChangeKind


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [
        (ADDED, CHANGED, ADDED),
        (ADDED, MODE, ADDED),
        (ADDED, REMOVED, None),
        (CHANGED, MODE, CHANGED),
        (CHANGED, REMOVED, REMOVED),
        (REMOVED, ADDED, CHANGED),
        (RENAMED, CHANGED, RENAMED),
        (MODE, CHANGED, CHANGED),
    ],
)
def test_two_things_that_happen_to_a_path_count_as_one(
    first: ChangeKind, second: ChangeKind, total: ChangeKind | None
) -> None:
    touches = Touches()
    touches.add(Touch(first, "/a", "/old" if first is RENAMED else None))
    touches.add(Touch(second, "/a"))
    expected = [] if total is None else [Touch(total, "/a", "/old" if total is RENAMED else None)]
    assert touches.list() == expected
    assert bool(touches) == bool(expected)


def test_a_path_that_is_renamed_onto_another_keeps_where_it_came_from() -> None:
    touches = Touches()
    touches.add(Touch(CHANGED, "/b"))
    touches.add(Touch(RENAMED, "/b", "/a"))
    assert touches.list() == [Touch(RENAMED, "/b", "/a")]


def test_more_paths_than_the_limit_are_counted() -> None:
    touches = Touches()
    for number in range(MAX_TOUCHES + 5):
        touches.add(Touch(ADDED, f"/{number}"))
    assert (len(touches.list()), touches.omitted) == (MAX_TOUCHES, 5)


def test_a_copy_goes_its_own_way() -> None:
    touches = Touches()
    copy = touches.copy()
    copy.add(Touch(ADDED, "/a"))
    assert not touches
    assert copy


def test_a_change_lists_its_paths() -> None:
    assert Change(CID.of(b""), None, (Touch(ADDED, "/a"), Touch(REMOVED, "/b"))).paths == ("/a", "/b")
