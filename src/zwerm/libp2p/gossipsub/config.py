"""How a router behaves, and how it judges others (gossipsub v1.1, "Overview of New Parameters").

Names are the specification's. Defaults are its recommendations where it gives any; the scores are tuned for networks of
strangers of which nothing is known, so what depends on a topic's rate of messages (P3) is off until somebody says it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

FLOODSUB: Final = "/floodsub/1.0.0"
GOSSIPSUB_1_0: Final = "/meshsub/1.0.0"
GOSSIPSUB_1_1: Final = "/meshsub/1.1.0"
GOSSIPSUB_1_2: Final = "/meshsub/1.2.0"
PROTOCOLS: Final = (GOSSIPSUB_1_2, GOSSIPSUB_1_1, GOSSIPSUB_1_0, FLOODSUB)  # the one to prefer first


def decay(lifetime: float, interval: float = 1.0, to_zero: float = 0.01) -> float:
    """Return the factor that takes a counter of 1 to zero in `lifetime` seconds of `interval`s."""
    return float(to_zero ** (interval / lifetime))


@dataclasses.dataclass(frozen=True, slots=True)
class TopicScore:
    """P1 to P4: what a peer is worth in one topic."""

    topic_weight: float = 1.0
    time_in_mesh_weight: float = 0.01
    time_in_mesh_quantum: float = 1.0  # seconds
    time_in_mesh_cap: float = 300.0
    first_message_deliveries_weight: float = 1.0
    first_message_deliveries_decay: float = decay(600.0)
    first_message_deliveries_cap: float = 50.0
    mesh_message_deliveries_weight: float = 0.0  # 0: the topic's rate is not known
    mesh_message_deliveries_decay: float = decay(60.0)
    mesh_message_deliveries_threshold: float = 5.0
    mesh_message_deliveries_cap: float = 50.0
    mesh_message_deliveries_activation: float = 30.0  # seconds in the mesh before it counts
    mesh_message_delivery_window: float = 0.01  # seconds after the first that still count as delivered
    mesh_failure_penalty_weight: float = 0.0
    mesh_failure_penalty_decay: float = decay(600.0)
    invalid_message_deliveries_weight: float = -10.0
    invalid_message_deliveries_decay: float = decay(3_600.0)


@dataclasses.dataclass(frozen=True, slots=True)
class ScoreConfig:
    """P5 to P7, thresholds, and the topics'."""

    topic: TopicScore = TopicScore()
    topics: Mapping[str, TopicScore] = dataclasses.field(default_factory=dict)  # where they differ from `topic`
    topic_score_cap: float = 100.0  # the most that all topics together are worth
    app_specific: Callable[[object], float] | None = None  # P5, of a PeerId
    app_specific_weight: float = 1.0
    ip_colocation_factor_weight: float = -5.0
    ip_colocation_factor_threshold: int = 10  # peers of one address that are nothing special: a NAT, an office
    behaviour_penalty_weight: float = -10.0
    behaviour_penalty_threshold: float = 2.0  # slips that are forgiven
    behaviour_penalty_decay: float = decay(600.0)
    decay_interval: float = 1.0  # seconds
    decay_to_zero: float = 0.01
    retain_score: float = 3_600.0  # seconds after the peer has gone
    max_retained: int = 4_096  # peers
    gossip_threshold: float = -40.0
    publish_threshold: float = -80.0
    graylist_threshold: float = -160.0
    accept_px_threshold: float = 1.0
    opportunistic_graft_threshold: float = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class GossipsubConfig:
    """The router's. Counts are peers unless it says otherwise."""

    d: int = 6
    d_lo: int = 5
    d_hi: int = 12
    d_score: int = 4
    d_out: int = 2
    d_lazy: int = 6
    gossip_factor: float = 0.25
    heartbeat: float = 1.0  # seconds
    history_length: int = 5  # heartbeats that a message can be asked for
    history_gossip: int = 3  # heartbeats that it is told of
    fanout_ttl: float = 60.0  # seconds after our last message to a topic we do not want
    seen_ttl: float = 120.0  # seconds
    prune_backoff: float = 60.0  # seconds
    unsubscribe_backoff: float = 10.0
    max_backoff: float = 3_600.0  # seconds of a peer's wish that we follow
    graft_flood_threshold: float = 10.0  # seconds after a prune in which a graft is worse than impatient
    prune_peers: int = 16  # offered, and taken, in one PRUNE
    flood_publish: bool = True
    opportunistic_graft_ticks: int = 60  # heartbeats
    opportunistic_graft_peers: int = 2
    direct_connect_ticks: int = 300  # heartbeats between tries to reach explicit peers
    gossip_retransmission: int = 3  # times a peer gets one message by asking
    iwant_followup: float = 3.0  # seconds for what was asked for
    max_ihave_messages: int = 10  # per peer and heartbeat
    max_ihave_length: int = 5_000  # IDs, per peer and heartbeat
    max_idontwant_messages: int = 10  # per peer and heartbeat
    max_idontwant_ids: int = 1_000  # remembered per peer
    idontwant_threshold: int = 1_024  # bytes of data from which IDONTWANT saves more than it costs
    max_subscriptions: int = 1_024  # topics of one peer
    max_topics: int = 1_024  # of ours
    max_peers: int = 1_024
    max_message: int = 1_000_000  # bytes of data
    max_cache: int = 16_777_216  # bytes of messages that can be asked for
    max_seen: int = 65_536  # message IDs
    max_queue: int = 4_194_304  # bytes waiting for one peer; more is dropped
