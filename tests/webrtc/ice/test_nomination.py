"""RFC 8445 section 8: which pair is nominated when, and which is used."""

from __future__ import annotations

import dataclasses

from tests.webrtc.ice.test_checklist import HOST
from zwerm.webrtc.ice.candidate import CandidateType
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.nomination import Nomination
from zwerm.webrtc.ice.pair import Base, LocalCandidate, Pair, PairState, RemoteCandidate
from zwerm.webrtc.ice.priority import candidate_priority

CONFIG = Config()


class Table:
    """A checklist with pairs of given kinds."""

    def __init__(self, role: Role = Role.CONTROLLING, *, renominates: bool = False) -> None:
        self.checklist = Checklist(role, 100)
        self.nomination = Nomination(CONFIG, self.checklist)
        self.nomination.can_renominate = renominates
        self.nomination.more_may_come = False
        self.local = LocalCandidate(HOST, Base(("192.0.2.1", 5_000)), ("192.0.2.1", 5_000))

    def add(self, kind: CandidateType, state: PairState, at: float = 0.0) -> Pair:
        number = len(self.checklist) + 1
        address = (f"203.0.113.{number}", 9)
        priority = candidate_priority(kind, number)
        candidate = dataclasses.replace(HOST, type=kind, priority=priority, foundation=str(number))
        pair = self.checklist.pair_up(self.local, RemoteCandidate(candidate, address, priority))
        assert pair is not None
        pair.state = state
        pair.responded_at = at if state is PairState.SUCCEEDED else None
        pair.round_trip_time = 0.01
        return pair


GOOD, BUSY = PairState.SUCCEEDED, PairState.IN_PROGRESS
HOSTS, REFLEXIVE, RELAYED = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED


def test_a_host_pair_is_nominated_at_once_whatever_else_is_tried() -> None:
    table = Table()
    pair = table.add(HOSTS, GOOD)
    table.add(HOSTS, BUSY)
    table.add(REFLEXIVE, BUSY)
    assert table.nomination.to_nominate(0.0) is pair


def test_a_reflexive_pair_waits_for_host_pairs_a_moment_and_no_longer() -> None:
    table = Table()
    pair = table.add(REFLEXIVE, GOOD)
    table.add(HOSTS, BUSY)
    assert table.nomination.to_nominate(0.0) is None
    due = table.nomination.decide_at
    assert due == CONFIG.direct_patience + 0.02
    assert table.nomination.to_nominate(due) is pair
    assert table.nomination.decide_at is None


def test_a_relayed_pair_waits_longer_and_for_candidates_still_to_come() -> None:
    table = Table()
    pair = table.add(RELAYED, GOOD)
    assert table.nomination.to_nominate(0.0) is pair
    table.nomination.more_may_come = True
    assert table.nomination.to_nominate(0.0) is None
    assert table.nomination.decide_at == CONFIG.relay_patience + 0.02


def test_with_renomination_the_first_is_nominated_at_once_and_a_better_one_later() -> None:
    table = Table(renominates=True)
    relayed = table.add(RELAYED, GOOD)
    host = table.add(HOSTS, BUSY)
    assert table.nomination.to_nominate(0.0) is relayed
    table.nomination.begin(relayed)
    assert table.nomination.to_nominate(0.0) is None  # one at a time
    table.nomination.succeeded(relayed)
    host.state = GOOD
    assert table.nomination.to_nominate(1.0) is host
    table.nomination.begin(host)
    table.nomination.succeeded(host)
    assert table.nomination.number == 2
    assert (relayed.is_nominated, host.is_nominated) == (False, True)
    assert table.nomination.selected() is host
    assert table.nomination.to_nominate(2.0) is None


def test_without_renomination_a_second_is_nominated_only_when_the_first_is_lost() -> None:
    table = Table()
    relayed, host = table.add(RELAYED, GOOD, at=1.0), table.add(HOSTS, BUSY)
    table.nomination.begin(relayed)
    table.nomination.succeeded(relayed)
    host.state, host.responded_at = GOOD, 1.0
    assert table.nomination.to_nominate(2.0) is None
    assert table.nomination.selected() is relayed
    relayed.is_doubted = True
    assert table.nomination.selected() is relayed  # the other has not answered since
    host.responded_at = 3.0
    assert table.nomination.selected() is host
    assert table.nomination.to_nominate(3.0) is host


def test_before_a_nomination_the_best_valid_pair_carries_data() -> None:
    """Section 12.1."""
    table = Table(Role.CONTROLLED)
    assert table.nomination.selected() is None
    table.add(RELAYED, GOOD)
    host = table.add(HOSTS, GOOD)
    assert table.nomination.selected() is host
    assert table.nomination.to_nominate(0.0) is None  # not ours to do


def test_the_controlled_side_takes_the_highest_number_and_then_the_highest_priority() -> None:
    table = Table(Role.CONTROLLED)
    host, relayed = table.add(HOSTS, GOOD), table.add(RELAYED, GOOD)
    host.is_nominated = relayed.is_nominated = True
    assert table.nomination.selected() is host
    relayed.nomination = 5
    assert table.nomination.selected() is relayed
    host.nomination = 6
    assert table.nomination.selected() is host


def test_a_forgotten_nomination_may_be_made_again() -> None:
    table = Table()
    pair = table.add(HOSTS, GOOD)
    table.nomination.begin(pair)
    table.nomination.forget(pair)
    assert table.nomination.to_nominate(0.0) is pair
