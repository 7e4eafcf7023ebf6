"""Work that reports by a function, as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from zwerm.daemon.rpc.reports import Reports


async def test_reports_come_in_order_and_the_result_after_them() -> None:
    async def work(report: Callable[[int], None]) -> str:
        for number in range(5):
            report(number)
        return "done"

    reports: Reports[int] = Reports()
    assert [one async for batch in reports.of(work) for one in batch] == [0, 1, 2, 3, 4]
    assert reports.result == "done"


async def test_failures_pass_through() -> None:
    async def work(_report: Callable[[int], None]) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        [batch async for batch in Reports[int]().of(work)]


async def test_whoever_stops_reading_ends_the_work() -> None:
    ended = asyncio.Event()

    async def work(report: Callable[[int], None]) -> None:
        report(1)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stream = Reports[int]().of(work)
    assert await anext(stream) == [1]
    await stream.aclose()  # type: ignore[attr-defined]
    assert ended.is_set()


async def test_a_moment_without_reports_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.daemon.rpc.reports._PAUSE", 0.001)
    seen = asyncio.Event()

    async def work(report: Callable[[int], None]) -> None:
        report(1)
        await seen.wait()
        await asyncio.sleep(0.01)  # several moments
        report(2)

    batches = []
    async for batch in Reports[int]().of(work):
        batches.append(batch)
        seen.set()
    assert batches == [[1], [2]]


async def test_work_without_reports_gives_its_result_alone() -> None:
    async def work(_report: Callable[[int], None]) -> int:
        return 7

    reports: Reports[int] = Reports()
    assert [batch async for batch in reports.of(work)] == []
    assert reports.result == 7
