"""Many deadlines in one heap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zwerm.calls.alarms import Alarms


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 20) | st.none()), max_size=80))
def test_each_key_comes_once_at_its_last_deadline_in_order(steps: list[tuple[str, int | None]]) -> None:
    alarms, expected = Alarms(), dict[str, float]()
    for key, due in steps:
        if due is None:
            alarms.cancel(key)
            expected.pop(key, None)
        else:
            alarms.set(key, float(due))
            expected[key] = float(due)
        assert alarms.next_timeout() == min(expected.values(), default=None)
    came = []
    for now in range(21):
        while (found := alarms.pop(float(now))) is not None:
            came.append((float(now), found))
    assert sorted(came) == sorted((due, key) for key, due in expected.items())
    assert [when for when, _ in came] == sorted(when for when, _ in came)
    assert len(alarms) == 0


def test_moving_a_deadline_a_million_times_keeps_the_heap_small() -> None:
    alarms = Alarms()
    for moment in range(10_000):
        alarms.set("a", float(moment))
    assert len(alarms._heap) < 100
