"""The operations chain (WebRTC 1.0 section 4.4.1.2): one asynchronous operation after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs here; None before the program has started one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class OperationsChain:
    """`async with chain:` waits for the operations before it, in the order they were asked for."""

    def __init__(self, on_empty: Callable[[], None]) -> None:
        """`on_empty` is called when the last operation ends, if `ask` was called meanwhile."""
        self._lock = asyncio.Lock()
        self._length = 0
        self._on_empty = on_empty
        self._is_asked = False

    @property
    def is_empty(self) -> bool:
        return self._length == 0

    def ask(self) -> None:
        """Have `on_empty` called at the end ([[UpdateNegotiationNeededFlagOnEmptyChain]])."""
        self._is_asked = True

    async def __aenter__(self) -> None:
        self._length += 1
        try:
            await self._lock.acquire()
        except asyncio.CancelledError:
            self._end()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
        self._end()

    def _end(self) -> None:
        self._length -= 1
        if self._length == 0 and self._is_asked:
            self._is_asked = False
            self._on_empty()
