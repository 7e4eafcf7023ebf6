"""A gossipsub router as a machine (libp2p specs, gossipsub v1.0, v1.1 and v1.2).

Peers and their frames come in, frames for peers and events go out; every second a heartbeat. Each topic has a mesh of
about six peers that get whole messages at once; others are told the IDs of what they may have missed, and ask. What a
peer does is scored, and who does harm is first left out of meshes, then not gossiped with, then not listened to.

Whoever drives calls `add_peer` when a stream to a peer is open, `receive` for each frame, `remove_peer` at the end, and
after each call takes `next_transmit`, `next_event` and `next_timeout` until they are dry.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Instant
from zwerm.core.random import Random
from zwerm.core.timers import TimerTable
from zwerm.core.trace import Trace
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub import signing
from zwerm.libp2p.gossipsub.config import GossipsubConfig, ScoreConfig
from zwerm.libp2p.gossipsub.event import Delivered, DialWanted, Event, Misbehaved, PeerSubscribed
from zwerm.libp2p.gossipsub.memory import MessageCache, Promises, SeenCache
from zwerm.libp2p.gossipsub.mesh import Mesh
from zwerm.libp2p.gossipsub.message import MAX_TOPIC, IHave, Message, Prune, Rpc, Subscription
from zwerm.libp2p.gossipsub.outbox import Outbox
from zwerm.libp2p.gossipsub.peer import PeerState
from zwerm.libp2p.gossipsub.score import PeerScores
from zwerm.libp2p.gossipsub.signing import Policy

_MAX_EVENTS = 4_096


class Timer(enum.Enum):
    """The one deadline."""

    HEARTBEAT = "a second has passed: mend the meshes, gossip, let scores decay"


class Outcome(enum.Enum):
    """What a topic's validator says of a message (gossipsub v1.1, "Extended Validators")."""

    ACCEPT = "valid: deliver it and pass it on"
    REJECT = "invalid: drop it, and count it against who brought it"
    IGNORE = "neither: drop it"


Validator = Callable[[Message, PeerId], Outcome]


def origin_id(message: Message) -> bytes:
    """The specification's message ID: author and sequence, joined."""
    return message.author + message.sequence


