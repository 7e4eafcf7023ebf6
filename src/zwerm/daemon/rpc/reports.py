"""Long work that reports by calling a function, as a stream of what it reported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

_T = TypeVar("_T")
_PAUSE: Final = 0.2  # seconds between two batches


class Reports(Generic[_T]):
    """One piece of work. `result` is what it returned, once `of` has ended."""

    def __init__(self) -> None:
        self.result: Any = None

    async def of(self, work: Callable[[Callable[[_T], None]], Awaitable[Any]]) -> AsyncIterator[list[_T]]:
        """Run `work` and yield its reports, those of a moment together; its exceptions pass through.

        Whoever stops iterating cancels the work and waits for it. The reporting function may be called on any thread.
        """
        pending: list[_T] = []
        running = asyncio.ensure_future(work(pending.append))
        try:
            while not (await asyncio.wait([running], timeout=_PAUSE))[0]:
                if pending:
                    batch, pending[:] = pending[:], []
                    yield batch
            self.result = await running
            if pending:
                yield pending
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait([running])
