"""Uploads in progress, told to whoever listens to the node's events."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, Self

from zwerm.daemon.http.exchange import Exchange

if TYPE_CHECKING:
    from zwerm.node.node import Node

_numbers: Final = itertools.count(1)
_WORTH_IT: Final = 1024 * 1024  # bytes below which a transfer that was quick is not told of
_PERIOD: Final = 0.25  # seconds between two events of one transfer


class Transfer:
    """One upload as the listeners see it, told at most four times a second. A context that ends with it."""

    def __init__(self, node: Node, name: str, exchange: Exchange) -> None:
        length = exchange.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        self._node = node
        self._number = next(_numbers)
        self.name = name  # may be changed to what is known better
        self._total = total
        self._done = 0
        self._began = self._told = time.monotonic()

    def progress(self, size: int) -> None:
        """Count bytes; on the loop's thread."""
        self._done += size
        now = time.monotonic()
        if now - self._told >= _PERIOD:
            self._told = now
            self._tell("running")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._done >= _WORTH_IT or self._told > self._began:
            self._tell("failed" if kind else "done")

    def _tell(self, state: str) -> None:
        seconds = max(time.monotonic() - self._began, 0.001)
        self._node.events.publish(
            "transfer",
            {
                "id": self._number,
                "direction": "in",
                "name": self.name,
                "done": self._done,
                "total": self._total,
                "state": state,
                "rate": round(self._done / seconds),
            },
        )

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass chunks on and count them."""
        async for chunk in chunks:
            self.progress(len(chunk))
            yield chunk
