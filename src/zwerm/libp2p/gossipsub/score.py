"""What each peer is worth (gossipsub v1.1, "The Score Function"): seen behaviour, weighed, decaying.

    score = min(cap, sum over topics of weight * (P1 + P2 + P3 + P3b + P4)) + P5 + P6 + P7

A peer's counters outlive its connection by `retain_score`, so that nobody loses a bad name by calling again.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

from zwerm.core.bounded import LruCache
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.config import ScoreConfig, TopicScore

_MAX_DELIVERIES = 8_192  # messages of which is known who delivered them


@dataclasses.dataclass(slots=True)
class _Topic:
    """What one peer did in one topic."""

    grafted: Instant | None = None
    time_in_mesh: float = 0.0  # seconds
    is_active: bool = False  # long enough in the mesh for P3
    first_message_deliveries: float = 0.0
    mesh_message_deliveries: float = 0.0
    mesh_failure_penalty: float = 0.0
    invalid_message_deliveries: float = 0.0


@dataclasses.dataclass(slots=True)
class _Peer:
    topics: dict[str, _Topic] = dataclasses.field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    behaviour_penalty: float = 0.0
    gone_until: Instant | None = None  # when it is forgotten; None while it is connected


@dataclasses.dataclass(slots=True)
class _Delivery:
    """Who brought a message."""

    accepted: Instant
    peers: set[PeerId]


class PeerScores:
    """The scores of all peers, connected or lately gone."""

    def __init__(self, config: ScoreConfig) -> None:
        self._config = config
        self._peers: OrderedDict[PeerId, _Peer] = OrderedDict()
        self._by_address: dict[str, set[PeerId]] = {}
        self._deliveries: LruCache[bytes, _Delivery] = LruCache(_MAX_DELIVERIES)
        self._decayed: Instant | None = None

    def add_peer(self, peer: PeerId, addresses: tuple[str, ...]) -> None:
        """A peer connected; `addresses` are those whose sharing is suspicious (no loopback, no relay)."""
        known = self._peers.setdefault(peer, _Peer())
        known.gone_until = None
        self._forget_addresses(peer, known)
        known.addresses = addresses
        for address in addresses:
            self._by_address.setdefault(address, set()).add(peer)

    def remove_peer(self, peer: PeerId, now: Instant) -> None:
        """A peer has gone. What it gained is lost at once; what it owes is kept."""
        known = self._peers.get(peer)
        if known is None:
            return
        if self.score(peer) > 0:
            self._forget_addresses(peer, known)
            del self._peers[peer]
            return
        for topic, stats in known.topics.items():
            stats.first_message_deliveries = 0.0
            if stats.grafted is not None:
                self._fail(topic, stats)
            stats.grafted = None
        known.gone_until = now + self._config.retain_score
        self._peers.move_to_end(peer)
        gone = [peer for peer, known in self._peers.items() if known.gone_until is not None]
        for peer in gone[: max(0, len(gone) - self._config.max_retained)]:
            self._forget_addresses(peer, self._peers.pop(peer))

    def graft(self, peer: PeerId, topic: str, now: Instant) -> None:
        stats = self._topic(peer, topic)
        if stats is not None:
            stats.grafted, stats.time_in_mesh, stats.is_active = now, 0.0, False

    def prune(self, peer: PeerId, topic: str) -> None:
        stats = self._topic(peer, topic)
        if stats is not None:
            self._fail(topic, stats)
            stats.grafted = None

    def delivered(self, peer: PeerId, topic: str, message_id: bytes, now: Instant) -> None:
        """The first copy of a message, and it is valid."""
        self._deliveries.put(message_id, _Delivery(now, {peer}))
        stats = self._topic(peer, topic)
        if stats is None:
            return
        params = self._params(topic)
        stats.first_message_deliveries = min(params.first_message_deliveries_cap, stats.first_message_deliveries + 1)
        self._count_mesh(stats, params)

    def duplicated(self, peer: PeerId, topic: str, message_id: bytes, now: Instant) -> None:
        """A further copy; shortly after the first it counts as delivered too, once for each peer."""
        delivery = self._deliveries.find(message_id)
        if delivery is None or peer in delivery.peers:
            return
        delivery.peers.add(peer)
        stats = self._topic(peer, topic)
        params = self._params(topic)
        if stats is not None and now - delivery.accepted <= params.mesh_message_delivery_window:
            self._count_mesh(stats, params)

    def rejected(self, peer: PeerId, topic: str) -> None:
        """A message that must not be passed on."""
        stats = self._topic(peer, topic)
        if stats is not None:
            stats.invalid_message_deliveries += 1

    def penalize(self, peer: PeerId, count: float) -> None:
        """P7: against the rules of the protocol."""
        known = self._peers.get(peer)
        if known is not None:
            known.behaviour_penalty += count

    def refresh(self, now: Instant) -> None:
        """Let counters decay for the intervals that have passed, and forget who is long gone."""
        config = self._config
        if self._decayed is None:
            self._decayed = now
        passed = int((now - self._decayed) / config.decay_interval)
        self._decayed += passed * config.decay_interval
        for peer, known in list(self._peers.items()):
            if known.gone_until is not None:
                if known.gone_until <= now:
                    self._forget_addresses(peer, self._peers.pop(peer))
                continue  # who is not here does not get better by waiting
            if passed:
                self._decay(known, passed)
            for topic, stats in known.topics.items():
                if stats.grafted is not None:
                    stats.time_in_mesh = now - stats.grafted
                    if stats.time_in_mesh > self._params(topic).mesh_message_deliveries_activation:
                        stats.is_active = True

    def score(self, peer: PeerId) -> float:
        known = self._peers.get(peer)
        if known is None:
            return 0.0
        config = self._config
        total = sum(self._topic_score(topic, stats) for topic, stats in known.topics.items())
        total = min(total, config.topic_score_cap)
        if config.app_specific is not None:
            total += config.app_specific_weight * config.app_specific(peer)
        for address in known.addresses:
            surplus = len(self._by_address.get(address, ())) - config.ip_colocation_factor_threshold
            if surplus > 0:
                total += config.ip_colocation_factor_weight * surplus * surplus
        excess = known.behaviour_penalty - config.behaviour_penalty_threshold
        if excess > 0:
            total += config.behaviour_penalty_weight * excess * excess
        return total

    def __len__(self) -> int:
        return len(self._peers)

    def _topic_score(self, topic: str, stats: _Topic) -> float:
        params = self._params(topic)
        score = 0.0
        if stats.grafted is not None:
            score += params.time_in_mesh_weight * min(
                stats.time_in_mesh / params.time_in_mesh_quantum, params.time_in_mesh_cap
            )
        score += params.first_message_deliveries_weight * stats.first_message_deliveries
        deficit = self._deficit(topic, stats)
        score += params.mesh_message_deliveries_weight * deficit * deficit
        score += params.mesh_failure_penalty_weight * stats.mesh_failure_penalty
        score += params.invalid_message_deliveries_weight * stats.invalid_message_deliveries**2
        return params.topic_weight * score

    def _deficit(self, topic: str, stats: _Topic) -> float:
        params = self._params(topic)
        if not stats.is_active:
            return 0.0
        return max(0.0, params.mesh_message_deliveries_threshold - stats.mesh_message_deliveries)

    def _fail(self, topic: str, stats: _Topic) -> None:
        """P3b: out of the mesh with a deficit."""
        stats.mesh_failure_penalty += self._deficit(topic, stats) ** 2
        stats.is_active = False

    @staticmethod
    def _count_mesh(stats: _Topic, params: TopicScore) -> None:
        if stats.grafted is not None:
            count = stats.mesh_message_deliveries + 1
            stats.mesh_message_deliveries = min(params.mesh_message_deliveries_cap, count)

    def _decay(self, known: _Peer, intervals: int) -> None:
        config = self._config

        def decayed(value: float, factor: float) -> float:
            value *= factor**intervals
            return value if value >= config.decay_to_zero else 0.0

        known.behaviour_penalty = decayed(known.behaviour_penalty, config.behaviour_penalty_decay)
        for topic, stats in known.topics.items():
            params = self._params(topic)
            stats.first_message_deliveries = decayed(
                stats.first_message_deliveries, params.first_message_deliveries_decay
            )
            stats.mesh_message_deliveries = decayed(stats.mesh_message_deliveries, params.mesh_message_deliveries_decay)
            stats.mesh_failure_penalty = decayed(stats.mesh_failure_penalty, params.mesh_failure_penalty_decay)
            stats.invalid_message_deliveries = decayed(
                stats.invalid_message_deliveries, params.invalid_message_deliveries_decay
            )

    def _topic(self, peer: PeerId, topic: str) -> _Topic | None:
        """Topics here are ours, so a peer cannot make them many."""
        known = self._peers.get(peer)
        return None if known is None else known.topics.setdefault(topic, _Topic())

    def _params(self, topic: str) -> TopicScore:
        return self._config.topics.get(topic, self._config.topic)

    def _forget_addresses(self, peer: PeerId, known: _Peer) -> None:
        for address in known.addresses:
            peers = self._by_address.get(address)
            if peers is not None:
                peers.discard(peer)
                if not peers:
                    del self._by_address[address]
        known.addresses = ()
