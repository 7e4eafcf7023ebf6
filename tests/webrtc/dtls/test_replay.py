"""RFC 6347 section 4.1.2.6: each number once."""

from hypothesis import given
from hypothesis import strategies as st

from zwerm.webrtc.dtls.replay import WINDOW, ReplayWindow


@given(st.lists(st.integers(0, 3 * WINDOW), max_size=200))
def test_the_window_is_a_set_with_a_lower_edge(numbers: list[int]) -> None:
    window, seen = ReplayWindow(), set[int]()
    for number in numbers:
        top = max(seen, default=-1)
        assert window.is_new(number) == (number not in seen and number > top - WINDOW)
        if window.is_new(number):
            window.mark(number)
            seen.add(number)


def test_a_jump_forgets_what_lies_behind() -> None:
    window = ReplayWindow()
    for number in (0, 1, 1 << 40):
        window.mark(number)
    assert not window.is_new(1 << 40)
    assert not window.is_new(1)
    assert window.is_new((1 << 40) - WINDOW + 1)
    assert not window.is_new((1 << 40) - WINDOW)


def test_it_does_not_grow() -> None:
    window = ReplayWindow()
    for number in range(5_000):
        window.mark(number)
    assert window.bits.bit_length() == WINDOW


def test_a_number_from_before_the_window_changes_nothing() -> None:
    window = ReplayWindow()
    window.mark(10_000)
    bits = window.bits
    window.mark(3)
    assert (window.top, window.bits) == (10_000, bits)
