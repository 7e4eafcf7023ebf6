"""Answers about names, kept as long as their publisher allows; no name at all for a while too.

One cache serves keys and domains. `now` is any clock in seconds that only moves forward.
"""

from __future__ import annotations

import dataclasses
from typing import Final, Generic, TypeVar

from zwerm.core.bounded import LruCache
from zwerm.core.machine import Instant

T = TypeVar("T")

MAX_ANSWERS: Final = 4_096
MAX_KEPT: Final = 86_400.0  # seconds; whatever a publisher writes, once a day somebody looks again


@dataclasses.dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    answer: T | None
    until: Instant


class NameCache(Generic[T]):
    """Answers by name, each with an end; None is kept for a name that does not exist."""

    def __init__(self, limit: int = MAX_ANSWERS) -> None:
        self._kept: LruCache[str, _Kept[T]] = LruCache(limit)

    def put(self, name: str, answer: T | None, lifetime: float, now: Instant) -> None:
        """Keep an answer for `lifetime` seconds; none or less keeps nothing."""
        if lifetime > 0:
            self._kept.put(name, _Kept(answer, now + min(lifetime, MAX_KEPT)))
        else:
            self._kept.remove(name)

    def find(self, name: str, now: Instant) -> tuple[T | None, float] | None:
        """Return an answer, which may be that there is none, with the seconds it is still good for; or None."""
        kept = self._kept.find(name)
        if kept is None:
            return None
        if kept.until <= now:
            self._kept.remove(name)
            return None
        return kept.answer, kept.until - now

    def remove(self, name: str) -> None:
        self._kept.remove(name)

    def clear(self) -> None:
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)
