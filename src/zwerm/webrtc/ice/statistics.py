"""What an agent counted, for `getStats` (W3C webrtc-stats, section 8: candidates and candidate pairs)."""

from __future__ import annotations

import dataclasses

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Role, StunServer, TurnServer
from zwerm.webrtc.ice.pair import Counters, LocalCandidate, Pair, PairState
from zwerm.webrtc.ice.session import Session


@dataclasses.dataclass(frozen=True, slots=True)
class PairStatistics:
    """One pair."""

    local: Candidate
    remote: Candidate
    state: PairState
    is_nominated: bool
    is_selected: bool  # data goes over it
    priority: int
    round_trip_time: float | None  # seconds, the last one measured
    responded_at: Instant | None
    counters: Counters  # a copy
    server: StunServer | TurnServer | None  # that told the local candidate, or relays for it


@dataclasses.dataclass(frozen=True, slots=True)
class AgentStatistics:
    """The present generation."""

    role: Role
    local_ufrag: str
    remote_ufrag: str | None  # None: it is not known yet
    pairs: tuple[PairStatistics, ...]  # the best first
    retired_pairs: tuple[PairStatistics, ...]  # of the generation before, while it is still heard
    local_candidates: tuple[Candidate, ...]
    remote_candidates: tuple[Candidate, ...]
    servers: dict[Candidate, StunServer | TurnServer]  # that told a local candidate, or relay for it
    pair_changes: int  # times that another pair was selected, in every generation


def statistics_of(session: Session, previous: Session | None, pair_changes: int) -> AgentStatistics:
    """Read the sessions of an agent."""
    carrier = session if session.selected is not None or previous is None else previous
    local = session.candidates.local
    return AgentStatistics(
        role=session.role,
        local_ufrag=session.local.ufrag,
        remote_ufrag=None if session.remote is None else session.remote.ufrag,
        pairs=_pairs(session, carrier.selected),
        retired_pairs=() if previous is None else _pairs(previous, carrier.selected),
        local_candidates=tuple(one.candidate for one in local),
        remote_candidates=tuple(remote.candidate for remote in session.candidates.remote),
        servers={one.candidate: one.server for one in local if one.server is not None},
        pair_changes=pair_changes,
    )


def _pairs(session: Session, selected: Pair | None) -> tuple[PairStatistics, ...]:
    return tuple(
        PairStatistics(
            local=pair.local_candidate,
            remote=pair.remote.candidate,
            state=pair.state,
            is_nominated=pair.is_nominated,
            is_selected=pair is selected,
            priority=pair.priority(session.role),
            round_trip_time=pair.round_trip_time,
            responded_at=pair.responded_at,
            counters=dataclasses.replace(pair.counters),
            server=_known(pair).server,
        )
        for pair in session.checklist.by_priority()
    )


def _known(pair: Pair) -> LocalCandidate:
    return pair.mapped or pair.local
