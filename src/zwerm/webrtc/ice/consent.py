"""Consent freshness (RFC 7675): whether the other side still wants what is sent on the selected pair.

Each answer lasts `consent_timeout`. A check goes out every few seconds; while the last one is unanswered they follow
each other quickly, so that one lost datagram is told from a lost path within seconds.

    fresh --(a check unanswered for `probe_interval`)--> probing --(`disconnect_after`)--> suspect --> expired
      ^----------------------------(any answer)-----------------------------------------------'

Nothing is sent on a pair whose consent expired, and no later answer brings it back.
"""

from __future__ import annotations

from random import Random
from typing import Final

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.config import Config

AGAIN: Final = 1.0  # seconds from an answer until a doubt asks again


class Consent:
    """The consent of one pair, from the moment it is selected."""

    __slots__ = ("_config", "_patience", "_random", "_unanswered_since", "expires_at", "next_check_at")

    next_check_at: Instant
    expires_at: Instant

    def __init__(
        self, config: Config, random: Random, *, answered_at: Instant, round_trip_time: float | None, now: Instant
    ) -> None:
        self._config = config
        self._random = random
        self._patience = max(config.probe_interval, 2 * (round_trip_time or 0.0))
        self._unanswered_since: Instant | None = None  # when the first of the unanswered checks was sent
        self.expires_at = answered_at + config.consent_timeout
        self.next_check_at = now + self._interval()

    def asked(self, now: Instant) -> None:
        """A check was sent."""
        if self._unanswered_since is None:
            self._unanswered_since = now
        self.next_check_at = now + self._patience

    def ask_now(self, now: Instant) -> None:
        """There is reason to doubt the path: check it at once, or a second after it was answered last.

        The other side does the same. Where each has selected another pair, two that asked at once would never stop.
        """
        answered_at = self.expires_at - self._config.consent_timeout
        self.next_check_at = min(self.next_check_at, max(now, answered_at + AGAIN))

    def answered(self, now: Instant) -> None:
        """A check was answered, or a request of the other side's came with its integrity for a lite agent."""
        if self.is_expired(now):
            return
        self._unanswered_since = None
        self.expires_at = now + self._config.consent_timeout
        self.next_check_at = now + self._interval()

    def is_fresh(self, now: Instant) -> bool:
        """Whether every question was answered, and it is time for the next."""
        return self._unanswered_since is None and self.next_check_at <= now < self.expires_at

    def is_probing(self, now: Instant) -> bool:
        """Whether an answer is overdue."""
        return self._unanswered_since is not None and now >= self._unanswered_since + self._patience

    def is_suspect(self, now: Instant) -> bool:
        """Whether the path seems lost."""
        return self._unanswered_since is not None and now >= self._unanswered_since + self._suspicion

    def is_expired(self, now: Instant) -> bool:
        return now >= self.expires_at

    def next_timeout(self, now: Instant) -> Instant:
        """When one of the answers above changes, or a check is due."""
        if self._unanswered_since is None:
            return min(self.next_check_at, self.expires_at)
        turns = (self._patience, self._suspicion)
        coming = [turn for wait in turns if (turn := self._unanswered_since + wait) > now]
        return min(self.next_check_at, self.expires_at, *coming)

    @property
    def _suspicion(self) -> float:
        return max(self._config.disconnect_after, 3 * self._patience)

    def _interval(self) -> float:
        return self._config.consent_interval * self._random.uniform(0.8, 1.2)
