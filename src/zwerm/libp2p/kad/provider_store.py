"""Who said that it provides what (ipfs specs, "Provider Record Routing").

A record holds 48 hours, the provider's addresses 24. It is full at a limit for all, for a key and for a provider, and
then refuses: a flood of one provider fills only its own share. Nothing is kept over a restart: providers come again
within 22 hours, and 19 others hold the same record meanwhile.
"""

from __future__ import annotations

from collections import Counter, deque

from zwerm.core.bounded import LruCache
from zwerm.core.errors import ResourceLimitError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.config import KadConfig
from zwerm.libp2p.kad.message import Peer


class ProviderStore:
    """Provider records by key."""

    def __init__(self, config: KadConfig) -> None:
        self._config = config
        self._expiries: dict[bytes, dict[PeerId, Instant]] = {}
        self._queue: deque[tuple[Instant, bytes, PeerId]] = deque()  # in the order in which they expire
        self._counts: Counter[PeerId] = Counter()  # records by provider
        self._addresses: LruCache[PeerId, tuple[Instant, tuple[bytes, ...]]] = LruCache(
            max(1, config.max_provider_records // 8)
        )

    def __len__(self) -> int:
        """Records, expired ones that were not yet swept up included."""
        return self._counts.total()

    @property
    def keys(self) -> int:
        return len(self._expiries)

    def add(self, key: bytes, provider: Peer, now: Instant) -> None:
        """Keep a record anew.

        Raises:
            ResourceLimitError: a limit is reached; nothing was changed. The message names it.
        """
        self.sweep(now)
        config, peer = self._config, provider.peer
        of_key = self._expiries.get(key, {})
        if peer not in of_key:
            _check(len(self), config.max_provider_records, "provider records")
            _check(self._counts[peer], config.max_provider_records_per_peer, "provider records of one peer")
            _check(len(of_key), config.max_providers_per_key, "providers of one key")
            self._counts[peer] += 1
        elif of_key[peer] - now > config.provider_validity * 0.99:
            return  # said again at once: one record waits for its end, not a queue of them
        expiry = now + config.provider_validity
        self._expiries.setdefault(key, of_key)[peer] = expiry
        self._queue.append((expiry, key, peer))
        if provider.addresses:
            self._addresses.put(peer, (now + config.provider_address_validity, provider.addresses))

    def providers(self, key: bytes, now: Instant) -> list[Peer]:
        """Return who provides, with addresses while these are fresh."""
        return [
            Peer(peer, self.addresses(peer, now))
            for peer, expiry in self._expiries.get(key, {}).items()
            if expiry > now
        ]

    def addresses(self, peer: PeerId, now: Instant) -> tuple[bytes, ...]:
        """Return where a provider said it is; empty when that was too long ago."""
        expiry, addresses = self._addresses.find(peer) or (now, ())
        return addresses if expiry > now else ()

    def sweep(self, now: Instant) -> None:
        """Throw away what has expired."""
        while self._queue and self._queue[0][0] <= now:
            expiry, key, peer = self._queue.popleft()
            of_key = self._expiries.get(key)
            if of_key is None or of_key.get(peer) != expiry:
                continue  # it was said again since
            del of_key[peer]
            if not of_key:
                del self._expiries[key]
            self._counts[peer] -= 1
            if not self._counts[peer]:
                del self._counts[peer]


def _check(count: int, limit: int, name: str) -> None:
    if count >= limit:
        raise ResourceLimitError(f"{count + 1} {name}, the limit is {limit}")
