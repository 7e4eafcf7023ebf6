"""Who may be connected with: those on the list, if there is one, nobody who was just sent away, none in some ranges."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from zwerm.core.bounded import LruCache
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.swarm.address_ranges import AddressRanges
from zwerm.multiformats.multiaddr import Multiaddr

MAX_RESTING: Final = 1_024  # remembered; one that is forgotten may come back sooner


class Admission:
    """What keeps a peer out, by whatever transport and whoever dials."""

    def __init__(self, allowed: Collection[PeerId] | None, clock: Callable[[], Instant]) -> None:
        """Let in those of `allowed` only; None: everybody."""
        self.allow(allowed)
        self._clock = clock
        self.filtered = AddressRanges()
        self._resting: LruCache[PeerId, Instant] = LruCache(MAX_RESTING)

    def allow(self, peers: Collection[PeerId] | None) -> None:
        self._allowed = None if peers is None else frozenset(peers)

    def rest(self, peer: PeerId, time: float) -> None:
        """Keep a peer out for so many seconds."""
        self._resting.put(peer, self._clock() + time)

    def end_rests(self) -> None:
        self._resting.clear()

    def refusal(self, peer: PeerId) -> str | None:
        """Return why the peer is kept out, in words; None: it is not."""
        if self._allowed is not None and peer not in self._allowed:
            return "is not on the list of peers that this node talks to"
        left = (self._resting.find(peer) or 0.0) - self._clock()
        return f"was sent away, and is left alone for another {left:.0f} s" if left > 0 else None

    def address_refusal(self, address: Multiaddr) -> str | None:
        """Return why nobody is dialled or let in there, in words; None: some may."""
        return self.filtered.refusal(address)
