"""Whether the peer is there, and how far away: yamux pings (libp2p specs, "yamux/README.md", "Ping").

A session that hears nothing asks once in `keep_alive` seconds, and any byte counts as an answer, so that of two sides
only the one that fell silent last is asked. A busy session asks for its round trip before windows grow by it.

A peer is gone when nothing was heard of it for `keep_alive` and `ping_timeout` together, and never sooner: not because
one answer is late, however slow the link, nor because the link is away for a minute while a round trip is measured.
"""

from __future__ import annotations

import enum
from typing import Final

from zwerm.core.machine import Instant
from zwerm.core.timers import TimerTable
from zwerm.libp2p.yamux.config import Config

_OPAQUE: Final = 0xFFFF_FFFF


class Timer(enum.Enum):
    """The deadlines of a session."""

    KEEP_ALIVE = "nothing was heard: ask whether the peer is there"
    PING_TIMEOUT = "a ping was not answered: the peer is gone, unless other bytes came"
    LINGER = "a stream that we closed was not closed by the peer: reset it"


class Liveness:
    """The pings of one session, at most one under way."""

    __slots__ = ("_asked", "_config", "_measured", "_timers", "_token", "heard", "rtt")

    rtt: float | None  # seconds, smoothed; None until a ping was answered

    def __init__(self, config: Config, timers: TimerTable[Timer], now: Instant) -> None:
        self._config = config
        self._timers = timers
        self._token = 0
        self._asked: Instant | None = None  # when the ping that is under way was sent
        self._measured = now
        self.heard = now  # when a byte last came
        self.rtt = None
        timers.arm(Timer.KEEP_ALIVE, now + config.keep_alive)

    def is_measure_due(self, now: Instant) -> bool:
        """Whether a busy session should ping now, to know its round trip."""
        if self._asked is not None:
            return False
        return self.rtt is None or now - self._measured >= self._config.rtt_lifetime

    def ask(self, now: Instant) -> int:
        """Return the value of a ping to send at once."""
        self._token = self._token + 1 & _OPAQUE
        self._asked = now
        self._timers.arm(Timer.PING_TIMEOUT, now + self._config.ping_timeout)
        return self._token

    def receive_answer(self, token: int, now: Instant) -> None:
        """Take the answer to a ping; one that we did not ask for means nothing."""
        if self._asked is None or token != self._token:
            return
        sample = now - self._asked
        self.rtt = sample if self.rtt is None else self.rtt + (sample - self.rtt) / 4
        self._asked = None
        self._measured = now
        self._timers.cancel(Timer.PING_TIMEOUT)

    def is_silent(self, now: Instant) -> bool:
        """Whether KEEP_ALIVE fired for a peer that was not heard; arms the timer again."""
        due = self.heard + self._config.keep_alive
        is_silent = due <= now and self._asked is None
        self._timers.arm(Timer.KEEP_ALIVE, due if due > now else now + self._config.keep_alive)
        return is_silent

    def is_dead(self, now: Instant) -> bool:
        """Whether PING_TIMEOUT fired for a peer that is gone; a ping that other bytes came after is given up."""
        if self._asked is None or self.heard > self._asked:
            self._asked = None
            return False
        due = self.heard + self._config.keep_alive + self._config.ping_timeout
        if due <= now:
            return True
        self._timers.arm(Timer.PING_TIMEOUT, due)
        return False
