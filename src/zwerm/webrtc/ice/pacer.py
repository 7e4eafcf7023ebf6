"""Spacing of new checks (RFC 8445 section 14.2): one clock for all checklists of a host that share it.

Agents of one connection that are not bundled are given one `Pacer`; so are the two sessions of a restart.
"""

from __future__ import annotations

from zwerm.core.machine import Instant


class Pacer:
    """Says when the next new check may go."""

    __slots__ = ("_last", "ta", "ta_triggered")

    def __init__(self, ta: float, ta_triggered: float) -> None:
        self.ta = ta
        self.ta_triggered = ta_triggered
        self._last: Instant | None = None

    def ready_at(self, *, triggered: bool) -> Instant | None:
        """When a check may be sent; None when at any time."""
        if self._last is None:
            return None
        return self._last + (min(self.ta, self.ta_triggered) if triggered else self.ta)

    def sent(self, now: Instant) -> None:
        self._last = now
