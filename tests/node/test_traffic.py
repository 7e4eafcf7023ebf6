"""The samples of what went over the network."""

from __future__ import annotations

import asyncio

from tests.net.sockets import until
from zwerm.node.traffic import SAMPLES, Sample, Traffic


def test_a_sample_is_what_went_since_the_one_before() -> None:
    totals = (100, 10)
    traffic = Traffic(lambda: totals)
    totals = (150, 10)
    traffic.take()
    traffic.take()
    totals = (151, 1_000)
    traffic.take()
    assert list(traffic.samples) == [Sample(50, 0), Sample(0, 0), Sample(1, 990)]


def test_only_the_last_minutes_are_kept() -> None:
    traffic = Traffic(lambda: (0, 0))
    for _ in range(SAMPLES + 5):
        traffic.take()
    assert len(traffic.samples) == SAMPLES


async def test_it_runs_until_it_is_cancelled() -> None:
    traffic = Traffic(lambda: (0, 0), step=0.001)
    task = asyncio.create_task(traffic.run())
    await until(lambda: len(traffic.samples) > 2)
    task.cancel()
    await asyncio.wait([task])
