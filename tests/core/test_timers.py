"""The timer table: what is armed fires once, in order of deadline, and never early."""

import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError
from zwerm.core.timers import TimerTable


class Timer(enum.Enum):
    RESEND = "the request was not answered: send it again"
    IDLE = "nothing was heard: probe the peer"
    GIVE_UP = "nothing was heard for too long: close"


def fired(table: TimerTable[Timer], now: float) -> list[Timer]:
    timers = []
    while (expired := table.pop_expired(now)) is not None:
        timers.append(expired.timer)
    return timers


def test_a_new_table_waits_for_nothing() -> None:
    table = TimerTable(Timer)
    assert table.next_timeout() is None
    assert table.pop_expired(1e9) is None


def test_timers_fire_at_their_deadline_once_and_in_order() -> None:
    table = TimerTable(Timer)
    table.arm(Timer.GIVE_UP, 3.0)
    table.arm(Timer.RESEND, 1.0)
    table.arm(Timer.IDLE, 2.0)
    assert table.next_timeout() == 1.0
    assert fired(table, 0.999) == []
    assert fired(table, 1.0) == [Timer.RESEND]
    assert fired(table, 1.0) == []
    assert table.next_timeout() == 2.0
    assert fired(table, 10.0) == [Timer.IDLE, Timer.GIVE_UP]
    assert table.next_timeout() is None


def test_a_late_timer_tells_when_it_was_due() -> None:
    table = TimerTable(Timer)
    table.arm(Timer.RESEND, 1.0)
    expired = table.pop_expired(1.4)
    assert expired is not None
    assert expired.due == 1.0


def test_arming_again_moves_the_deadline() -> None:
    table = TimerTable(Timer)
    table.arm(Timer.IDLE, 1.0)
    table.arm(Timer.IDLE, 5.0)
    assert table.deadline(Timer.IDLE) == table.next_timeout() == 5.0
    assert fired(table, 4.0) == []


def test_a_cancelled_timer_does_not_fire() -> None:
    table = TimerTable(Timer)
    table.arm(Timer.IDLE, 1.0)
    table.cancel(Timer.IDLE)
    table.cancel(Timer.RESEND)
    assert table.deadline(Timer.IDLE) is None
    assert fired(table, 9.0) == []
    table.arm(Timer.IDLE, 1.0)
    table.arm(Timer.RESEND, 1.0)
    table.cancel_all()
    assert fired(table, 9.0) == []


def test_what_a_handler_cancels_does_not_fire_after_it() -> None:
    table = TimerTable(Timer)
    table.arm(Timer.RESEND, 1.0)
    table.arm(Timer.IDLE, 2.0)
    assert table.pop_expired(3.0) is not None
    table.cancel(Timer.IDLE)
    assert table.pop_expired(3.0) is None


def test_among_equal_deadlines_the_one_armed_first_wins() -> None:
    table = TimerTable(Timer)
    table.arm(Timer.IDLE, 1.0)
    table.arm(Timer.RESEND, 1.0)
    assert fired(table, 1.0) == [Timer.IDLE, Timer.RESEND]


def test_a_timer_that_does_not_say_what_fires_is_refused() -> None:
    silent = enum.Enum("silent", {"RESEND": 1})
    with pytest.raises(LocalProtocolError, match="RESEND"):
        TimerTable(silent)


@given(st.lists(st.tuples(st.sampled_from(Timer), st.none() | st.integers(0, 20)), max_size=20))
def test_the_table_agrees_with_a_plain_dict(changes: list[tuple[Timer, int | None]]) -> None:
    table, model = TimerTable(Timer), {}
    for timer, due in changes:
        if due is None:
            table.cancel(timer)
            model.pop(timer, None)
        else:
            table.arm(timer, due)
            model[timer] = due
        assert table.next_timeout() == min(model.values(), default=None)
    for now in range(21):
        expected = {timer for timer, due in model.items() if due <= now}
        assert set(fired(table, now)) == expected
        for timer in expected:
            del model[timer]
