"""Which pair carries the data, and when the controlling agent says so (RFC 8445 section 8).

The controlling agent nominates one pair and waits for no timer when nothing better can still succeed: a host pair that
works is nominated at once, a reflexive one when no host pair is being tried, a relayed one last; otherwise a short
patience passes. Data does not wait for that: any valid pair will do until then (section 12.1).

Where both sides know renomination (draft-thatcher-ice-renomination) the first valid pair is nominated at once and a
better one later, with a higher number. Without it a second nomination is made only when the first pair is lost.

The controlled agent takes the highest number it was told; without numbers the highest priority of what was nominated,
which is right for the one pair of RFC 8445 and for the many of RFC 5245's aggressive nomination.
"""

from __future__ import annotations

from collections.abc import Iterable

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.pair import Pair


class Nomination:
    """The choice among the valid pairs of one generation."""

    def __init__(self, config: Config, checklist: Checklist) -> None:
        self._config = config
        self._checklist = checklist
        self.can_renominate = False  # both sides offer it
        self.more_may_come = True  # remote candidates
        self.pending: Pair | None = None  # controlling: its nomination is under way
        self.number = 0  # of the last nomination
        self.decide_at: Instant | None = None  # when to ask `to_nominate` again

    def selected(self) -> Pair | None:
        """The pair that data goes over."""
        valid = self._checklist.valid()
        nominated = self._nominated(valid)
        if nominated is None:
            return self._best(pair for pair in valid if not pair.is_doubted) or self._best(valid)
        if nominated.is_doubted:
            return self._best(_fresher(valid, nominated)) or nominated
        return nominated

    def to_nominate(self, now: Instant) -> Pair | None:
        """The pair that a controlling agent should nominate now."""
        self.decide_at = None
        if self._checklist.role is not Role.CONTROLLING or self.pending is not None:
            return None
        valid = self._checklist.valid()
        nominated = self._nominated(valid)
        if nominated is None:
            best = self._best(pair for pair in valid if not pair.is_doubted)
            return best if best is not None and self._is_time(best, now) else None
        if nominated.is_doubted:
            return self._best(_fresher(valid, nominated))
        best = self._best(pair for pair in valid if not pair.is_doubted)
        if best is None or not self.can_renominate or self._key(best) <= self._key(nominated):
            return None
        return best

    def begin(self, pair: Pair) -> None:
        """Controlling: the next check of `pair` nominates it."""
        self.pending = pair
        self.number += 1

    def said_of(self, pair: Pair) -> tuple[bool, int | None]:
        """What a check of `pair` says: whether it is nominated, and by which number."""
        is_ours = self._checklist.role is Role.CONTROLLING
        return is_ours and (pair is self.pending or pair.is_nominated), self.number if self.can_renominate else None

    def succeeded(self, pair: Pair) -> None:
        """Controlling: the nomination of `pair` was answered."""
        self.pending = None
        for other in self._checklist:
            other.is_nominated = other is pair
        pair.nomination = self.number

    def forget(self, pair: Pair) -> None:
        """`pair` is of no use any more."""
        pair.is_nominated = pair.is_wanted = False
        if self.pending is pair:
            self.pending = None

    def _is_time(self, best: Pair, now: Instant) -> bool:
        if self.can_renominate or not self._may_improve(best):
            return True
        patience = self._config.relay_patience if best.is_relayed else self._config.direct_patience
        since = best.responded_at if best.responded_at is not None else now
        self.decide_at = since + patience + 2 * (best.round_trip_time or 0.0)
        if now < self.decide_at:
            return False
        self.decide_at = None
        return True

    def _may_improve(self, best: Pair) -> bool:
        if best.is_relayed and self.more_may_come:
            return True
        return any(pair.is_unfinished and pair.rank > best.rank for pair in self._checklist)

    def _best(self, pairs: Iterable[Pair]) -> Pair | None:
        return max(pairs, key=self._key, default=None)

    def _key(self, pair: Pair) -> tuple[int, int]:
        return pair.rank, pair.priority(self._checklist.role)

    def _nominated(self, valid: list[Pair]) -> Pair | None:
        """The one that counts: numbers first, then priority; of several, one that answers."""

        def key(pair: Pair) -> tuple[bool, int, int]:
            return not pair.is_doubted, pair.nomination, pair.priority(self._checklist.role)

        return max((pair for pair in valid if pair.is_nominated), key=key, default=None)


def _fresher(pairs: Iterable[Pair], lost: Pair) -> list[Pair]:
    """Those that were answered after `lost` was the last time."""
    since = lost.responded_at
    if since is None:
        return []
    return [pair for pair in pairs if pair.responded_at is not None and pair.responded_at > since]
