"""Live updates as server-sent events (HTML, "Server-sent events"): changes, jobs, transfers, the node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import posixpath
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError
from zwerm.core.escaped import json_bytes
from zwerm.node.events import Event, origin

if TYPE_CHECKING:
    from zwerm.daemon.listeners import Listeners
    from zwerm.daemon.metrics import Metrics
    from zwerm.ipfs.mfs.journal import Change
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.app")

MAX_PATHS: Final = 100  # paths in one event; more become the folders they have in common
HEARTBEAT: Final = 15.0  # seconds between comment lines, which keep proxies from closing the stream
PERIOD: Final = 5.0  # seconds between two `node` events


class Live:
    """Feeds the node's event hub, and turns it into streams."""

    def __init__(self, node: Node, listeners: Listeners, metrics: Metrics) -> None:
        self._node = node
        self._listeners = listeners
        self._metrics = metrics
        self._ticker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch the node."""
        self._node.files.listeners.append(self._changed)
        self._ticker = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """End the streams."""
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
            self._node.files.listeners.remove(self._changed)
            self._ticker = None
        self._node.events.close()

    async def stream(self, after: int | None) -> AsyncGenerator[bytes, None]:
        """Yield the text of the stream; with `after`, beginning behind the event of that number."""
        hub = self._node.events
        yield _serialize(Event(hub.number if after is None else after, "hello", {"id": hub.number}))
        events: Any = hub.listen(after)
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

    def _changed(self, change: Change) -> None:
        self._node.events.publish(
            "files",
            {
                "paths": _few(list(change.paths)),
                "version": str(change.version) if change.version else None,
                "root": str(change.root),
                "origin": origin.get(),
            },
        )

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


def _few(paths: list[str]) -> list[str]:
    """Replace paths by the folders they are in, ever higher, until there are few."""
    found = list(dict.fromkeys(paths))
    while len(found) > MAX_PATHS:
        depth = max(path.count("/") for path in found)
        found = list(dict.fromkeys(posixpath.dirname(path) if path.count("/") == depth else path for path in found))
        if depth == 1:
            return ["/"]
    return found


def _serialize(event: Event) -> bytes:
    return f"id: {event.number}\nevent: {event.name}\ndata: ".encode() + json_bytes(event.data) + b"\n\n"
