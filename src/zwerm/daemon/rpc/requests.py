"""The requests that the RPC has in hand and had lately, for `diag cmds` (Kubo, "RPC API", `/api/v0/diag/cmds`)."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

KEPT: Final = 1_000  # requests that have ended; with more, the oldest are forgotten
KEPT_FOR: Final = 3_600.0  # seconds after its end that a request is listed
_LONG: Final = 200  # characters of an argument or option that are kept


@dataclasses.dataclass(slots=True)
class Request:
    """One request. Times are seconds since 1970, as people read them."""

    number: int
    command: str  # words joined by `/`
    arguments: tuple[str, ...]
    options: dict[str, str]
    began: float
    ended: float | None = None  # None while it is in hand


class Requests:
    """Those that are in hand, and of those that have ended the last `KEPT` for as long as `keep` says."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._requests: dict[int, Request] = {}  # in the order in which they began
        self._keep = KEPT_FOR

    @contextmanager
    def entered(self, command: str, arguments: Sequence[str], options: Mapping[str, Any]) -> Iterator[Request]:
        """List a request, as in hand while the context is open."""
        shortened = {name: str(value)[:_LONG] for name, value in options.items()}
        request = Request(
            next(self._numbers), command, tuple(text[:_LONG] for text in arguments), shortened, time.time()
        )
        self._requests[request.number] = request
        try:
            yield request
        finally:
            request.ended = time.time()
            self._forget()

    def listed(self) -> list[Request]:
        """Return them, the oldest first."""
        self._forget()
        return list(self._requests.values())

    def keep(self, seconds: float) -> None:
        """Say how long those that have ended are listed."""
        self._keep = seconds

    def clear(self) -> None:
        """Forget all that have ended."""
        self._drop([number for number, request in self._requests.items() if request.ended is not None])

    def _forget(self) -> None:
        ended = [request for request in self._requests.values() if request.ended is not None]
        oldest = time.time() - self._keep
        surplus = len(ended) - KEPT
        self._drop(
            [request.number for place, request in enumerate(ended) if place < surplus or (request.ended or 0) < oldest]
        )

    def _drop(self, numbers: list[int]) -> None:
        for number in numbers:
            del self._requests[number]
