"""Threads that hash. `hashlib` releases the interpreter's lock for large buffers, so two threads use two cores.

Work is handed over about a mebibyte at a time: passing a result between threads costs tens of microseconds, hashing
that much about a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self, TypeVar

GROUP: Final = 1024 * 1024  # bytes given to a thread at once
THREADS: Final = 2

_Result = TypeVar("_Result")


class Hashers:
    """A pool that any number of builders share. Close it, or use it as a context."""

    def __init__(self, threads: int = THREADS) -> None:
        self.ahead = threads + 2  # groups under way for one builder: memory against idle threads
        self._pool = ThreadPoolExecutor(threads, "zwerm-hash")

    def submit(self, work: Callable[[], _Result]) -> Future[_Result]:
        return self._pool.submit(work)

    def close(self) -> None:
        """Wait for the work under way; what was not begun is cancelled."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
