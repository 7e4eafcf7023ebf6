"""What a webrtc-direct connection tells its owner."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.transports.webrtc_direct.stream_state import StreamState


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticated:
    """The peer proved who it is; streams may be opened."""

    peer: PeerId


@dataclasses.dataclass(frozen=True, slots=True)
class StreamArrived:
    """The peer opened a stream."""

    stream: StreamState


@dataclasses.dataclass(frozen=True, slots=True)
class StreamChanged:
    """There is something to read, room to write, or an end of either."""

    stream: StreamState


@dataclasses.dataclass(frozen=True, slots=True)
class SessionEnded:
    """The connection is over; every stream was told before."""

    reason: str


Event: TypeAlias = Authenticated | StreamArrived | StreamChanged | SessionEnded
