"""One direction of a path, impaired as its `Profile` says and repeatable by its seed.

A datagram passes, in this order: the MTU, the buffer before the bottleneck, the bottleneck's rate, loss, delay, and at
the end reordering and duplication. A lost datagram has used the rate, as on a wire.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random
from typing import Final, Generic, TypeVar

from tests.sim.clock import VirtualClock
from tests.sim.profile import PERFECT, Profile
from zwerm.core.machine import Instant
from zwerm.core.random import seeded

HEADERS: Final = 28  # bytes of IPv4 and UDP

T = TypeVar("T")


@dataclasses.dataclass(slots=True)
class LinkStatistics:
    """What became of the datagrams. `sent` is the sum of the others, duplicates aside, and of those on their way."""

    sent: int = 0
    delivered: int = 0  # duplicates included
    lost: int = 0
    dropped: int = 0  # the buffer was full
    too_big: int = 0
    duplicated: int = 0
    reordered: int = 0


class Link(Generic[T]):
    """Takes datagrams at one end, hands them out at the other, later or never. What a datagram is, is the caller's."""

    def __init__(
        self,
        clock: VirtualClock,
        deliver: Callable[[T], None],
        profile: Profile = PERFECT,
        *,
        seed: int | str = 0,
    ) -> None:
        """`profile` may be replaced at any time; what is on its way arrives as it would have."""
        self.profile = profile
        self.statistics = LinkStatistics()
        self._clock = clock
        self._deliver = deliver
        self._seed = seed
        self._random: Random | None = None  # 2.5 kB each, so only for links that draw
        self._is_losing = False
        self._free_at: Instant = 0.0  # when the bottleneck will have sent all it holds
        self._last_arrival: Instant = 0.0

    @property
    def backlog(self) -> float:
        """Bytes that wait for the bottleneck or pass it now."""
        rate = self.profile.rate
        return max(0.0, self._free_at - self._clock.now) * rate / 8 if rate else 0.0

    def send(self, datagram: T, payload: int) -> None:
        """Send `datagram`, which has `payload` bytes behind its headers."""
        profile, size = self.profile, payload + HEADERS
        self.statistics.sent += 1
        if size > profile.mtu:
            self.statistics.too_big += 1
            return
        if profile.rate is None:
            left_at = self._clock.now
        elif self.backlog + size > profile.buffer:
            self.statistics.dropped += 1
            return
        else:
            left_at = max(self._clock.now, self._free_at) + size * 8 / profile.rate
            self._free_at = left_at
        # Four draws for each, used or not: changing one number of a profile leaves the luck of the others as it was.
        lot, delay, twice, late = self._draw()
        if self._loses(lot):
            self.statistics.lost += 1
            return
        arrival = left_at + profile.latency + delay * profile.jitter
        if late < profile.reorder:
            self.statistics.reordered += 1
            arrival += profile.reorder_delay
        else:
            arrival = max(arrival, self._last_arrival)
            self._last_arrival = arrival
        self._arrive_at(arrival, datagram)
        if twice < profile.duplicate:
            self.statistics.duplicated += 1
            self._arrive_at(arrival, datagram)

    def _draw(self) -> tuple[float, float, float, float]:
        profile = self.profile
        if not (profile.loss or profile.jitter or profile.duplicate or profile.reorder):
            return 1.0, 0.0, 1.0, 1.0
        if self._random is None:
            self._random = seeded(self._seed, "link")
        draw = self._random.random
        return draw(), draw(), draw(), draw()

    def _loses(self, lot: float) -> bool:
        """Gilbert's model: a good state that loses nothing, a bad one that loses all and lasts `burst` datagrams."""
        loss, burst = self.profile.loss, self.profile.burst
        if burst == 1 or loss in (0.0, 1.0):
            return lot < loss
        if self._is_losing:
            self._is_losing = lot >= 1 / burst
        else:
            self._is_losing = lot < loss / (burst * (1 - loss))
        return self._is_losing

    def _arrive_at(self, when: Instant, datagram: T) -> None:
        def arrive() -> None:
            self.statistics.delivered += 1
            self._deliver(datagram)

        self._clock.call_at(when, arrive)
