"""Which addresses of ours others see us at, and which of these are believed.

A peer may say anything, so an address counts once peers behind several different addresses have said it: those of one
owner are worth one. What is not repeated is forgotten.
"""

from __future__ import annotations

from typing import Final

from zwerm.core.bounded import LruCache
from zwerm.core.machine import Instant
from zwerm.multiformats.multiaddr import Multiaddr

ENOUGH: Final = 4  # observers, as in go-libp2p
LIFETIME: Final = 1_800.0  # seconds that an observation counts
MAX_ADDRESSES: Final = 128  # that are counted; the least recently said are forgotten
MAX_OBSERVERS: Final = 32  # that are remembered of one address


class Observations:
    """What was said of one node."""

    def __init__(self) -> None:
        self._observers: LruCache[Multiaddr, dict[str, Instant]] = LruCache(MAX_ADDRESSES)

    def add(self, observer: str, address: Multiaddr, now: Instant) -> None:
        """Count that `observer`, named so that those of one owner have one name, sees this node at `address`."""
        observers = self._observers.find(address)
        if observers is None:
            observers = {}
            self._observers.put(address, observers)
        observers.pop(observer, None)
        observers[observer] = now
        if len(observers) > MAX_OBSERVERS:
            del observers[next(iter(observers))]

    def believed(self, now: Instant, enough: int = ENOUGH) -> tuple[Multiaddr, ...]:
        """Return the addresses that `enough` observers have said lately, most observers first."""
        counts: dict[Multiaddr, int] = {}
        for address in tuple(self._observers):
            observers = self._observers.find(address) or {}
            count = sum(since + LIFETIME > now for since in observers.values())
            if count >= enough:
                counts[address] = count
        return tuple(sorted(counts, key=lambda address: (-counts[address], address)))
