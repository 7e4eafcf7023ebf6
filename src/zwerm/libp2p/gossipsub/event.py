"""What a router tells its owner."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.message import Message


@dataclasses.dataclass(frozen=True, slots=True)
class Delivered:
    """A message of a topic that we subscribed to: valid, and seen for the first time. Our own too."""

    message: Message
    message_id: bytes
    source: PeerId  # who brought it; ourselves for our own


@dataclasses.dataclass(frozen=True, slots=True)
class PeerSubscribed:
    """A peer wants a topic, or no longer."""

    peer: PeerId
    topic: str
    wanted: bool


@dataclasses.dataclass(frozen=True, slots=True)
class DialWanted:
    """It would help to be connected with this peer: it was offered by one that pruned us, or it is an explicit one."""

    peer: PeerId
    record: bytes  # its sealed peer record, unverified; empty when there is none


@dataclasses.dataclass(frozen=True, slots=True)
class Misbehaved:
    """A peer sent what the protocol does not allow."""

    peer: PeerId
    reason: str


Event: TypeAlias = Delivered | PeerSubscribed | DialWanted | Misbehaved
