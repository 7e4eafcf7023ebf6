"""Candidates of a generation: signaled twice, learned from checks, and no more than there is room for."""

from __future__ import annotations

from tests.webrtc.ice.test_pair import HOST, PEER, candidate
from zwerm.webrtc.ice.arrival import Arrival
from zwerm.webrtc.ice.candidate import CandidateType
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.known_candidates import KnownCandidates
from zwerm.webrtc.ice.pair import Base, LocalCandidate, Pair, PairState

BASE = Base(HOST, host=HOST[0])
CHECKLIST = Checklist(Role.CONTROLLING, 10)


def arrival(port: int = PEER[1]) -> Arrival:
    return Arrival(BASE, None, (PEER[0], port))


def test_what_is_signaled_twice_is_one_candidate() -> None:
    known = KnownCandidates(10)
    first, is_new = known.add_remote(candidate("host", PEER), PEER)
    assert is_new
    assert known.add_remote(candidate("srflx", PEER), PEER) == (first, False)
    assert len(known.remote) == 1


def test_an_unknown_source_is_learned_once_with_the_priority_it_claims() -> None:
    known = KnownCandidates(10)
    learned = known.remote_at(arrival(), 55, CHECKLIST)
    assert learned is not None
    assert (learned.candidate.type, learned.priority) == (CandidateType.PEER_REFLEXIVE, 55)
    assert known.remote_at(arrival(), 66, CHECKLIST) is learned


def test_a_learned_candidate_that_is_signaled_later_is_what_signaling_says_and_keeps_its_priority() -> None:
    known = KnownCandidates(10)
    learned = known.remote_at(arrival(), 55, CHECKLIST)
    assert learned is not None
    assert known.add_remote(candidate("host", PEER), PEER) == (learned, False)
    assert (learned.candidate.type, learned.priority) == (CandidateType.HOST, 55)


def test_there_is_no_room_for_more_than_the_limit() -> None:
    known = KnownCandidates(2)
    for port in (1, 2):
        known.add_remote(candidate("host", (PEER[0], port)), (PEER[0], port))
    assert known.add_remote(candidate("host", PEER), PEER) == (None, False)
    assert known.remote_at(arrival(), 1, CHECKLIST) is None


def test_a_learned_one_that_leads_nowhere_makes_room_and_one_in_use_does_not() -> None:
    known, checklist = KnownCandidates(1), Checklist(Role.CONTROLLING, 10)
    first = known.remote_at(arrival(1), 1, checklist)
    assert first is not None
    local = LocalCandidate(candidate("host", HOST), BASE, HOST)
    used = Pair(local, first, state=PairState.SUCCEEDED)
    assert checklist.insert(used)
    assert known.remote_at(arrival(2), 1, checklist) is None
    used.state = PairState.FAILED
    second = known.remote_at(arrival(2), 1, checklist)
    assert second is not None
    assert known.remote == [second]


def test_a_base_sends_for_its_reflexive_candidates_and_takes_them_with_it() -> None:
    known = KnownCandidates(10)
    host = LocalCandidate(candidate("host", HOST), BASE, HOST)
    reflexive = LocalCandidate(candidate("srflx", PEER), BASE, PEER)
    known.local += [host, reflexive]
    assert known.bases() == [host]
    assert known.own(BASE) is host
    known.forget_base(BASE)
    assert (known.local, known.own(BASE)) == ([], None)


def test_how_we_are_seen_is_a_candidate_that_was_known_or_is_learned() -> None:
    known = KnownCandidates(10)
    host = LocalCandidate(candidate("host", HOST), BASE, HOST)
    known.local.append(host)
    remote, _ = known.add_remote(candidate("host", PEER), PEER)
    assert remote is not None
    pair = Pair(host, remote)
    assert known.local_at(pair, HOST) is host
    learned = known.local_at(pair, ("203.0.113.1", 9))
    assert (learned.candidate.type, learned.base) == (CandidateType.PEER_REFLEXIVE, BASE)
    assert (learned.candidate.related_address, learned.candidate.related_port) == HOST
