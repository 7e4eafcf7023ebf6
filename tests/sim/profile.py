"""What a path does to datagrams, in numbers, and presets of paths that people have.

The presets are round figures from what such networks show in the field: medians of one-way delay and loss, not worst
cases. A test that needs another path changes the one number it is about: `dataclasses.replace(WIFI, loss=0.2)`.
"""

from __future__ import annotations

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True)
class Profile:
    """One direction of a path. The default is a perfect one."""

    latency: float = 0.0  # seconds one way
    jitter: float = 0.0  # seconds; each datagram takes up to so much longer, order kept
    loss: float = 0.0  # share of datagrams lost on the way, 0 to 1
    burst: float = 1.0  # mean length of a run of losses, in datagrams; 1: each is lost or not on its own
    duplicate: float = 0.0  # share of datagrams that arrive twice
    reorder: float = 0.0  # share of datagrams that later ones overtake
    reorder_delay: float = 0.01  # seconds that an overtaken datagram comes late
    rate: float | None = None  # bits per second, IP and UDP headers counted; None: no limit
    buffer: int = 262_144  # bytes that wait for the rate at most; what comes on top is dropped
    mtu: int = 1_500  # bytes of an IP packet; larger ones are dropped, as with "don't fragment"

    def __post_init__(self) -> None:
        """Refuse numbers that no path has."""
        shares = (self.loss, self.duplicate, self.reorder)
        times = (self.latency, self.jitter, self.reorder_delay)
        if not all(0 <= share <= 1 for share in shares) or min(times) < 0:
            raise ValueError(f"{self}: shares lie between 0 and 1, times are not negative")
        if self.burst < 1 or (self.burst > 1 > self.loss > self.burst * (1 - self.loss) + 1e-9):
            raise ValueError(f"bursts of {self.burst} datagrams cannot make up a loss of {self.loss}")


PERFECT: Final = Profile()
LAN: Final = Profile(latency=0.000_2, rate=1e9)
WIFI: Final = Profile(latency=0.003, jitter=0.004, loss=0.005, burst=2, rate=50e6, buffer=524_288)
CELLULAR: Final = Profile(
    latency=0.035, jitter=0.02, loss=0.005, burst=3, reorder=0.001, reorder_delay=0.02, rate=12e6, buffer=1_048_576
)
SATELLITE: Final = Profile(latency=0.3, jitter=0.015, loss=0.01, burst=4, rate=20e6, buffer=1_048_576)
CONGESTED: Final = Profile(
    latency=0.04, jitter=0.04, loss=0.05, burst=4, duplicate=0.005, reorder=0.01, rate=1e6, buffer=65_536
)

PRESETS: Final[dict[str, Profile]] = {
    "perfect": PERFECT,
    "lan": LAN,
    "wifi": WIFI,
    "cellular": CELLULAR,
    "satellite": SATELLITE,
    "congested": CONGESTED,
}
