"""What an agent tells, and what it asks for. Data of a path that is not validated never shows here."""

from __future__ import annotations

import dataclasses
import enum
from typing import NamedTuple, TypeAlias

from zwerm.core.machine import Address
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Role, StunServer, TurnServer


class ConnectionState(enum.Enum):
    """W3C RTCIceTransportState."""

    NEW = "new"
    CHECKING = "checking"
    CONNECTED = "connected"
    COMPLETED = "completed"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


class GatheringState(enum.Enum):
    """W3C RTCIceGathererState."""

    NEW = "new"
    GATHERING = "gathering"
    COMPLETE = "complete"


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateGathered:
    """To be signaled, with `ufrag` if the signaling can (RFC 8838 section 4.3)."""

    candidate: Candidate
    ufrag: str
    server: StunServer | TurnServer | None = None  # that told it, or relays


@dataclasses.dataclass(frozen=True, slots=True)
class GatheringStateChanged:
    """COMPLETE is to be signaled as end-of-candidates."""

    state: GatheringState


@dataclasses.dataclass(frozen=True, slots=True)
class ServerFailed:
    """A server gave nothing (W3C icecandidateerror). Others go on."""

    server: StunServer | TurnServer
    code: int  # STUN's, or 701: it did not answer
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionStateChanged:
    """There is a path, or no longer."""

    state: ConnectionState
    cause: str = ""  # why it is DISCONNECTED or FAILED


@dataclasses.dataclass(frozen=True, slots=True)
class SelectedPairChanged:
    """Data goes over another pair from now on."""

    local: Candidate
    remote: Candidate
    local_address: Address  # of the base
    remote_address: Address


@dataclasses.dataclass(frozen=True, slots=True)
class RoleChanged:
    """A conflict of roles was settled (RFC 8445 section 7.3.1.1)."""

    role: Role


@dataclasses.dataclass(frozen=True, slots=True)
class RestartNeeded:
    """The path is lost, or a better one may be: signal new credentials after `Agent.restart`."""

    reason: str


class DataReceived(NamedTuple):
    """A datagram from a validated pair."""

    data: bytes
    source: Address


@dataclasses.dataclass(frozen=True, slots=True)
class RegisterName:
    """Answer multicast DNS queries for `name` with `host`, then call `Agent.name_registered`."""

    name: str
    host: str


@dataclasses.dataclass(frozen=True, slots=True)
class ResolveName:
    """Look `name` up, by multicast DNS if it ends in .local, then call `Agent.name_resolved`."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class OpenStream:
    """Open a TCP connection, then call `Agent.stream_opened` or `Agent.stream_closed`."""

    stream: int
    local: Address  # port 0: any
    remote: Address
    server: StunServer | TurnServer | None = None  # it leads to this server: with TLS, if the server says so


class SendStream(NamedTuple):
    """Write `data` to a connection."""

    stream: int
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class CloseStream:
    """Close a connection; the number comes back no more."""

    stream: int


Event: TypeAlias = (
    CandidateGathered
    | GatheringStateChanged
    | ServerFailed
    | ConnectionStateChanged
    | SelectedPairChanged
    | RoleChanged
    | RestartNeeded
    | DataReceived
    | RegisterName
    | ResolveName
    | OpenStream
    | SendStream
    | CloseStream
)
