"""What a session of QUIC tells."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

from zwerm.libp2p.transports.quic.stream_state import StreamState


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticated:
    """The peer has proved who it is; streams may be opened."""


@dataclasses.dataclass(frozen=True, slots=True)
class StreamArrived:
    """The peer opened a stream."""

    stream: StreamState


@dataclasses.dataclass(frozen=True, slots=True)
class StreamChanged:
    """There is something to read, room to write, or an end of either."""

    stream: StreamState


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionIdIssued:
    """Packets for this session may carry this connection ID from now on."""

    connection_id: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionIdRetired:
    """They do not carry it any more."""

    connection_id: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class SessionEnded:
    """It is over; every stream has ended with it."""

    reason: str


Event: TypeAlias = (
    Authenticated | StreamArrived | StreamChanged | ConnectionIdIssued | ConnectionIdRetired | SessionEnded
)