class Gossipsub:
    """A router. `key` signs what we publish; the peer ID is its holder's."""

    def __init__(
        self,
        key: PrivateKey,
        config: GossipsubConfig | None = None,
        score_config: ScoreConfig | None = None,
        *,
        now: Instant,
        random: Random,
        policy: Policy = Policy.STRICT_SIGN,
        message_id: Callable[[Message], bytes] = origin_id,
        record_of: Callable[[PeerId], bytes] = lambda _: b"",
        trace: Trace | None = None,
    ) -> None:
        """Start with no peer and no topic.

        Args:
            key: ours.
            config: how it behaves.
            score_config: how it judges.
            now: the first heartbeat comes some part of a second later.
            random: whom to choose, and the first sequence number.
            policy: whether messages are signed. Without signatures give a `message_id` of the data.
            message_id: what tells messages apart; all peers of a topic must agree on it.
            record_of: a peer's sealed record, to be offered to peers that we prune; empty when there is none.
            trace: told what is refused and why.
        """
        self.peer_id = PeerId.of(key.public)
        self._key = key
        self._config = config or GossipsubConfig()
        self._score_config = score_config or ScoreConfig()
        self._policy = policy
        self._message_id = message_id
        self._trace = trace
        self._rng = random
        self._sequence = random.getrandbits(48) << 15
        self._peers: dict[PeerId, PeerState] = {}
        self._validators: dict[str, Validator] = {}
        self._outbox = Outbox(self._config.max_queue)
        self.scores = PeerScores(self._score_config)
        self.mesh = Mesh(self._config, self._score_config, self._peers, self.scores, self._outbox, random, record_of)
        self._cache = MessageCache(self._config.history_length, self._config.history_gossip, self._config.max_cache)
        self._seen = SeenCache(self._config.seen_ttl, self._config.max_seen)
        self._promises = Promises(self._config.iwant_followup, random)
        self._events: deque[Event] = deque(maxlen=_MAX_EVENTS)
        self._ticks = 0
        self._timers = TimerTable(Timer)
        self._timers.arm(Timer.HEARTBEAT, now + self._config.heartbeat * (0.5 + random.random() / 2))

    # Peers

    def add_peer(
        self, peer: PeerId, protocol: str, now: Instant, *, is_outbound: bool, addresses: tuple[str, ...] = ()
    ) -> None:
        """A stream to a peer is open. Calling it again for a connected peer changes nothing.

        Args:
            peer: who.
            protocol: one of `PROTOCOLS`, as agreed on.
            now: see `core.machine`.
            is_outbound: whether we dialled it.
            addresses: its IP addresses, where sharing one is suspicious.

        Raises:
            ResourceLimitError: there are as many peers as the limit.
        """
        if peer in self._peers or peer == self.peer_id:
            return
        if len(self._peers) >= self._config.max_peers:
            raise ResourceLimitError(f"{len(self._peers)} peers of pubsub, the limit is {self._config.max_peers}")
        self._peers[peer] = PeerState(protocol, is_outbound)
        self.scores.add_peer(peer, addresses)
        self.scores.refresh(now)
        subscriptions = self._outbox.rpc(peer).subscriptions
        subscriptions += [Subscription(topic, True) for topic in sorted(self.mesh.topics)]  # noqa: FBT003

    def remove_peer(self, peer: PeerId, now: Instant) -> None:
        """The stream to a peer is gone. One that is not here is left as it is."""
        state = self._peers.get(peer)
        if state is None:
            return
        for topic in sorted(state.topics):
            self._events.append(PeerSubscribed(peer, topic, wanted=False))
        self.mesh.remove_peer(peer)
        del self._peers[peer]
        self.scores.remove_peer(peer, now)
        self._promises.forget(peer)
        self._outbox.forget(peer)

    def set_direct(self, peers: frozenset[PeerId]) -> None:
        """Agree with these peers to pass each other every message, outside of meshes and scores."""
        self.mesh.direct = peers
        for peer in peers:
            for topic in self.mesh.topics:
                self.mesh.drop(topic, peer)
        self._connect_direct()

    # Topics

    def subscribe(self, topic: str, now: Instant, validator: Validator | None = None) -> None:
        """Want a topic. Again: only the validator changes.

        Raises:
            LocalProtocolError: a topic that is no name, or one too many.
        """
        if not 0 < len(topic.encode()) <= MAX_TOPIC:
            raise LocalProtocolError(f"topic of {len(topic.encode())} bytes, expected 1 to {MAX_TOPIC}")
        if topic not in self.mesh.topics and len(self.mesh.topics) >= self._config.max_topics:
            raise LocalProtocolError(f"{len(self.mesh.topics)} topics, the limit is {self._config.max_topics}")
        if validator is not None:
            self._validators[topic] = validator
        if topic in self.mesh.topics:
            return
        self._announce(Subscription(topic, wanted=True))
        self.mesh.join(topic, now)

    def unsubscribe(self, topic: str, now: Instant) -> None:
        """Want a topic no more. One that is not wanted is left as it is."""
        self._validators.pop(topic, None)
        if topic in self.mesh.topics:
            self._announce(Subscription(topic, wanted=False))
            self.mesh.leave(topic, now)

    def publish(self, topic: str, data: bytes, now: Instant) -> bytes:
        """Send a message to whoever wants the topic; return its ID. We need not want it ourselves.

        Raises:
            LocalProtocolError: larger than others take, or a message that was sent before (where its ID is its data).
        """
        if len(data) > self._config.max_message:
            raise LocalProtocolError(f"message of {len(data)} bytes, the limit is {self._config.max_message}")
        if not 0 < len(topic.encode()) <= MAX_TOPIC:
            raise LocalProtocolError(f"topic of {len(topic.encode())} bytes, expected 1 to {MAX_TOPIC}")
        if self._policy is Policy.STRICT_SIGN:
            self._sequence += 1
            message = signing.sign(topic, data, self._sequence, self._key)
        else:
            message = signing.anonymous(topic, data)
        message_id = self._message_id(message)
        if not self._seen.add(message_id, now):
            raise LocalProtocolError("this message was sent a moment ago")
        self._cache.put(message_id, message)
        if topic in self.mesh.topics:
            self._events.append(Delivered(message, message_id, self.peer_id))
        for peer in sorted(self._recipients(topic, now)):
            self._outbox.add_message(peer, message.encoded)
        return message_id

    def forget_seen(self, author: PeerId | None = None) -> int:
        """Deliver messages again that come again, of one author or all; return how many are forgotten.

        An author's are known by the usual ID of a message, which begins with who wrote it.
        """
        return self._seen.forget(b"" if author is None else author.multihash)

    @property
    def topics(self) -> list[str]:
        return sorted(self.mesh.topics)

    def peers(self, topic: str | None = None) -> list[PeerId]:
        """Connected peers; with a topic, those that want it."""
        return sorted(self._peers) if topic is None else self.mesh.subscribers(topic)

    # Input

    def receive(self, peer: PeerId, data: bytes, now: Instant) -> None:
        """Take one frame of untrusted bytes from a connected peer."""
        state = self._peers.get(peer)
        if state is None:
            return
        is_direct = peer in self.mesh.direct
        if not is_direct and self.scores.score(peer) < self._score_config.graylist_threshold:
            return
        try:
            rpc = Rpc.parse(data)
        except WireError as error:
            self._misbehaved(peer, str(error), now)
            return
        for subscription in rpc.subscriptions:
            self._receive_subscription(peer, state, subscription, now)
        for encoded in rpc.messages:
            self._receive_message(peer, encoded, now)
        if is_direct or self.scores.score(peer) >= self._score_config.gossip_threshold:
            self._receive_ihave(peer, state, rpc.ihave, now)
            self._receive_iwant(peer, state, rpc.iwant)
        for topic in rpc.graft:
            self._receive_graft(peer, state, topic, now)
        for prune in rpc.prune:
            self._receive_prune(peer, prune, now)
        if rpc.idontwant:
            self._receive_idontwant(peer, state, rpc, now)

    def handle_timeout(self, now: Instant) -> None:
        while self._timers.pop_expired(now) is not None:
            self._timers.arm(Timer.HEARTBEAT, now + self._config.heartbeat)
            self._heartbeat(now)

    def next_transmit(self) -> tuple[PeerId, bytes] | None:
        """Return a frame and for whom it is."""
        return self._outbox.take()

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    def _receive_subscription(self, peer: PeerId, state: PeerState, subscription: Subscription, now: Instant) -> None:
        topic, wanted = subscription
        if not topic or (topic in state.topics) is wanted:
            return
        if wanted and len(state.topics) >= self._config.max_subscriptions:
            self._misbehaved(peer, f"more than {self._config.max_subscriptions} topics", now)
            return
        if wanted:
            state.topics.add(topic)
        else:
            state.topics.discard(topic)
            self.mesh.drop(topic, peer)
        self._events.append(PeerSubscribed(peer, topic, wanted))

    def _receive_message(self, peer: PeerId, encoded: bytes, now: Instant) -> None:
        try:
            message = Message.parse(encoded)
        except WireError as error:
            self._misbehaved(peer, str(error), now)
            return
        topic = message.topic
        if topic not in self.mesh.topics:
            return
        message_id = self._message_id(message)
        if message_id in self._seen:
            self._promises.kept(message_id)
            self.scores.duplicated(peer, topic, message_id, now)
            return
        if message.author == self.peer_id.multihash:
            return  # ours, from before a restart, or forged: its signature is not worth a look
        try:
            if len(message.data) > self._config.max_message:
                raise WireError(f"message of {len(message.data)} bytes, the limit is {self._config.max_message}")
            signing.check(message, self._policy)
        except WireError as error:
            self._reject(peer, topic, str(error), now)
            return
        # Only now: a forged message must not keep the genuine one of its ID away.
        self._seen.add(message_id, now)
        self._promises.kept(message_id)
        if len(message.data) >= self._config.idontwant_threshold:
            for member in sorted(self.mesh.members(topic)):
                if member != peer and self._peers[member].takes_idontwant:
                    self._outbox.add_idontwant(member, message_id)
        validator = self._validators.get(topic)
        outcome = Outcome.ACCEPT if validator is None else validator(message, peer)
        if outcome is Outcome.REJECT:
            self._reject(peer, topic, "a message that the topic's validator refuses", now)
        elif outcome is Outcome.ACCEPT:
            self.scores.delivered(peer, topic, message_id, now)
            self._cache.put(message_id, message)
            self._events.append(Delivered(message, message_id, peer))
            self._forward(message, message_id, peer)

    def _forward(self, message: Message, message_id: bytes, source: PeerId) -> None:
        targets = set(self.mesh.members(message.topic))
        for peer in self.mesh.subscribers(message.topic):
            if peer in self.mesh.direct or self._takes_all(peer):
                targets.add(peer)
        for peer in sorted(targets):
            state = self._peers[peer]
            if peer != source and peer.multihash != message.author and message_id not in state.unwanted:
                self._outbox.add_message(peer, message.encoded)

    def _takes_all(self, peer: PeerId) -> bool:
        return not self._peers[peer].gossips and self.scores.score(peer) >= self._score_config.publish_threshold

    def _recipients(self, topic: str, now: Instant) -> set[PeerId]:
        subscribers = self.mesh.subscribers(topic)
        targets = {peer for peer in subscribers if peer in self.mesh.direct or self._takes_all(peer)}
        if self._config.flood_publish:
            threshold = self._score_config.publish_threshold
            return targets | {peer for peer in subscribers if self.scores.score(peer) >= threshold}
        if topic in self.mesh.topics:
            return targets | self.mesh.members(topic)
        return targets | self.mesh.fanout_of(topic, now)

    def _receive_ihave(self, peer: PeerId, state: PeerState, ihave: list[IHave], now: Instant) -> None:
        wanted: dict[bytes, None] = {}
        for topic, ids in ihave:
            state.ihave_messages += 1
            if state.ihave_messages == self._config.max_ihave_messages + 1:
                self._tell(peer, f"more than {self._config.max_ihave_messages} IHAVE in a heartbeat")
            if state.ihave_messages > self._config.max_ihave_messages or topic not in self.mesh.topics:
                continue
            wanted |= dict.fromkeys(message_id for message_id in ids if message_id not in self._seen)
        room = self._config.max_ihave_length - state.ihave_ids
        ids_wanted = list(wanted)
        self._rng.shuffle(ids_wanted)
        if len(ids_wanted) > room:
            self._tell(peer, f"IHAVE of more than {self._config.max_ihave_length} messages in a heartbeat")
        ids_wanted = ids_wanted[: max(0, room)]
        if ids_wanted:
            state.ihave_ids += len(ids_wanted)
            self._outbox.rpc(peer).iwant += ids_wanted
            self._promises.add(peer, ids_wanted, now)

    def _receive_iwant(self, peer: PeerId, state: PeerState, ids: list[bytes]) -> None:
        for message_id in dict.fromkeys(ids):
            if message_id in state.unwanted:
                continue
            found = self._cache.give(message_id, peer)
            if found is not None and found[1] <= self._config.gossip_retransmission:
                self._outbox.add_message(peer, found[0].encoded)
            elif found is not None:
                self._tell(peer, f"IWANT of a message for more than {self._config.gossip_retransmission} times")

    def _receive_graft(self, peer: PeerId, state: PeerState, topic: str, now: Instant) -> None:
        mesh = self.mesh.topics.get(topic)
        if mesh is None or peer in mesh:
            return  # a PRUNE for topics we do not know could be asked for in floods
        score = self.scores.score(peer)
        offer = score >= 0
        until = self.mesh.backed_off(topic, peer, now)
        if peer in self.mesh.direct:
            offer = False
        elif until is not None:
            early = until - self._config.prune_backoff + self._config.graft_flood_threshold
            self.scores.penalize(peer, 2 if now < early else 1)
            self._tell(peer, "GRAFT before the time that its PRUNE named is over")
            offer = False
        elif score >= 0 and state.gossips and (len(mesh) < self._config.d_hi or state.is_outbound):
            self.mesh.accept(topic, peer, now)
            return
        self.mesh.prune(topic, peer, now, offer=offer)

    def _receive_prune(self, peer: PeerId, prune: Prune, now: Instant) -> None:
        if prune.topic not in self.mesh.topics:
            return
        self.mesh.drop(prune.topic, peer)
        backoff = self._config.prune_backoff if prune.backoff is None else prune.backoff
        self.mesh.back_off(prune.topic, peer, now + min(backoff, self._config.max_backoff))
        if prune.peers and self.scores.score(peer) >= self._score_config.accept_px_threshold:
            offered = list(prune.peers)
            self._rng.shuffle(offered)
            for other, record in offered[: self._config.prune_peers]:
                try:
                    found = PeerId.parse(other)
                except WireError as error:
                    self._misbehaved(peer, str(error), now)
                    return
                if found != self.peer_id and found not in self._peers:
                    self._events.append(DialWanted(found, record))

    def _receive_idontwant(self, peer: PeerId, state: PeerState, rpc: Rpc, now: Instant) -> None:
        state.idontwant_messages += rpc.idontwant_messages
        if state.idontwant_messages > self._config.max_idontwant_messages:
            self._tell(peer, f"more than {self._config.max_idontwant_messages} IDONTWANT in a heartbeat")
            return
        until = now + self._config.iwant_followup
        for message_id in rpc.idontwant[: max(0, self._config.max_idontwant_ids - len(state.unwanted))]:
            state.unwanted[message_id] = until

    def _heartbeat(self, now: Instant) -> None:
        self._ticks += 1
        for state in self._peers.values():
            state.next_heartbeat(now)
        for peer, count in self._promises.broken(now).items():
            self.scores.penalize(peer, count)
            self._tell(peer, "messages that it has by its IHAVE, and does not give")
        self.scores.refresh(now)
        self.mesh.heartbeat(now)
        for topic in sorted(self.mesh.topics.keys() | self.mesh.fanout.keys()):
            self._gossip(topic)
        self._cache.shift()
        self._seen.expire(now)
        if self._ticks % self._config.direct_connect_ticks == 0:
            self._connect_direct()

    def _gossip(self, topic: str) -> None:
        ids = self._cache.gossip_ids(topic)
        if not ids:
            return
        for peer in self.mesh.gossip_targets(topic):
            count = min(len(ids), self._config.max_ihave_length)
            self._outbox.rpc(peer).ihave.append(IHave(topic, tuple(self._rng.sample(ids, count))))

    def _connect_direct(self) -> None:
        for peer in sorted(self.mesh.direct - self._peers.keys()):
            self._events.append(DialWanted(peer, b""))

    def _announce(self, subscription: Subscription) -> None:
        for peer in self._peers:
            self._outbox.rpc(peer).subscriptions.append(subscription)

    def _tell(self, peer: PeerId, reason: str) -> None:
        """Say what a peer does; a flood of the same is said once."""
        event = Misbehaved(peer, reason)
        if not self._events or self._events[-1] != event:
            self._events.append(event)

    def _reject(self, peer: PeerId, topic: str, reason: str, now: Instant) -> None:
        self.scores.rejected(peer, topic)
        if self._trace:
            self._trace(now, "message refused", peer=str(peer), topic=topic, reason=reason)
        self._events.append(Misbehaved(peer, reason))

    def _misbehaved(self, peer: PeerId, reason: str, now: Instant) -> None:
        self.scores.penalize(peer, 1)
        if self._trace:
            self._trace(now, "peer broke the protocol", peer=str(peer), reason=reason)
        self._events.append(Misbehaved(peer, reason))
