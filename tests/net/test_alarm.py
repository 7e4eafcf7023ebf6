"""One deadline on a loop, asyncio's and uvloop's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from zwerm.net.alarm import FINEST, Alarm

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
