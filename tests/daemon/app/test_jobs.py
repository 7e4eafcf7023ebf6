"""Jobs: one of a kind at once, told while they run, stopped when asked, remembered for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from zwerm.core.errors import StorageError
from zwerm.daemon.app import jobs as module
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.jobs import KEPT, Job, Jobs


class Told:
    """What was published, in order."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def publish(self, name: str, data: dict[str, Any]) -> None:
        assert name == "job"
        self.events.append(data)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def jobs(told: Told) -> AsyncIterator[Jobs]:
    jobs = Jobs(SimpleNamespace(events=told))
    yield jobs
    await jobs.close()


async def finished(job: Job) -> Job:
    assert job.task is not None
    await asyncio.wait({job.task})
    return job


async def endless(job: Job) -> None:
    await asyncio.Event().wait()


async def test_a_job_runs_and_its_result_is_kept(jobs: Jobs, told: Told) -> None:
    async def work(job: Job) -> list[int]:
        job.progress(1, 2)
        return [3]

    job = await finished(jobs.start("count", "blocks", work))
    assert jobs.find(job.id) is job
    document = job.document()
    assert document["state"] == "done"
    assert (document["kind"], document["unit"]) == ("count", "blocks")
    assert (document["done"], document["total"], document["result"], document["error"]) == (1, 2, [3], None)
    assert document["started"] <= document["ended"]
    assert [event["state"] for event in told.events] == ["running", "done"]


async def test_progress_is_told_a_few_times_a_second_and_the_end_always(
    jobs: Jobs, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now, time=lambda: 0.0))

    async def work(job: Job) -> None:
        nonlocal now
        for done in range(9):
            now += 0.1
            job.progress(done)

    await finished(jobs.start("count", "blocks", work))
    assert [event["done"] for event in told.events] == [0, 2, 5, 8, 8]
    assert told.events[-1]["state"] == "done"


async def test_one_of_a_kind_runs_at_once(jobs: Jobs) -> None:
    job = jobs.start("collect", "blocks", endless)
    other = jobs.start("verify", "blocks", endless)
    with pytest.raises(AppError, match="being done already") as caught:
        jobs.start("collect", "blocks", endless)
    assert (caught.value.code, caught.value.details) == ("busy", job.id)
    assert jobs.list() == [job, other]
    await jobs.stop(job)
    assert jobs.start("collect", "blocks", endless).id not in (job.id, other.id)


async def test_a_job_that_is_stopped_says_so_and_stopping_it_again_changes_nothing(jobs: Jobs) -> None:
    job = jobs.start("collect", "blocks", endless)
    await asyncio.sleep(0)
    await jobs.stop(job)
    await jobs.stop(job)
    assert job.state == "stopped"
    assert job.ended is not None


async def test_a_job_that_fails_says_why_and_only_a_bug_is_logged(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    async def full(job: Job) -> None:
        raise StorageError("the disk is full")

    async def broken(job: Job) -> None:
        raise KeyError("oops")

    logging.getLogger("zwerm").propagate = True
    first = await finished(jobs.start("a", "blocks", full))
    assert (first.state, first.error["code"]) == ("failed", "disk-full")
    assert caplog.records == []
    second = await finished(jobs.start("b", "blocks", broken))
    assert (second.state, second.error["code"]) == ("failed", "internal")
    assert [record.reference for record in caplog.records] == [second.error["details"]]


async def test_the_last_ended_ones_are_remembered_newest_first(jobs: Jobs) -> None:
    async def work(job: Job) -> None:
        return None

    ended = [await finished(jobs.start("a", "blocks", work)) for _ in range(KEPT + 2)]
    assert jobs.list() == ended[:1:-1]
    with pytest.raises(AppError, match=f"no job {ended[0].id}"):
        jobs.find(ended[0].id)


async def test_the_end_of_the_daemon_stops_all(jobs: Jobs) -> None:
    running = [jobs.start(kind, "blocks", endless) for kind in "ab"]
    await asyncio.sleep(0)
    await jobs.close()
    assert [job.state for job in running] == ["stopped", "stopped"]
