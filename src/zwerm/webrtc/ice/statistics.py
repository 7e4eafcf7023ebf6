"""What an agent counted, for `getStats` (W3C webrtc-stats, section 8: candidates and candidate pairs)."""

from __future__ import annotations

import dataclasses

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.pair import Counters, PairState
from zwerm.webrtc.ice.session import Session


@dataclasses.dataclass(frozen=True, slots=True)
class PairStatistics:
    """One pair."""

    local: Candidate
    remote: Candidate
    state: PairState
    is_nominated: bool
    is_selected: bool
    priority: int
    round_trip_time: float | None  # seconds, the last one measured
    responded_at: Instant | None
    counters: Counters  # a copy


@dataclasses.dataclass(frozen=True, slots=True)
class AgentStatistics:
    """The present generation."""

    role: Role
    local_ufrag: str
    pairs: tuple[PairStatistics, ...]  # the best first
    local_candidates: tuple[Candidate, ...]
    remote_candidates: tuple[Candidate, ...]


def statistics_of(session: Session) -> AgentStatistics:
    """Read a session."""
    pairs = [
        PairStatistics(
            local=pair.local_candidate,
            remote=pair.remote.candidate,
            state=pair.state,
            is_nominated=pair.is_nominated,
            is_selected=pair is session.selected,
            priority=pair.priority(session.role),
            round_trip_time=pair.round_trip_time,
            responded_at=pair.responded_at,
            counters=dataclasses.replace(pair.counters),
        )
        for pair in session.checklist.by_priority()
    ]
    return AgentStatistics(
        role=session.role,
        local_ufrag=session.local.ufrag,
        pairs=tuple(pairs),
        local_candidates=tuple(local.candidate for local in session.candidates.local),
        remote_candidates=tuple(remote.candidate for remote in session.candidates.remote),
    )
