"""How much may be in flight: CUBIC (RFC 9438) with HyStart++ (RFC 9406) at its beginning.

Everything counts payload bytes. The machine around it says when data was acknowledged, when a loss began a recovery and
when a timeout ran out; `undo` takes the last reduction back when the losses turn out to have been late arrivals.
"""

from __future__ import annotations

from typing import Final

_C: Final = 0.4  # RFC 9438 section 5
_BETA: Final = 0.7
_MILD: Final = 0.875  # in the place of `_BETA` where a loss came without a queue: the factor of Scalable TCP
_ALPHA: Final = 3 * (1 - _BETA) / (1 + _BETA)  # RFC 9438 section 4.3: grows like Reno with this step

_ROUND_SAMPLES: Final = 8  # RFC 9406 section 4.3, N_RTT_SAMPLE
_MIN_RISE: Final = 0.004  # seconds, MIN_RTT_THRESH
_MAX_RISE: Final = 0.016  # seconds, MAX_RTT_THRESH
_CAUTIOUS_ROUNDS: Final = 5  # CSS_ROUNDS
_CAUTIOUS_GROWTH: Final = 4.0  # CSS_GROWTH_DIVISOR
_JUMP: Final = 1.25  # of the round trip: a queue, not jitter; RFC 9406 would grow on for five rounds
_INFINITE: Final = 1e18


class Cubic:
    """The congestion window of one path."""

    __slots__ = (
        "_before",
        "_cautious",
        "_epoch",
        "_k",
        "_prior",
        "_reno",
        "_segment",
        "_w_max",
        "cwnd",
        "rounds",
        "ssthresh",
    )

    def __init__(self, segment: int, initial_segments: int) -> None:
        self._segment = float(segment)
        self.cwnd = float(segment * initial_segments)
        self.ssthresh = _INFINITE
        self.rounds = Rounds()
        self._cautious = 0  # rounds of conservative slow start left; 0: not in it
        self._epoch = -1.0  # when this growth of CUBIC began; -1: with the next acknowledgement
        self._w_max = 0.0  # bytes, where the last reduction happened
        self._k = 0.0  # seconds from the epoch until the window is at `_w_max` again
        self._reno = 0.0  # bytes, what Reno's window would be
        self._prior = 0.0  # bytes, the window before the last reduction
        self._before = (0.0, 0.0, 0.0)  # cwnd, ssthresh and w_max before the last reduction

    @property
    def is_slow_start(self) -> bool:
        return self.cwnd < self.ssthresh

    def acknowledged(self, size: int, now: float, rtt: float, *, is_limited: bool) -> None:
        """Grow by `size` bytes that arrived; not when the window was not what limited us (RFC 9438 section 4.2)."""
        if not is_limited:
            return
        if self.cwnd < self.ssthresh:
            self.cwnd += size / _CAUTIOUS_GROWTH if self._cautious else size
            return
        if self._epoch < 0.0:
            self._epoch = now
            self._reno = self.cwnd
            if self._w_max < self.cwnd:
                self._w_max = self.cwnd
            self._k = ((self._w_max - self.cwnd) / self._segment / _C) ** (1 / 3)
        target = self._at(now - self._epoch + rtt)
        target = min(max(target, self.cwnd), 1.5 * self.cwnd)
        step = _ALPHA if self._reno < self._prior else 1.0  # RFC 9438 section 4.3: as Reno from where it was reduced
        self._reno += step * self._segment * size / self.cwnd
        self.cwnd = max(self.cwnd + (target - self.cwnd) / self.cwnd * size, self._reno)

    def _at(self, elapsed: float) -> float:
        """Where the curve is, so long after the epoch."""
        distance = elapsed - self._k
        return _C * distance * distance * distance * self._segment + self._w_max

    def measured(self, rtt: float, cumulative_tsn: int, next_tsn: int) -> None:
        """Look at the round trip in slow start: when it rises, the queue at the bottleneck has begun to fill."""
        if self.cwnd >= self.ssthresh:
            return
        verdict = self.rounds.sample(rtt, cumulative_tsn, next_tsn)
        if self._cautious:
            if verdict == FELL:
                self._cautious = 0  # a false alarm: on with slow start
            elif verdict == ENDED:
                self._cautious -= 1
                if self._cautious == 0:
                    self.ssthresh = self.cwnd
        elif verdict == ROSE:
            self._cautious = _CAUTIOUS_ROUNDS
        elif verdict == JUMPED:
            self.ssthresh = self.cwnd

    def lost(self, *, has_queue: bool) -> None:
        """Reduce once for a recovery (RFC 9438 section 4.6).

        Where the round trip is as short as it ever was (no `has_queue`), radio or chance lost the packet rather than a
        buffer that ran over, and less is given up.
        """
        self._remember()
        self._w_max = self.cwnd * (1 + _BETA) / 2 if self.cwnd < self._w_max else self.cwnd
        self.ssthresh = max(self.cwnd * (_BETA if has_queue else _MILD), 4 * self._segment)
        self.cwnd = self.ssthresh

    def timed_out(self, *, is_first: bool) -> None:
        """Begin again with one packet (RFC 9260 section 7.2.3); more timeouts in a row keep the threshold."""
        if is_first:
            self._remember()
            self._w_max = self.cwnd
            self.ssthresh = max(self.cwnd * _BETA, 4 * self._segment)
        self.cwnd = self._segment

    def undo(self) -> None:
        """Take the last reduction back: nothing had been lost."""
        cwnd, ssthresh, w_max = self._before
        if cwnd > self.cwnd:
            self.cwnd, self.ssthresh, self._w_max = cwnd, ssthresh, w_max
            self._epoch = -1.0

    def idle(self, periods: float) -> None:
        """Halve for each RTO without sending (RFC 9260 section 7.2.1); the way back is slow start."""
        floor = min(self.cwnd, 10 * self._segment)
        smaller = max(self.cwnd * 0.5 ** min(periods, 30.0), floor)
        if smaller < self.cwnd:
            self.ssthresh = max(self.ssthresh if self.ssthresh < _INFINITE else 0.0, self.cwnd * 0.75)
            self.cwnd = smaller
            self._epoch = -1.0

    def _remember(self) -> None:
        self._prior = self.cwnd
        self._before = (self.cwnd, self.ssthresh, self._w_max)
        self._epoch = -1.0
        self._cautious = 0


