"""One deadline of a machine on an event loop.

It may ring early, which changes nothing for a machine (law 3), and is then set anew: so a deadline that moves back, as
that of a resend does with each answer, costs nothing. One that is seconds away rings a little late, in step with all
others of that kind: thousands of connections that idle wake the process a few times a second and not thousands.
Loops count in milliseconds, and uvloop makes no timer at all of what is nearer: nothing is set closer than one, or a
machine whose deadline is half of one ahead would be asked without pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from zwerm.core.machine import Instant

FINEST: Final = 0.001  # seconds
FAR: Final = 2.0  # seconds until a deadline that may be late
STEP: Final = 0.25  # seconds between the moments at which far ones ring
MOVED: Final = 0.4  # seconds until an early ring that is worth moving: what is nearer moves with every packet


class Alarm:
    """Calls back at a deadline, or before."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None], clock: Callable[[], Instant] | None = None
    ) -> None:
        """`clock` is what deadlines are of; None: that of the loop."""
        self._loop = loop
        self._ring = ring
        self._clock = clock or loop.time
        self._handle: asyncio.TimerHandle | None = None
        self._due: Instant = 0.0  # when the handle rings

    @property
    def due(self) -> Instant | None:
        """When it rings; None: not at all."""
        return None if self._handle is None else self._due

    def set(self, due: Instant | None) -> None:
        """Ring at `due` at the latest, or up to `STEP` later if it is far; None: do not ring."""
        handle = self._handle
        if due is None:
            if handle is not None:
                handle.cancel()
                self._handle = None
            return
        is_early = handle is not None and self._due <= due
        if is_early and due - self._due < STEP:
            return
        now = self._clock()
        if is_early and self._due - now < MOVED:
            return
        due = max(due, now + FINEST)
        is_far = due - now >= FAR
        if handle is not None:
            if not is_early and self._due <= due + (STEP if is_far else 0.0):
                return  # or a deadline that is always near would never come
            handle.cancel()
        if is_far:
            begins = self._loop.time()
            rings = ((begins + due - now) // STEP + 1) * STEP  # by the loop's clock, which all of them share
            self._due = now + rings - begins
            self._handle = self._loop.call_at(rings, self._rings)
        else:
            self._due = due
            self._handle = self._loop.call_later(due - now, self._rings)

    def _rings(self) -> None:
        self._handle = None
        self._ring()
