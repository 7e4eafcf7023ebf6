"""Showing what others do: a little late, so that there is always a state before and one after to draw between.

How late is the worst that packets have been late recently, within bounds. The authority's clock is told from the
snapshots that came fastest.
"""

from __future__ import annotations

import dataclasses
from bisect import insort
from collections import deque
from typing import Final

from zwerm.core.machine import Instant
from zwerm.webrtc.sync.schema import Quantised, Schema

_REMEMBERED: Final = 64  # arrivals that lateness is judged by


@dataclasses.dataclass(frozen=True, slots=True)
class Playout:
    """How states are shown. Times are seconds."""

    tick: float  # of one tick of the authority
    minimum_delay: float = 0.05
    maximum_delay: float = 0.3
    extrapolation: float = 0.1  # that values go on beyond the newest state, before they stand still
    max_states: int = 128


class InterpolationBuffer:
    """Takes states as they come, gives values for any moment."""

    def __init__(self, schema: Schema, playout: Playout) -> None:
        self.schema = schema
        self.playout = playout
        self._states: list[tuple[float, dict[int, tuple[float, ...]]]] = []
        self._transits: deque[float] = deque(maxlen=_REMEMBERED)

    def add(self, tick: int, state: Quantised, now: Instant) -> None:
        """Take a state that arrived now; the order does not matter, a moment that is known is not taken again."""
        moment = tick * self.playout.tick
        self._transits.append(now - moment)
        if all(known != moment for known, _ in self._states):
            insort(self._states, (moment, self.schema.restore(state)), key=lambda entry: entry[0])
            del self._states[: -self.playout.max_states]

    @property
    def delay(self) -> float:
        """How late things are shown behind the fastest packets."""
        lateness = max(self._transits, default=0.0) - min(self._transits, default=0.0)
        return min(max(lateness + self.playout.tick, self.playout.minimum_delay), self.playout.maximum_delay)

    def sample(self, now: Instant) -> dict[int, tuple[float, ...]]:
        """The values to show now; nothing before the first state came."""
        if not self._states:
            return {}
        moment = now - min(self._transits) - self.delay
        index = next((i for i, (at, _) in enumerate(self._states) if at > moment), len(self._states))
        if index == 0:
            return dict(self._states[0][1])
        if index < len(self._states):
            return self._between(index - 1, moment)
        if len(self._states) == 1:
            return dict(self._states[-1][1])
        return self._between(len(self._states) - 2, min(moment, self._states[-1][0] + self.playout.extrapolation))

    def _between(self, index: int, moment: float) -> dict[int, tuple[float, ...]]:
        (before, old), (after, new) = self._states[index : index + 2]
        share = (moment - before) / (after - before)
        shown = new if share >= 1 else old
        return {
            number: self._mixed(old[number], new[number], share) if number in old and number in new else row
            for number, row in shown.items()
        }

    def _mixed(self, old: tuple[float, ...], new: tuple[float, ...], share: float) -> tuple[float, ...]:
        mixed = []
        for field, a, b in zip(self.schema.fields, old, new, strict=True):
            way = b - a
            if field.wraps:
                way = (way + field.period / 2) % field.period - field.period / 2
            value = a + way * share
            mixed.append(field.minimum + (value - field.minimum) % field.period if field.wraps else value)
        return tuple(mixed)
