"""What a router knows of one connected peer."""

from __future__ import annotations

import dataclasses

from zwerm.core.machine import Instant
from zwerm.libp2p.gossipsub.config import FLOODSUB, GOSSIPSUB_1_0, GOSSIPSUB_1_2


@dataclasses.dataclass(slots=True)
class PeerState:
    """One peer; counters are those of the current heartbeat."""

    protocol: str
    is_outbound: bool  # we dialled it
    topics: set[str] = dataclasses.field(default_factory=set)
    ihave_messages: int = 0
    ihave_ids: int = 0
    idontwant_messages: int = 0
    unwanted: dict[bytes, Instant] = dataclasses.field(default_factory=dict)  # IDs it has already, until when

    @property
    def gossips(self) -> bool:
        """Whether it has a mesh; otherwise it gets every message."""
        return self.protocol != FLOODSUB

    @property
    def exchanges_peers(self) -> bool:
        return self.protocol not in (FLOODSUB, GOSSIPSUB_1_0)

    @property
    def takes_idontwant(self) -> bool:
        return self.protocol == GOSSIPSUB_1_2

    def next_heartbeat(self, now: Instant) -> None:
        self.ihave_messages = self.ihave_ids = self.idontwant_messages = 0
        for message_id, until in list(self.unwanted.items()):
            if until > now:
                break
            del self.unwanted[message_id]
