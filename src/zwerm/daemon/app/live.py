"""Live updates as server-sent events (HTML, "Server-sent events"): changes, jobs, transfers, the node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError
from zwerm.daemon.app.places import place_bytes
from zwerm.node.events import Event

if TYPE_CHECKING:
    from zwerm.daemon.listeners import Listeners
    from zwerm.daemon.metrics import Metrics
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.app")

HEARTBEAT: Final = 15.0  # seconds between comment lines, which keep proxies from closing the stream
PERIOD: Final = 5.0  # seconds between two `node` events


class Live:
    """Turns the node's event hub into streams, and adds what the daemon knows of itself now and then."""

    def __init__(self, node: Node, listeners: Listeners, metrics: Metrics) -> None:
        self._node = node
        self._listeners = listeners
        self._metrics = metrics
        self._ticker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell figures."""
        self._ticker = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """End the streams."""
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None
        self._node.events.close()

    async def stream(self, after: int | None) -> AsyncGenerator[bytes, None]:
        """Yield the text of the stream; with `after`, beginning behind the event of that number."""
        hub = self._node.events
        after = hub.number if after is None else after
        yield _serialize(Event(after, "hello", {"id": hub.number}))
        events: Any = hub.listen(after)  # what happens while `hello` is on its way is told too
        async with aclosing(events):
            upcoming = asyncio.ensure_future(anext(events, None))
            try:
                while True:
                    done, _ = await asyncio.wait({upcoming}, timeout=HEARTBEAT)
                    if not done:
                        yield b":\n\n"
                        continue
                    event = upcoming.result()
                    if event is None:
                        return
                    yield _serialize(event)
                    upcoming = asyncio.ensure_future(anext(events, None))
            finally:
                upcoming.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await upcoming

    async def _tick(self) -> None:
        from zwerm.daemon.app.summary import figures

        last_sent, last_requests, last = self._listeners.gateway_sent, self._metrics.requests, time.monotonic()
        while True:
            await asyncio.sleep(PERIOD)
            now, sent, requests = time.monotonic(), self._listeners.gateway_sent, self._metrics.requests
            if self._node.events.has_listeners:
                rates = {
                    "gateway": round((sent - last_sent) / (now - last)),
                    "requests": round((requests - last_requests) / (now - last), 1),
                }
                try:
                    found = await figures(self._node, self._listeners)
                except ZwermError as error:
                    log.warning("the node's figures cannot be had: %s", error)
                    continue
                self._node.events.publish("node", {**found, "rates": rates})
            last_sent, last_requests, last = sent, requests, now


def _serialize(event: Event) -> bytes:
    return f"id: {event.number}\nevent: {event.name}\ndata: ".encode() + place_bytes(event.data) + b"\n\n"
