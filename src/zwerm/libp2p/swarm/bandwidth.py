"""How much goes up and down, in all and by protocol and peer, and the caps on it.

What counts is what protocols read and write: records, frames and headers come on top, a few percent. A cap is a bucket
of credit that fills with time and may be overdrawn once; whoever comes while it is overdrawn waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from zwerm.core.bounded import LruCache
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId

K = TypeVar("K")

SMOOTHING: Final = 5.0  # seconds over which a rate is a mean
BURST: Final = 1.0  # seconds of the cap that may be used at once after a pause
MAX_NAMES: Final = 1_024  # protocols, and peers, that are metered each for itself


class Usage(NamedTuple):
    """What has gone over something."""

    received: int  # bytes
    sent: int
    receive_rate: float  # bytes per second, lately
    send_rate: float


class Meter:
    """Counts one thing."""

    __slots__ = ("_counted", "_receive_rate", "_send_rate", "received", "sent")

    def __init__(self) -> None:
        self.received = self.sent = 0
        self._receive_rate = self._send_rate = 0.0
        self._counted: Instant = 0.0

    def add(self, received: int, sent: int, now: Instant) -> None:
        decay = math.exp((self._counted - now) / SMOOTHING)
        self._counted = now
        self.received += received
        self.sent += sent
        self._receive_rate = self._receive_rate * decay + received / SMOOTHING
        self._send_rate = self._send_rate * decay + sent / SMOOTHING

    def usage(self, now: Instant) -> Usage:
        self.add(0, 0, now)
        return Usage(self.received, self.sent, self._receive_rate, self._send_rate)


class Cap:
    """A limit on one direction; None: there is none."""

    def __init__(self, bytes_per_second: float | None, now: Instant) -> None:
        self._filled = now
        self._rate: float | None = None
        self._credit = 0.0  # bytes; below 0 it is overdrawn
        self.set(bytes_per_second, now)

    @property
    def bytes_per_second(self) -> float | None:
        return self._rate

    def set(self, bytes_per_second: float | None, now: Instant) -> None:
        """Change the limit, from now on."""
        self._rate = bytes_per_second
        self._filled = now
        self._credit = 0.0 if bytes_per_second is None else bytes_per_second * BURST

    def charge(self, size: int, now: Instant) -> None:
        """Count bytes that went."""
        if self._rate is not None:
            self._fill(self._rate, now)
            self._credit -= size

    def delay(self, now: Instant) -> float:
        """Return the seconds until more may go; 0.0: now."""
        if self._rate is None:
            return 0.0
        self._fill(self._rate, now)
        return max(0.0, -self._credit / self._rate)

    def _fill(self, rate: float, now: Instant) -> None:
        self._credit = min(self._credit + (now - self._filled) * rate, rate * BURST)
        self._filled = now


class Bandwidth:
    """The meters and caps of one swarm."""

    def __init__(
        self, clock: Callable[[], Instant], *, upload: float | None = None, download: float | None = None
    ) -> None:
        """`upload` and `download` in bytes per second; None: no limit."""
        now = clock()
        self.total = Meter()
        self.upload = Cap(upload, now)
        self.download = Cap(download, now)
        self._clock = clock
        self._protocols: LruCache[str, Meter] = LruCache(MAX_NAMES)
        self._peers: LruCache[PeerId, Meter] = LruCache(MAX_NAMES)

    def meters(self, peer: PeerId, protocol: str) -> tuple[Meter, Meter, Meter]:
        """Return the meters that a stream counts on."""
        return self.total, _meter(self._peers, peer), _meter(self._protocols, protocol)

    def usage(self) -> Usage:
        return self.total.usage(self._clock())

    def usage_of_peer(self, peer: PeerId) -> Usage:
        meter = self._peers.find(peer)
        return meter.usage(self._clock()) if meter else Usage(0, 0, 0.0, 0.0)

    def usage_of_protocol(self, protocol: str) -> Usage:
        meter = self._protocols.find(protocol)
        return meter.usage(self._clock()) if meter else Usage(0, 0, 0.0, 0.0)

    def usage_of_protocols(self) -> dict[str, Usage]:
        """The protocols that were used lately, by name."""
        now = self._clock()
        found = {name: self._protocols.find(name) for name in tuple(self._protocols)}
        return {name: meter.usage(now) for name, meter in sorted(found.items()) if meter is not None}

    def now(self) -> Instant:
        return self._clock()


def _meter(meters: LruCache[K, Meter], name: K) -> Meter:
    meter = meters.find(name)
    if meter is None:
        meter = Meter()
        meters.put(name, meter)
    return meter
