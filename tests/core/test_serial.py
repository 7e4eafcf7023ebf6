"""RFC 1982: the examples of section 5 with two and eight bits, and the laws for every pair of a small space."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.serial import SERIAL_16, SERIAL_32, SerialSpace, Unwrapper


def test_section_5_1_the_trivial_example_of_two_bits() -> None:
    space = SerialSpace(2)
    assert [space.add(number, 1) for number in range(4)] == [1, 2, 3, 0]
    assert space.less(0, 1)
    assert space.less(1, 2)
    assert space.less(2, 3)
    assert space.less(3, 0)
    assert not space.less(0, 2)  # opposite: neither is less
    assert not space.less(2, 0)


def test_section_5_2_the_slightly_larger_example_of_eight_bits() -> None:
    space = SerialSpace(8)
    assert space.add(255, 1) == 0
    assert space.add(100, 100) == 200
    assert space.add(200, 100) == 44
    for larger, smaller in [
        (1, 0),
        (44, 0),
        (100, 0),
        (100, 44),
        (200, 100),
        (255, 200),
        (0, 255),
        (100, 255),
        (0, 200),
        (44, 200),
    ]:
        assert space.less(smaller, larger)
        assert not space.less(larger, smaller)


def test_every_pair_of_a_small_space_keeps_the_laws() -> None:
    space = SerialSpace(5)
    for a in range(32):
        for b in range(32):
            distance = space.distance(a, b)
            assert space.add(a, distance) == b
            assert -16 <= distance < 16
            assert space.less(a, b) == (distance > 0)
            assert space.less_or_equal(a, b) == (distance >= 0)
            assert not (space.less(a, b) and space.less(b, a))


@pytest.mark.parametrize(("space", "last"), [(SERIAL_16, 0xFFFF), (SERIAL_32, 0xFFFFFFFF)])
def test_the_common_spaces_wrap(space: SerialSpace, last: int) -> None:
    assert space.add(last, 1) == 0
    assert space.add(0, -1) == last
    assert space.less(last, 0)
    assert space.distance(last, 3) == 4
    assert space.distance(3, last) == -4


def test_unwrapping_follows_a_counter_over_the_edge_and_back() -> None:
    unwrapper = Unwrapper(SERIAL_16)
    assert [unwrapper.unwrap(number) for number in (65_534, 65_535, 0, 65_533, 1, 0x8000)] == [
        65_534, 65_535, 65_536, 65_533, 65_537, 0x18000,
    ]  # fmt: skip


def test_what_came_before_the_first_is_negative() -> None:
    unwrapper = Unwrapper(SERIAL_16)
    assert [unwrapper.unwrap(number) for number in (0, 65_535, 1)] == [0, -1, 1]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-1_000, 30_000), max_size=50))
def test_unwrapping_undoes_wrapping_while_steps_stay_small(start: int, steps: list[int]) -> None:
    unwrapper, true, highest = Unwrapper(SERIAL_16), start % 65_536, None
    for step in [0, *steps]:
        true = max(true + step, (highest or true) - 30_000)
        assert unwrapper.unwrap(true % 65_536) == true
        highest = max(true, highest if highest is not None else true)
