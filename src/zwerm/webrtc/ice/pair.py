"""Local and remote candidates as an agent holds them, and pairs of the two (RFC 8445 section 6.1.2)."""

from __future__ import annotations

import dataclasses
import enum
from typing import TypeAlias

from zwerm.core.machine import Address, Instant
from zwerm.webrtc.ice.candidate import Candidate, CandidateType, TcpType
from zwerm.webrtc.ice.config import Role, StunServer, TurnServer
from zwerm.webrtc.ice.priority import pair_priority

Path: TypeAlias = tuple[Address, Address] | int  # (base, remote address), or the number of a TCP stream


class BaseKind(enum.Enum):
    """How a base sends."""

    UDP = "a socket of ours"
    RELAY = "an allocation on a TURN server"
    TCP = "connections, opened or accepted"


@dataclasses.dataclass(slots=True, eq=False)
class Base:
    """An address that we send from; all candidates with one base share its path (RFC 8445 section 4)."""

    address: Address  # of a relay: the relayed one
    kind: BaseKind = BaseKind.UDP
    relay: int = -1  # number of the allocation
    tcp_type: TcpType | None = None
    host: str = ""  # the local IP address it stands on
    is_removed: bool = False


@dataclasses.dataclass(slots=True, eq=False)
class LocalCandidate:
    """A candidate of ours. What is signaled may hide the address behind a name."""

    candidate: Candidate
    base: Base
    address: Address  # the real one
    server: StunServer | TurnServer | None = None  # that told it, or relays for it


@dataclasses.dataclass(slots=True, eq=False)
class RemoteCandidate:
    """A candidate of the other side, signaled or learned from a check."""

    candidate: Candidate
    address: Address
    priority: int


class PairState(enum.Enum):
    """RFC 8445 section 6.1.2.6."""

    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclasses.dataclass(slots=True)
class Counters:
    """What passed on a pair, for `getStats`."""

    packets_sent: int = 0
    packets_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    requests_sent: int = 0
    requests_received: int = 0
    responses_sent: int = 0
    responses_received: int = 0
    consent_requests_sent: int = 0
    total_round_trip_time: float = 0.0
    sent_at: Instant | None = None  # the last data
    received_at: Instant | None = None


@dataclasses.dataclass(slots=True, eq=False)
class Pair:
    """A local candidate, a remote one, and what is known about the path between them."""

    local: LocalCandidate
    remote: RemoteCandidate
    state: PairState = PairState.FROZEN
    mapped: LocalCandidate | None = None  # how the other side sees `local`: the valid pair's local candidate
    stream: int | None = None  # the TCP connection, once there is one
    is_nominated: bool = False  # controlling: the answer has come; controlled: it was asked for, and the pair is valid
    is_wanted: bool = False  # controlled: nominated by the other side, before our own check succeeded
    nomination: int = 0  # the highest that came with a request
    is_doubted: bool = False  # a consent check is overdue; any answer clears it
    is_triggered: bool = False  # stands in the queue of triggered checks
    has_peer_check: bool = False  # an authentic request came this way
    round_trip_time: float | None = None  # seconds, of the last answer that was not ambiguous
    responded_at: Instant | None = None  # when the other side last answered
    asked_at: Instant | None = None  # when it was last kept alive
    counters: Counters = dataclasses.field(default_factory=Counters)

    @property
    def is_valid(self) -> bool:
        """Whether a check of ours succeeded, and none failed since."""
        return self.state is PairState.SUCCEEDED

    @property
    def is_unfinished(self) -> bool:
        return self.state in (PairState.FROZEN, PairState.WAITING, PairState.IN_PROGRESS)

    @property
    def foundation(self) -> tuple[str, str]:
        return self.local.candidate.foundation, self.remote.candidate.foundation

    @property
    def path(self) -> Path:
        if self.stream is not None:
            return self.stream
        host, port = self.local.base.address
        if self.local.base.kind is BaseKind.TCP:
            host = f"tcp {host}"  # no connection yet; UDP may use the same two addresses
        return (host, port), self.remote.address

    @property
    def local_candidate(self) -> Candidate:
        """The local candidate as the other side knows it."""
        return (self.mapped or self.local).candidate

    @property
    def is_relayed(self) -> bool:
        return CandidateType.RELAYED in (self.local.candidate.type, self.remote.candidate.type)

    @property
    def rank(self) -> int:
        """What kind of path this is; more is better."""
        if self.is_relayed:
            return 0
        if self.local.base.kind is BaseKind.TCP:
            return 1
        return 2 if CandidateType.SERVER_REFLEXIVE in (self.local_candidate.type, self.remote.candidate.type) else 3

    def answered(self, sent_at: Instant | None, now: Instant) -> None:
        """The other side answered; `sent_at` is of the question, where it was asked once (Karn's rule)."""
        if sent_at is not None:
            self.round_trip_time = now - sent_at
            self.counters.total_round_trip_time += self.round_trip_time
        self.responded_at = now
        self.is_doubted = False

    def priority(self, role: Role) -> int:
        ours, theirs = self.local.candidate.priority, self.remote.priority
        return pair_priority(ours, theirs) if role is Role.CONTROLLING else pair_priority(theirs, ours)
