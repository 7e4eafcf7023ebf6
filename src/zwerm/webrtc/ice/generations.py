"""The generations of an agent: the present session, and during a restart the one before (RFC 8445 section 9).

The one before carries data until the present one has a pair, and is heard a bit longer. What is looked for by its path,
or by consent, is looked for in the present one first.
"""

from __future__ import annotations

from zwerm.core.machine import Address, Instant
from zwerm.webrtc.ice.pair import Pair, Path
from zwerm.webrtc.ice.session import Session


class Generations:
    """See the module."""

    __slots__ = ("present", "retired")

    def __init__(self, first: Session) -> None:
        self.present = first
        self.retired: Session | None = None

    def all(self) -> list[Session]:
        return [self.present] if self.retired is None else [self.present, self.retired]

    def begin(self, session: Session) -> None:
        """Have another session be the present one; the one before is kept while it carries data."""
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
        return True

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
