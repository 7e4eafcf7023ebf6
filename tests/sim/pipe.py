"""One direction of a TCP connection, as a stream machine sees it: every byte, in order, cut anywhere.

Loss does not show but as delay, so the profile gives latency, jitter and rate only. The cuts are drawn from the seed:
mostly segments, sometimes single bytes, so that a parser that likes whole frames is found out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

from tests.sim.clock import VirtualClock
from tests.sim.profile import PERFECT, Profile
from zwerm.core.machine import Instant
from zwerm.core.random import seeded

SEGMENT: Final = 1_460  # bytes in a full TCP segment
_CRUMBS: Final = 0.1  # share of cuts that are made after a few bytes


class Pipe:
    """Takes bytes at one end and hands them to `on_data`; they gather in `received` while there is none."""

    def __init__(self, clock: VirtualClock, profile: Profile = PERFECT, *, seed: int | str = 0) -> None:
        self.on_data: Callable[[bytes], None] | None = None
        self.on_eof: Callable[[], None] | None = None
        self.received = bytearray()
        self.sent = 0  # bytes
        self._clock = clock
        self._profile = profile
        self._random = seeded(seed, "pipe")
        self._free_at: Instant = 0.0
        self._last_arrival: Instant = 0.0
        self._is_closed = False

    def send(self, data: bytes) -> None:
        if self._is_closed:
            raise ValueError("the pipe was closed at this end")
        self.sent += len(data)
        position = 0
        while position < len(data):
            limit = 4 if self._random.random() < _CRUMBS else SEGMENT
            chunk = data[position : position + self._random.randint(1, limit)]
            position += len(chunk)
            self._clock.call_at(self._arrival(len(chunk)), functools.partial(self._deliver, chunk))

    def close(self) -> None:
        """Send no more. The other end hears of it after the last byte."""
        if not self._is_closed:
            self._is_closed = True
            self._clock.call_at(self._arrival(0), self._deliver_eof)

    def _deliver(self, chunk: bytes) -> None:
        if self.on_data is None:
            self.received += chunk
        else:
            self.on_data(chunk)

    def _deliver_eof(self) -> None:
        if self.on_eof is not None:
            self.on_eof()

    def _arrival(self, size: int) -> Instant:
        profile = self._profile
        self._free_at = max(self._clock.now, self._free_at)
        if profile.rate is not None:
            self._free_at += size * 8 / profile.rate
        arrival = self._free_at + profile.latency + self._random.random() * profile.jitter
        self._last_arrival = max(arrival, self._last_arrival)
        return self._last_arrival
