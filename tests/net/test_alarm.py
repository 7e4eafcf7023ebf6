"""One deadline on a loop, asyncio's and uvloop's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from zwerm.net.alarm import FAR, FINEST, STEP, Alarm

both_loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


async def rung(*deadlines: float | None, clock: Callable[[], float] | None = None) -> float:
    """Set these, as seconds from now, one after the other; return how long it took until the alarm rang."""
    loop = asyncio.get_running_loop()
    ringing: asyncio.Future[None] = loop.create_future()
    alarm = Alarm(loop, lambda: ringing.set_result(None), clock)
    began = (clock or loop.time)()
    for deadline in deadlines:
        alarm.set(None if deadline is None else began + deadline)
    await ringing
    return (clock or loop.time)() - began


@both_loops
@pytest.mark.parametrize("clock", [None, time.monotonic], ids=["the loop's clock", "a finer clock"])
@pytest.mark.parametrize("delay", [-1.0, 0.0, 0.000_01, 0.004])
def test_it_rings_whatever_the_deadline(run: Any, clock: Callable[[], float] | None, delay: float) -> None:
    run(rung(delay, clock=clock))


@both_loops
def test_a_nearer_deadline_takes_the_place_of_a_far_one(run: Any) -> None:
    assert run(rung(3_600.0, 0.001)) < 3_000


@both_loops
def test_a_deadline_that_moves_back_leaves_it_to_ring_early(run: Any) -> None:
    assert run(rung(0.001, 3_600.0)) < 3_000


@both_loops
def test_it_is_silent_without_a_deadline_and_rings_again_when_it_has_one(run: Any) -> None:
    assert run(rung(0.001, None, 0.002)) < 3_000


@both_loops
def test_a_deadline_that_is_always_near_comes_all_the_same(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        rang = asyncio.Event()
        alarm = Alarm(loop, rang.set)
        while not rang.is_set():
            alarm.set(loop.time() + FINEST / 10)
            await asyncio.sleep(0)

    run(main())


@both_loops
def test_far_deadlines_ring_in_step_and_late_by_no_more_than_a_step(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        alarms = [Alarm(loop, lambda: None, time.monotonic) for _ in range(4)]
        now = time.monotonic()
        for number, alarm in enumerate(alarms):
            alarm.set(now + FAR + 1 + number * STEP / 4)
        dues = [alarm.due for alarm in alarms]
        for number, due in enumerate(dues):
            assert due is not None
            assert -0.01 < due - (now + FAR + 1 + number * STEP / 4) < STEP + 0.01
        steps = {round((due - now) / STEP, 1) % 1 for due in dues if due is not None}
        assert len(steps) <= 2  # one, but for where it is rounded
        for alarm in alarms:
            alarm.set(None)

    run(main())


@both_loops
def test_an_early_ring_that_is_some_time_ahead_is_moved_and_a_near_one_is_left(run: Any) -> None:
    async def main() -> None:
        alarm = Alarm(asyncio.get_running_loop(), lambda: None, time.monotonic)
        now = time.monotonic()
        alarm.set(now + 0.5)
        alarm.set(now + 5.0)
        assert alarm.due is not None
        assert alarm.due >= now + 5.0 - 0.01
        alarm.set(now + 0.1)
        alarm.set(now + 5.0)
        assert alarm.due == now + 0.1
        alarm.set(None)

    run(main())
