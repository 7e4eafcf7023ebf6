"""Jobs: what takes time, runs beside everything else, says how far it is, and can be stopped. One of a kind at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.app.failure import AppError, explain
from zwerm.daemon.app.request import time_text

if TYPE_CHECKING:
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.app")

KEPT: Final = 20  # ended jobs that are remembered
_PERIOD: Final = 0.25  # seconds between two events of one job


class Job:
    """One job; `progress` is called by the work, from the loop's thread."""

    def __init__(self, node: Node, number: int, kind: str, unit: str) -> None:
        self._node = node
        self._told = 0.0
        self.id = str(number)
        self.kind = kind
        self.unit = unit
        self.state = "running"
        self.done = 0
        self.total: int | None = None
        self.started = time.time()
        self.ended: float | None = None
        self.result: Any = None
        self.error: dict[str, Any] | None = None
        self.task: asyncio.Task[None] | None = None

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the work is."""
        self.done, self.total = done, total
        if time.monotonic() - self._told >= _PERIOD:
            self.tell()

    def tell(self) -> None:
        self._told = time.monotonic()
        self._node.events.publish("job", self.document())

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "unit": self.unit,
            "started": time_text(self.started),
            "ended": time_text(self.ended),
            "result": self.result,
            "error": self.error,
        }


Work = Callable[[Job], Awaitable[Any]]


class Jobs:
    """All jobs of a daemon."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._number = 0
        self._running: dict[str, Job] = {}  # by kind
        self._ended: deque[Job] = deque(maxlen=KEPT)

    def list(self) -> list[Job]:
        """The running ones, then the ended ones, newest first."""
        return [*self._running.values(), *reversed(self._ended)]

    def find(self, number: str) -> Job:
        for job in self.list():
            if job.id == number:
                return job
        raise AppError("not-found", f"There is no job {number[:20]}")

    def start(self, kind: str, unit: str, work: Work) -> Job:
        """Begin a job; `busy` when one of the kind runs."""
        if kind in self._running:
            raise AppError("busy", f"This is being done already ({kind})", self._running[kind].id)
        self._number += 1
        job = Job(self._node, self._number, kind, unit)
        self._running[kind] = job
        job.task = asyncio.create_task(self._run(job, work))
        job.tell()
        return job

    async def stop(self, job: Job) -> None:
        """Stop a job and wait until it has; one that has ended stays as it is."""
        if job.task is not None:
            job.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job.task
            if job.ended is None:  # it was stopped before its first step
                job.state = "stopped"
                self._end(job)

    async def close(self) -> None:
        """Stop all."""
        for job in list(self._running.values()):
            await self.stop(job)

    async def _run(self, job: Job, work: Work) -> None:
        try:
            job.result = await work(job)
            job.state = "done"
        except asyncio.CancelledError:
            job.state = "stopped"
        except Exception as error:
            job.state = "failed"
            failure = explain(error)
            job.error = failure.document()["error"]
            if not isinstance(error, ZwermError):
                log.error("the job %s failed", job.kind, exc_info=error, extra={"reference": failure.details})
        finally:
            self._end(job)

    def _end(self, job: Job) -> None:
        job.ended = time.time()
        del self._running[job.kind]
        self._ended.append(job)
        job.tell()
