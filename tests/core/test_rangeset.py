"""Range sets hold what a plain set of integers would, in as few ranges as there are."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.rangeset import Range, RangeSet

ENDS = st.tuples(st.integers(-20, 20), st.integers(0, 12)).map(lambda ends: (ends[0], ends[0] + ends[1]))


def ranges(*pairs: tuple[int, int], limit: int | None = None) -> RangeSet:
    result = RangeSet(limit=limit)
    for start, stop in pairs:
        result.add(start, stop)
    return result


def test_neighbours_become_one_range() -> None:
    assert list(ranges((0, 2), (4, 6), (2, 4))) == [(0, 6)]


def test_add_tells_whether_anything_was_new() -> None:
    numbers = ranges((0, 4))
    assert not numbers.add(1, 3)
    assert not numbers.add(2, 2)
    assert numbers.add(3, 5)
    assert list(numbers) == [(0, 5)]


def test_removing_from_the_middle_leaves_two_ranges() -> None:
    numbers = ranges((0, 10))
    numbers.remove(3, 5)
    numbers.remove(20, 30)
    numbers.remove(7, 7)
    assert list(numbers) == [(0, 3), (5, 10)]
    assert numbers.size == 8
    assert len(numbers) == 2


def test_gaps_are_what_is_missing_between_two_ends() -> None:
    numbers = ranges((2, 4), (6, 8), (12, 14))
    assert list(numbers.gaps(0, 10)) == [(0, 2), (4, 6), (8, 10)]
    assert list(numbers.gaps(3, 7)) == [(4, 6)]
    assert list(numbers.gaps(2, 4)) == []
    assert list(numbers.gaps(20, 22)) == [(20, 22)]


def test_the_first_range_can_be_taken() -> None:
    numbers = ranges((2, 4), (6, 8))
    assert numbers.pop_first() == Range(2, 4)
    assert numbers.pop_first().size == 2
    with pytest.raises(LocalProtocolError):
        numbers.pop_first()


def test_a_peer_that_leaves_holes_meets_the_limit_and_changes_nothing() -> None:
    numbers = ranges((0, 1), (10, 11), (20, 21), limit=3)
    with pytest.raises(ResourceLimitError, match="4 ranges, the limit is 3"):
        numbers.add(30, 31)
    assert numbers.add(1, 10)  # joining is always possible
    assert list(numbers) == [(0, 11), (20, 21)]
    numbers.remove(5, 6)
    with pytest.raises(ResourceLimitError):
        numbers.remove(2, 3)
    assert list(numbers) == [(0, 5), (6, 11), (20, 21)]
    numbers.remove(4, 21)
    assert list(numbers) == [(0, 4)]


def test_a_range_that_ends_before_it_starts_is_our_mistake() -> None:
    numbers = RangeSet()
    for call in (numbers.add, numbers.remove, numbers.covers):
        with pytest.raises(LocalProtocolError):
            call(2, 1)


def test_range_sets_are_equal_by_content_and_show_it() -> None:
    assert ranges((0, 2), (2, 4)) == ranges((0, 4))
    assert ranges((0, 2)) != ranges((0, 3))
    assert ranges() != []
    assert repr(ranges((0, 2), (5, 6))) == "RangeSet([0, 2), [5, 6))"
    with pytest.raises(TypeError):
        hash(ranges())


class AgainstAPlainSet(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ours, self.model = RangeSet(), set()

    @rule(ends=ENDS)
    def add(self, ends: tuple[int, int]) -> None:
        new = set(range(*ends)) - self.model
        assert self.ours.add(*ends) == bool(new)
        self.model |= new

    @rule(ends=ENDS)
    def remove(self, ends: tuple[int, int]) -> None:
        self.ours.remove(*ends)
        self.model -= set(range(*ends))

    @rule(ends=ENDS)
    def look(self, ends: tuple[int, int]) -> None:
        assert self.ours.covers(*ends) == self.model.issuperset(range(*ends))
        gaps = [number for gap in self.ours.gaps(*ends) for number in range(*gap)]
        assert gaps == [number for number in range(*ends) if number not in self.model]
        assert (ends[0] in self.ours) == (ends[0] in self.model)

    @invariant()
    def same_numbers_in_the_fewest_ranges(self) -> None:
        listed = list(self.ours)
        assert {number for each in listed for number in range(*each)} == self.model
        assert self.ours.size == len(self.model)
        assert all(before.stop < after.start for before, after in itertools.pairwise(listed))
        assert all(each.size > 0 for each in listed)


TestAgainstAPlainSet = AgainstAPlainSet.TestCase


@given(st.lists(ENDS, max_size=10), ENDS)
def test_what_a_limited_set_refuses_leaves_it_unchanged(pairs: list[tuple[int, int]], last: tuple[int, int]) -> None:
    numbers = RangeSet(limit=2)
    for pair in [*pairs, last]:
        before = list(numbers)
        try:
            numbers.add(*pair)
        except ResourceLimitError:
            assert list(numbers) == before
    assert len(numbers) <= 2
