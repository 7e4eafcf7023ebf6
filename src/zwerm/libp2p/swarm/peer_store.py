"""What is known about peers, in memory, bounded in each direction that a peer could grow it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

from zwerm.core.bounded import LruCache
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.swarm.limits import Limits
from zwerm.multiformats.multiaddr import Multiaddr


@dataclasses.dataclass(slots=True)
class _Known:
    """What is known about one peer."""

    addresses: dict[Multiaddr, Instant]  # with the end of their life
    protocols: frozenset[str] = frozenset()
    agent: str = ""
    record: bytes | None = None
    sequence: int = -1  # of `record`


class MemoryPeerStore:
    """The peer store of a swarm; forgotten with it."""

    def __init__(self, limits: Limits, clock: Callable[[], Instant]) -> None:
        self._limits = limits
        self._clock = clock
        self._peers: LruCache[PeerId, _Known] = LruCache(limits.peers_remembered)

    def addresses(self, peer: PeerId) -> Sequence[Multiaddr]:
        known = self._peers.find(peer)
        if known is None:
            return ()
        now = self._clock()
        alive = {address: end for address, end in known.addresses.items() if end > now}
        known.addresses = alive
        return sorted(alive, key=alive.__getitem__, reverse=True)

    def add_addresses(self, peer: PeerId, addresses: Sequence[Multiaddr], lifetime: float) -> None:
        """As the interface says. Past the limit of addresses of one peer, those whose life ends first go."""
        mine = list(own_addresses(addresses, peer))
        if not mine:
            return
        known, end = self._known(peer), self._clock() + lifetime
        for address in mine:
            known.addresses[address] = max(end, known.addresses.get(address, end))
        if len(known.addresses) > self._limits.addresses_per_peer:
            newest = sorted(known.addresses.items(), key=lambda item: item[1], reverse=True)
            known.addresses = dict(newest[: self._limits.addresses_per_peer])

    def remove_addresses(self, peer: PeerId) -> None:
        """Forget where a peer was."""
        known = self._peers.find(peer)
        if known is not None:
            known.addresses = {}

    def protocols(self, peer: PeerId) -> frozenset[str]:
        known = self._peers.find(peer)
        return known.protocols if known else frozenset()

    def set_protocols(self, peer: PeerId, protocols: Iterable[str]) -> None:
        """Remember what a peer says it speaks; names past the limit are left out."""
        self._known(peer).protocols = frozenset(list(protocols)[: self._limits.protocols_per_peer])

    def agent(self, peer: PeerId) -> str:
        known = self._peers.find(peer)
        return known.agent if known else ""

    def set_agent(self, peer: PeerId, agent: str) -> None:
        self._known(peer).agent = agent

    def signed_record(self, peer: PeerId) -> bytes | None:
        known = self._peers.find(peer)
        return known.record if known else None

    def set_signed_record(self, peer: PeerId, envelope: bytes, sequence: int) -> bool:
        """Keep a record that was checked, unless one that is as new is here; return whether it was kept."""
        known = self._known(peer)
        if sequence <= known.sequence:
            return False
        known.record, known.sequence = envelope, sequence
        return True

    def _known(self, peer: PeerId) -> _Known:
        known = self._peers.find(peer)
        if known is None:
            known = _Known({})
            self._peers.put(peer, known)
        return known

    def __contains__(self, peer: object) -> bool:
        return peer in self._peers

    def __iter__(self) -> Iterator[PeerId]:
        return iter(list(self._peers))

    def __len__(self) -> int:
        return len(self._peers)


def own_addresses(addresses: Iterable[Multiaddr], peer: PeerId) -> Iterator[Multiaddr]:
    """Yield addresses without the `/p2p/` of `peer` at their end; those that end in another peer's are left out."""
    for address in addresses:
        last = address.components[-1]
        if last.protocol.name != "p2p":
            yield address
        elif last.value == peer.multihash and len(address) > 1:
            yield Multiaddr(address.components[:-1])
