"""The checks of one generation that are under way."""

from __future__ import annotations

from collections.abc import Iterator

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.check import Check
from zwerm.webrtc.ice.pair import Pair


class Transactions:
    """Requests by transaction ID, at most `limit`: the oldest that was cancelled makes room, else the oldest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._checks: dict[bytes, Check] = {}

    def __len__(self) -> int:
        return len(self._checks)

    def __iter__(self) -> Iterator[Check]:
        return iter(self._checks.values())

    def add(self, transaction_id: bytes, check: Check) -> None:
        if len(self._checks) >= self._limit:
            victims = (key for key, other in self._checks.items() if other.is_cancelled)
            del self._checks[next(victims, None) or next(iter(self._checks))]
        self._checks[transaction_id] = check

    def find(self, transaction_id: bytes) -> Check | None:
        return self._checks.get(transaction_id)

    def remove(self, transaction_id: bytes) -> None:
        self._checks.pop(transaction_id, None)

    def of(self, pair: Pair) -> list[Check]:
        return [check for check in self._checks.values() if check.pair is pair]

    def cancel(self, pair: Pair) -> None:
        """Repeat no check of `pair`; answers still count (RFC 8445 section 7.3.1.4)."""
        for check in self.of(pair):
            check.is_cancelled = True
            check.due = check.expires_at

    def forget(self, pair: Pair) -> None:
        """Drop every check of `pair`."""
        self._checks = {key: check for key, check in self._checks.items() if check.pair is not pair}

    def clear(self) -> None:
        self._checks.clear()

    def next_timeout(self) -> Instant | None:
        return min([check.due for check in self._checks.values()]) if self._checks else None

    def pop_due(self, now: Instant) -> tuple[list[Check], list[Check]]:
        """Those to repeat, and those that ran out, which are gone from here."""
        due = [(key, check) for key, check in self._checks.items() if check.due <= now]
        over = [(key, check) for key, check in due if check.expires_at <= now]
        for key, _ in over:
            del self._checks[key]
        return [check for _, check in due if check.expires_at > now], [check for _, check in over]
