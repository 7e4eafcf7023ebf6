"""Round trip times and the retransmission timeout (RFC 9260 section 6.3.1)."""

from __future__ import annotations

from typing import Final

_ALPHA: Final = 0.125
_BETA: Final = 0.25
_MARGIN: Final = 0.2  # seconds above the round trip at least: a peer may keep a SACK back for so long
_QUEUED: Final = 1.125  # of the least round trip
_JITTER: Final = 0.002  # seconds: timers, and the turns of two loops
_LEAST: Final = 1e-6  # seconds; a round trip of zero under a virtual clock divides nothing


class RoundTrip:
    """Smoothed round trip time, its variance, and the timeout that follows from them. Seconds."""

    __slots__ = ("_max", "_min", "latest", "minimum", "rto", "rttvar", "srtt")

    def __init__(self, initial: float, minimum: float, maximum: float) -> None:
        self._min: float = minimum
        self._max: float = maximum
        self.srtt = 0.0  # 0: nothing measured yet
        self.rttvar = 0.0
        self.latest = 0.0
        self.minimum = 0.0  # least ever seen; 0: nothing measured yet
        self.rto = initial

    def measure(self, sample: float) -> None:
        """Take a sample of a chunk that was sent once (Karn's rule is the caller's)."""
        sample = max(sample, _LEAST)
        self.latest = sample
        if self.srtt == 0.0:
            self.srtt = sample
            self.rttvar = sample / 2
            self.minimum = sample
        else:
            self.rttvar += _BETA * (abs(self.srtt - sample) - self.rttvar)
            self.srtt += _ALPHA * (sample - self.srtt)
            self.minimum = min(self.minimum, sample)
        margin = max(4 * self.rttvar, _MARGIN)
        margin = max(margin, self.srtt)  # of two at a time, which is compiled to a comparison
        self.rto = min(max(self.srtt + margin, self._min), self._max)

    @property
    def has_queue(self) -> bool:
        """Whether the last sample was longer than the path alone explains: something waits on the way."""
        return self.latest > self.minimum * _QUEUED + _JITTER

    def back_off(self) -> None:
        """Double the timeout after it ran out (section 6.3.3 rule E2)."""
        self.rto = min(self.rto * 2, self._max)
