"""Who is in the mesh of each topic, and how it is mended (gossipsub v1.0, "Mesh maintenance"; v1.1).

Backoffs, grafts, prunes, fanout and the choice of whom to keep stand here; messages do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from zwerm.core.machine import Instant
from zwerm.core.random import Random
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.config import GossipsubConfig, ScoreConfig
from zwerm.libp2p.gossipsub.message import Prune
from zwerm.libp2p.gossipsub.outbox import Outbox
from zwerm.libp2p.gossipsub.peer import PeerState
from zwerm.libp2p.gossipsub.score import PeerScores

_SLACK = 1.0  # seconds after a backoff before we graft: the other's clock started when our PRUNE arrived


class Mesh:
    """The meshes and fanouts of one router. Reads its table of peers, writes to its outbox and its scores."""

    def __init__(
        self,
        config: GossipsubConfig,
        score_config: ScoreConfig,
        peers: Mapping[PeerId, PeerState],
        scores: PeerScores,
        outbox: Outbox,
        rng: Random,
        record_of: Callable[[PeerId], bytes],
    ) -> None:
        """`record_of` gives a peer's sealed record to hand on, or nothing."""
        self._config = config
        self._score_config = score_config
        self._peers = peers
        self._scores = scores
        self._outbox = outbox
        self._rng = rng
        self._record_of = record_of
        self._backoff: dict[tuple[str, PeerId], Instant] = {}  # until when we do not graft, and refuse grafts
        self._ticks = 0
        self.direct: frozenset[PeerId] = frozenset()
        self.topics: dict[str, set[PeerId]] = {}
        self.fanout: dict[str, set[PeerId]] = {}
        self._published: dict[str, Instant] = {}

    def members(self, topic: str) -> set[PeerId]:
        return self.topics.get(topic, set())

    def join(self, topic: str, now: Instant) -> None:
        """Make a mesh, of the fanout first."""
        mesh = self.topics.setdefault(topic, set())
        self._published.pop(topic, None)
        for peer in sorted(self.fanout.pop(topic, set())):
            if self._may_graft(topic, peer, now) and self._scores.score(peer) >= 0:
                self.graft(topic, peer, now)
        for peer in self._candidates(topic, now, lambda score: score >= 0)[: self._config.d - len(mesh)]:
            self.graft(topic, peer, now)

    def leave(self, topic: str, now: Instant) -> None:
        for peer in sorted(self.topics.get(topic, ())):
            self.prune(topic, peer, now, backoff=self._config.unsubscribe_backoff, offer=False)
        self.topics.pop(topic, None)

    def graft(self, topic: str, peer: PeerId, now: Instant) -> None:
        """Take a peer in and tell it."""
        self.accept(topic, peer, now)
        self._outbox.rpc(peer).graft.append(topic)

    def accept(self, topic: str, peer: PeerId, now: Instant) -> None:
        """Take a peer in that asked for it."""
        self.topics[topic].add(peer)
        self._scores.graft(peer, topic, now)

    def prune(
        self, topic: str, peer: PeerId, now: Instant, *, backoff: float | None = None, offer: bool = True
    ) -> None:
        """Put a peer out, or refuse it, and tell it; with `offer` also whom it may ask instead."""
        backoff = self._config.prune_backoff if backoff is None else backoff
        self.drop(topic, peer)
        self.back_off(topic, peer, now + backoff)
        state = self._peers.get(peer)
        if state is None or not state.gossips:
            return
        if not state.exchanges_peers:
            self._outbox.add_prune(peer, Prune(topic))
            return
        offered = self._offer(topic, peer) if offer else ()
        self._outbox.add_prune(peer, Prune(topic, offered, math.ceil(backoff)))

    def drop(self, topic: str, peer: PeerId) -> None:
        """Put a peer out without a word; one that is not in is left as it is."""
        mesh = self.topics.get(topic)
        if mesh is not None and peer in mesh:
            mesh.discard(peer)
            self._scores.prune(peer, topic)

    def back_off(self, topic: str, peer: PeerId, until: Instant) -> None:
        """Do not graft before `until`; a longer time that was agreed on stays."""
        self._backoff[topic, peer] = max(until, self._backoff.get((topic, peer), until))

    def backed_off(self, topic: str, peer: PeerId, now: Instant) -> Instant | None:
        """Until when a peer may not graft; None: it may."""
        until = self._backoff.get((topic, peer))
        return until if until is not None and now < until else None

    def remove_peer(self, peer: PeerId) -> None:
        for topic in self.topics:
            self.drop(topic, peer)
        for fanout in self.fanout.values():
            fanout.discard(peer)

    def fanout_of(self, topic: str, now: Instant) -> set[PeerId]:
        """Whom to send our messages of a topic that we do not want ourselves."""
        self._published[topic] = now
        members = self.fanout.setdefault(topic, set())
        self._fill_fanout(topic, members)
        return members

    def heartbeat(self, now: Instant) -> None:
        """Mend every mesh and fanout."""
        self._ticks += 1
        for topic in self.topics:
            self._mend(topic, now)
        for topic, published in list(self._published.items()):
            if now - published > self._config.fanout_ttl:
                del self._published[topic]
                self.fanout.pop(topic, None)
            elif topic in self.fanout:
                self._fill_fanout(topic, self.fanout[topic])
        expired = [key for key, until in self._backoff.items() if until + _SLACK + self._config.heartbeat <= now]
        for key in expired:
            del self._backoff[key]

    def gossip_targets(self, topic: str) -> list[PeerId]:
        """Choose who is told of our messages: at random, of those outside the mesh that are not ill thought of."""
        inside = self.members(topic) | self.fanout.get(topic, set()) | self.direct
        threshold = self._score_config.gossip_threshold
        outside = [
            peer
            for peer in self.subscribers(topic)
            if peer not in inside and self._peers[peer].gossips and self._scores.score(peer) >= threshold
        ]
        count = max(self._config.d_lazy, int(self._config.gossip_factor * len(outside)))
        return self._rng.sample(outside, min(count, len(outside)))

    def subscribers(self, topic: str) -> list[PeerId]:
        """Connected peers that want a topic, in an order that is the same in every run."""
        return sorted(peer for peer, state in self._peers.items() if topic in state.topics)

    def _mend(self, topic: str, now: Instant) -> None:
        config, mesh = self._config, self.topics[topic]
        scores = {peer: self._scores.score(peer) for peer in sorted(mesh)}
        for peer in [peer for peer, score in scores.items() if score < 0]:
            self.prune(topic, peer, now, offer=False)
            del scores[peer]
        if len(mesh) < config.d_lo:
            for peer in self._candidates(topic, now, lambda score: score >= 0)[: config.d - len(mesh)]:
                self.graft(topic, peer, now)
        elif len(mesh) > config.d_hi:
            keep = self._keep(scores)
            for peer in scores:
                if peer not in keep:
                    self.prune(topic, peer, now)
        missing = config.d_out - sum(self._peers[peer].is_outbound for peer in mesh)
        if len(mesh) >= config.d_lo and missing > 0:
            outbound = [
                peer for peer in self._candidates(topic, now, lambda score: score >= 0) if self._peers[peer].is_outbound
            ]
            for peer in outbound[:missing]:
                self.graft(topic, peer, now)
        if self._ticks % config.opportunistic_graft_ticks == 0 and len(scores) > 1:
            self._graft_better(topic, sorted(scores.values()), now)

    def _graft_better(self, topic: str, scores: Sequence[float], now: Instant) -> None:
        """A mesh of peers that do little is stuck; take some in that are better than its middle."""
        median = scores[len(scores) // 2]
        if median < self._score_config.opportunistic_graft_threshold:
            better = self._candidates(topic, now, lambda score: score > median)
            for peer in better[: self._config.opportunistic_graft_peers]:
                self.graft(topic, peer, now)

    def _keep(self, scores: Mapping[PeerId, float]) -> set[PeerId]:
        """Choose d members: the d_score best, others at random, d_out of all dialled by us."""
        config = self._config
        order = list(scores)
        self._rng.shuffle(order)
        order.sort(key=scores.__getitem__, reverse=True)
        rest = order[config.d_score :]
        self._rng.shuffle(rest)
        order = order[: config.d_score] + rest
        keep, others = order[: config.d], order[config.d :]
        spare = [peer for peer in others if self._peers[peer].is_outbound]
        missing = config.d_out - sum(self._peers[peer].is_outbound for peer in keep)
        for index in range(len(keep) - 1, -1, -1):
            if missing <= 0 or not spare:
                break
            if not self._peers[keep[index]].is_outbound:
                keep[index] = spare.pop(0)
                missing -= 1
        return set(keep)

    def _candidates(self, topic: str, now: Instant, fits: Callable[[float], bool]) -> list[PeerId]:
        found = [
            peer
            for peer in self.subscribers(topic)
            if self._may_graft(topic, peer, now) and fits(self._scores.score(peer))
        ]
        self._rng.shuffle(found)
        return found

    def _may_graft(self, topic: str, peer: PeerId, now: Instant) -> bool:
        state = self._peers.get(peer)
        if state is None or not state.gossips or peer in self.direct or peer in self.members(topic):
            return False
        until = self._backoff.get((topic, peer))
        return until is None or now >= until + _SLACK

    def _fill_fanout(self, topic: str, members: set[PeerId]) -> None:
        threshold = self._score_config.publish_threshold

        def fits(peer: PeerId) -> bool:
            state = self._peers.get(peer)
            return (
                state is not None
                and state.gossips
                and topic in state.topics
                and peer not in self.direct
                and self._scores.score(peer) >= threshold
            )

        members.intersection_update([peer for peer in members if fits(peer)])
        if len(members) < self._config.d:
            others = [peer for peer in self.subscribers(topic) if peer not in members and fits(peer)]
            members.update(self._rng.sample(others, min(len(others), self._config.d - len(members))))

    def _offer(self, topic: str, to: PeerId) -> tuple[tuple[bytes, bytes], ...]:
        if self._scores.score(to) < 0:
            return ()
        others: Iterable[PeerId] = (
            peer for peer in self.subscribers(topic) if peer != to and self._scores.score(peer) >= 0
        )
        found = list(others)
        chosen = self._rng.sample(found, min(len(found), self._config.prune_peers))
        return tuple((peer.multihash, self._record_of(peer)) for peer in chosen)
