"""Spreads packets over a round trip, in bursts a timer can follow (RFC 9002 section 7.7 has the idea).

A window that opens at once would otherwise leave as one burst and overflow a short queue on the way.
"""

from __future__ import annotations

from typing import Final

_QUANTUM: Final = 0.001  # seconds of sending in one burst; timers of a loop are not much finer
_MIN_BURST: Final = 10  # packets
_SLOW_START_GAIN: Final = 2.0
_GAIN: Final = 1.2  # above 1, so that the window and not the pacer sets the rate


class Pacer:
    """A bucket of bytes that fills at the rate of the window."""

    __slots__ = ("_bucket", "_filled_at", "_floor", "_segment", "burst", "rate")

    def __init__(self, segment: int, floor: float) -> None:
        """`floor`: round trips below it, in seconds, are not paced."""
        self._segment = segment
        self._floor = floor
        self.rate = 0.0  # bytes a second; 0: no limit
        self.burst = float(_MIN_BURST * segment)
        self._bucket = self.burst
        self._filled_at = 0.0

    def update(self, cwnd: float, srtt: float, *, is_slow_start: bool) -> None:
        """Follow the window and the round trip."""
        if srtt < self._floor:
            self.rate = 0.0
            return
        self.rate = (_SLOW_START_GAIN if is_slow_start else _GAIN) * cwnd / srtt
        self.burst = max(float(_MIN_BURST * self._segment), self.rate * _QUANTUM)

    def budget(self, now: float) -> float:
        """How many bytes may go now; a burst that has begun may end up to one packet beyond."""
        if self.rate == 0.0:
            return 1e18
        if now > self._filled_at:
            self._bucket = min(self._bucket + (now - self._filled_at) * self.rate, self.burst)
        self._filled_at = now
        return self._bucket

    def spend(self, size: float) -> None:
        if self.rate > 0.0:
            self._bucket -= size

    def next_burst(self, now: float) -> float:
        """When half a burst may go again."""
        return now + max(self.burst / 2 - self._bucket, 1.0) / self.rate
