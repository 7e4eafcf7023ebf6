"""A token bucket: how much may pass, on average and at once."""

from __future__ import annotations

from zwerm.core.machine import Instant


class TokenBucket:
    """Fills at `rate` up to `burst`. What does not fit is refused, not delayed: who sends too fast loses packets."""

    __slots__ = ("_burst", "_level", "_rate", "_updated")

    def __init__(self, rate: float, burst: float, now: Instant) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._updated = now

    def take(self, amount: float, now: Instant) -> bool:
        """Take `amount` if it is there; return whether it was."""
        self._fill(now)
        if amount > self._level:
            return False
        self._level -= amount
        return True

    def has(self, amount: float, now: Instant) -> bool:
        self._fill(now)
        return amount <= self._level

    def change(self, rate: float, burst: float, now: Instant) -> None:
        """Fill at another rate from now on."""
        self._fill(now)
        self._rate, self._burst = rate, burst
        self._level = min(self._level, burst)

    def _fill(self, now: Instant) -> None:
        self._level = min(self._burst, self._level + (now - self._updated) * self._rate)
        self._updated = now