STEADY: Final = 0  # what a sample says of its round
ENDED: Final = 1  # the round is over, and a new one begins
ROSE: Final = 2  # the round trip is longer than in the round before
FELL: Final = 3  # it is shorter than when it rose
JUMPED: Final = 4  # it is so much longer that no second opinion is needed


class Rounds:
    """The least round trip of each round, a round being the time until what was sent at its start is acknowledged."""

    __slots__ = ("_baseline", "_end", "_last", "_least", "_samples")

    def __init__(self) -> None:
        self._end = -1  # TSN that ends the round
        self._last = _INFINITE  # least round trip of the round before
        self._least = _INFINITE  # of this one
        self._samples = 0
        self._baseline = _INFINITE  # what it was when it rose

    def sample(self, rtt: float, cumulative_tsn: int, next_tsn: int) -> int:
        """Take a round trip into account; return what it says."""
        ended = cumulative_tsn >= self._end
        if ended:
            self._last = self._least
            self._least = _INFINITE
            self._samples = 0
            self._end = next_tsn
        self._samples += 1
        self._least = min(self._least, rtt)
        if self._samples >= _ROUND_SAMPLES and self._last < _INFINITE:
            if self._least < self._baseline < _INFINITE:
                self._baseline = _INFINITE
                return FELL
            if self._least >= self._last + min(max(self._last / 8, _MIN_RISE), _MAX_RISE):
                self._baseline = self._least
                return JUMPED if self._least >= self._last * _JUMP else ROSE
        return ENDED if ended else STEADY
