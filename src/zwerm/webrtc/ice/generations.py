"""The generations of an agent: the present session, and during a restart the one before (RFC 8445 section 9).

The one before carries data until the present one has a pair, and is heard a bit longer. What is looked for by its path,
or by consent, is looked for in the present one first.

Data is better held back from the moment both sides know of a restart until a new pair is nominated, for `PAUSE` at
most: where the network changed, the path before leads nowhere; and a Firefox that has to answer data while it has given
up its old path and has no new one ends its DTLS connection.
"""

from __future__ import annotations

import enum
from typing import Final

from zwerm.core.machine import Address, Instant
from zwerm.core.timers import TimerTable
from zwerm.webrtc.ice.pair import Pair, Path
from zwerm.webrtc.ice.session import Session

LINGER: Final = 5.0  # seconds a replaced session is still heard: the other side may switch later
PAUSE: Final = 1.0  # seconds that data is held back at most


class Timer(enum.Enum):
    """What ends by time."""

    LINGER = "the replaced session is forgotten"
    PAUSE = "data goes on over the path before"


class Generations:
    """See the module."""

    __slots__ = ("present", "retired", "timers")

    def __init__(self, first: Session) -> None:
        self.present = first
        self.retired: Session | None = None
        self.timers = TimerTable(Timer)

    def all(self) -> list[Session]:
        return [self.present] if self.retired is None else [self.present, self.retired]

    def begin(self, session: Session) -> None:
        """Have another session be the present one; the one before is kept while it carries data."""
        self.timers.cancel_all()
        before, self.present = self.present, session
        if before.selected is None:
            before.close()
            return
        self.forget_retired()
        before.retire()
        self.retired = before

    def undo(self, now: Instant) -> bool:
        """Go back to the session before; False when there is none, or the present one has a pair."""
        before = self.retired
        if before is None or self.present.selected is not None:
            return False
        self.present.close()
        self.present, self.retired = before, None
        before.resume(now)
        self.timers.cancel_all()
        return True

    def exchanged(self, now: Instant) -> None:
        """The other side's credentials of the present session are known."""
        if self.retired is not None:
            self.timers.arm(Timer.PAUSE, now + PAUSE)

    def settle(self, now: Instant) -> None:
        """Something may have changed in the present session."""
        selected = self.present.selected
        if self.retired is None or selected is None:
            return
        if self.timers.deadline(Timer.LINGER) is None:
            self.timers.arm(Timer.LINGER, now + LINGER)
        if selected.is_nominated:
            self.timers.cancel(Timer.PAUSE)

    def handle_timeout(self, now: Instant) -> None:
        while (ended := self.timers.pop_expired(now)) is not None:
            if ended.timer is Timer.LINGER:
                self.forget_retired()

    @property
    def is_paused(self) -> bool:
        """Whether data is better held back now."""
        return self.timers.deadline(Timer.PAUSE) is not None

    def forget_retired(self) -> None:
        if self.retired is not None:
            self.retired.close()
            self.retired = None

    def carrier(self, now: Instant) -> Pair | None:
        """The pair that data goes over, of the newest session that has one with consent."""
        for session in self.all():
            if session.selected is not None and session.consent is not None and not session.consent.is_expired(now):
                return session.selected
        return None

    def valid_pair(self, path: Path) -> Pair | None:
        """The pair of `path`, if a check on it was answered."""
        for session in self.all():
            pair = session.checklist.find(path)
            if pair is not None and pair.is_valid:
                return pair
        return None

    def has_validated(self, source: Address, local: Address | None) -> bool:
        """Whether a check to `source` was answered, from `local` if it is given."""
        return any(
            pair.remote.address == source and (local is None or pair.local.base.address == local)
            for session in self.all()
            for pair in session.checklist.valid()
        )
