"""What happens in a node, told to whoever listens: changed files, pins, collections, jobs, transfers.

Publishing never waits and never fails: a listener that does not keep up loses its backlog and is told so once, by an
event named `reset`. Everything here runs on the loop's thread; `publish_threadsafe` hands over from another.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple

BACKLOG: Final = 1000  # events kept for a listener, and for one that comes back
RESET: Final = "reset"

origin: contextvars.ContextVar[str] = contextvars.ContextVar("zwerm_origin", default="python")  # who changes: web, rpc


class Event(NamedTuple):
    """Something that happened."""

    number: int  # grows by one; numbers of one process only
    name: str  # files, pins, collected, job, transfer, node, reset
    data: Mapping[str, Any]  # JSON


class Events:
    """The hub. Events go to all listeners in the order of their numbers."""

    def __init__(self) -> None:
        self._number = 0
        self._recent: deque[Event] = deque(maxlen=BACKLOG)
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._closed = False

    @property
    def has_listeners(self) -> bool:
        """Whether periodic events are worth making."""
        return bool(self._listeners)

    @property
    def number(self) -> int:
        """The number of the newest event."""
        return self._number

    def publish(self, name: str, data: Mapping[str, Any]) -> None:
        self._number += 1
        event = Event(self._number, name, data)
        self._recent.append(event)
        for queue in self._listeners:
            if queue.qsize() < BACKLOG:
                queue.put_nowait(event)
                continue
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(Event(self._number, RESET, {}))

    def publish_threadsafe(self, loop: asyncio.AbstractEventLoop, name: str, data: Mapping[str, Any]) -> None:
        """Publish from a worker thread; after the loop ended nobody listens, and nothing happens."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self.publish, name, data)

    async def listen(self, after: int | None = None) -> AsyncIterator[Event]:
        """Yield events from now on, until `close`; with `after`, first those that came after that number.

        When these are no longer kept, or the number is from another process, a `reset` comes instead.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        if after is not None and after != self._number:
            oldest = self._recent[0].number if self._recent else self._number + 1
            if after > self._number or after < oldest - 1:
                queue.put_nowait(Event(self._number, RESET, {}))
            else:
                for event in self._recent:
                    if event.number > after:
                        queue.put_nowait(event)
        if self._closed:
            queue.put_nowait(None)
        self._listeners.add(queue)
        try:
            while (event_or_end := await queue.get()) is not None:
                yield event_or_end
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """End every `listen`. Idempotent."""
        self._closed = True
        for queue in self._listeners:
            queue.put_nowait(None)
