"""The virtual clock: calls run when they are due, in the order they were asked for, and not for ever."""

import pytest

from tests.sim.clock import LIVELOCK, Livelock, VirtualClock


def test_calls_run_in_order_of_time_and_then_of_asking() -> None:
    clock, done = VirtualClock(), []
    clock.call_at(2.0, lambda: done.append("c"))
    clock.call_at(1.0, lambda: done.append("a"))
    clock.call_later(1.0, lambda: done.append("b"))
    clock.run_out(limit=10.0)
    assert done == ["a", "b", "c"]
    assert clock.now == 2.0


def test_time_stands_where_the_call_is_due_while_it_runs() -> None:
    clock, seen = VirtualClock(start=100.0), []
    clock.call_later(0.5, lambda: seen.append(clock.now))
    assert clock.step()
    assert not clock.step()
    assert seen == [100.5]


def test_run_until_does_what_is_due_and_stops_there() -> None:
    clock, done = VirtualClock(), []
    for when in (1.0, 2.0, 3.0):
        clock.call_at(when, lambda when=when: done.append(when))
    clock.run_until(2.0)
    assert (done, clock.now) == ([1.0, 2.0], 2.0)
    clock.run_for(0.5)
    assert clock.now == 2.5
    clock.run_until(1.0)  # time never goes back
    assert clock.now == 2.5


def test_a_call_may_ask_for_another_at_the_same_instant() -> None:
    clock, done = VirtualClock(), []
    clock.call_at(1.0, lambda: clock.call_at(0.0, lambda: done.append(clock.now)))
    clock.run_until(1.0)
    assert done == [1.0]


def test_a_cancelled_call_is_not_done() -> None:
    clock, done = VirtualClock(), []
    call = clock.call_at(1.0, lambda: done.append(1))
    call.cancel()
    call.cancel()
    assert clock.next_call() is None
    clock.run_until(5.0)
    assert done == []
    done_call = clock.call_later(1.0, lambda: done.append(2))
    clock.run_for(1.0)
    done_call.cancel()
    assert done == [2]


def test_calls_without_end_at_one_instant_are_a_livelock() -> None:
    clock = VirtualClock()
    turns = 0

    def again() -> None:
        nonlocal turns
        turns += 1
        clock.call_later(0.0, again)

    clock.call_at(3.0, again)
    with pytest.raises(Livelock, match=r"3\.0 s"):
        clock.run_until(3.0)
    assert turns == LIVELOCK + 1


def test_a_simulation_that_never_rests_is_a_livelock_too() -> None:
    clock = VirtualClock()

    def again() -> None:
        clock.call_later(1.0, again)

    again()
    with pytest.raises(Livelock, match="still busy"):
        clock.run_out(limit=100.0)
