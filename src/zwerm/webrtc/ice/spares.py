"""Valid pairs beside the selected one, and how the best of them are kept alive (RFC 8445 section 11).

Only what something on the way could forget is: the mapping of a translator. Between two host addresses there is none,
and those of TCP connections last for hours (RFC 5382 REQ-5). A spare that is not kept alive is no worse a spare: when
the selected pair falls silent, all are checked before one is used.
"""

from __future__ import annotations

from typing import Final

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.candidate import CandidateType
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.pair import Pair

KEPT: Final = 3  # pairs


def spares_to_try(checklist: Checklist, selected: Pair) -> list[Pair]:
    """The selected pair is silent: those that may work, the best first."""
    return [p for p in checklist.by_priority() if p is not selected and (p.is_valid or p.has_peer_check)]


def spares_due(checklist: Checklist, selected: Pair | None, config: Config, now: Instant) -> list[Pair]:
    """Those to be asked now."""
    return [pair for pair, due in _kept(checklist, selected, config, now) if due <= now]


def next_due(checklist: Checklist, selected: Pair | None, config: Config, now: Instant) -> Instant | None:
    """When the next one is to be asked; None: there is none to ask."""
    return min((due for _, due in _kept(checklist, selected, config, now)), default=None)


def _kept(checklist: Checklist, selected: Pair | None, config: Config, now: Instant) -> list[tuple[Pair, Instant]]:
    spares = [pair for pair in checklist.by_priority() if pair.is_valid and pair is not selected][:KEPT]
    return [(pair, due) for pair in spares if (due := _due(pair, config, now)) is not None]


def _due(pair: Pair, config: Config, now: Instant) -> Instant | None:
    if pair.local_candidate.type is pair.remote.candidate.type is CandidateType.HOST:
        return None
    interval = config.keepalive_interval if pair.stream is None else config.stream_keepalive_interval
    last = max(pair.responded_at or 0.0, pair.asked_at or 0.0)
    return (last or now) + interval
