"""What an agent says about its pairs and candidates, before a restart, during it and after."""

from __future__ import annotations

import pytest

from tests.webrtc.ice.test_gather import Gathering
from tests.webrtc.ice.two import Two
from zwerm.webrtc.ice.candidate import CandidateType
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.events import SelectedPairChanged
from zwerm.webrtc.ice.generations import LINGER
from zwerm.webrtc.ice.statistics import PairStatistics


def selected(two: Two) -> PairStatistics:
    statistics = two.left.agent.statistics()
    (pair,) = [pair for pair in statistics.pairs + statistics.retired_pairs if pair.is_selected]
    return pair


def test_what_one_side_sent_the_other_received() -> None:
    two = Two()
    two.connect()
    for number in range(10):
        two.left.send(bytes(100 + number))
        two.clock.run_for(0.1)
    (left,), (right,) = two.left.agent.statistics().pairs, two.right.agent.statistics().pairs
    assert (left.counters.packets_sent, left.counters.bytes_sent) == (10, 1_045)
    assert (right.counters.packets_received, right.counters.bytes_received) == (10, 1_045)
    assert left.counters.packets_received == right.counters.packets_sent == 0
    assert left.counters.sent_at == pytest.approx(two.clock.now - 0.1)
    assert right.counters.received_at == pytest.approx(two.clock.now - 0.1, abs=0.01)
    assert left.counters.received_at is None
    assert right.counters.sent_at is None


def test_checks_and_their_answers_are_counted_on_both_sides() -> None:
    two = Two()
    two.connect()
    two.clock.run_for(60.0)
    (left,), (right,) = two.left.agent.statistics().pairs, two.right.agent.statistics().pairs
    assert left.counters.requests_sent == right.counters.requests_received
    assert left.counters.responses_received == right.counters.responses_sent
    assert right.counters.responses_received == left.counters.responses_sent
    assert left.counters.requests_sent >= left.counters.consent_requests_sent > 5
    assert left.round_trip_time == pytest.approx(0.0004, abs=0.0004)
    assert left.counters.total_round_trip_time >= left.round_trip_time


@pytest.mark.parametrize("delay", [0.0, 0.2], ids=["after the description", "before the description"])
def test_the_first_request_which_makes_the_pair_is_counted_with_its_answer(delay: float) -> None:
    """The right side knows no candidate of the left one, and without its description not even who asks."""
    two = Two(delay=delay)
    two.signaling.left.signal = lambda event: None
    two.connect()
    two.clock.run_for(20.0)
    (left,), (right,) = two.left.agent.statistics().pairs, two.right.agent.statistics().pairs
    assert left.counters.responses_received == right.counters.responses_sent == right.counters.requests_received
    assert right.counters.responses_received == left.counters.responses_sent == left.counters.requests_received


def test_checks_are_no_data() -> None:
    two = Two()
    two.connect()
    two.left.send(b"data")
    two.clock.run_for(60.0)
    (right,) = two.right.agent.statistics().pairs
    assert right.counters.packets_received == 1
    assert right.counters.received_at is not None
    assert right.counters.received_at < two.clock.now - 59.0


def test_a_batch_is_counted_and_timed_once() -> None:
    two = Two()
    two.connect()
    agent = two.left.agent
    source = two.right.agent.statistics().pairs[0].local.transport_address
    assert agent.receive_datagrams([b"\x16one", b"\x16two", b"\x16three"], source, two.clock.now) == 3
    counters = selected(two).counters
    assert (counters.packets_received, counters.bytes_received) == (3, 14)
    assert counters.received_at == two.clock.now


def test_during_a_restart_the_pair_that_carries_data_is_the_selected_one() -> None:
    two = Two()
    two.connect()
    two.left.send(b"data")
    old = two.left.agent.statistics()
    assert (old.local_ufrag, old.remote_ufrag) == (
        two.left.agent.local_credentials.ufrag,
        two.right.agent.local_credentials.ufrag,
    )
    two.left.do(two.left.agent.restart)
    between = two.left.agent.statistics()
    assert between.local_ufrag != old.local_ufrag
    assert between.remote_ufrag is None
    assert between.pairs == ()
    assert selected(two).counters.packets_sent == 1
    two.signaling.offer_answer()
    two.clock.run_for(1.0)
    after = two.left.agent.statistics()
    assert [pair.is_selected for pair in after.pairs] == [True]
    assert [pair.is_selected for pair in after.retired_pairs] == [False]
    two.clock.run_for(LINGER)
    assert two.left.agent.statistics().retired_pairs == ()


def test_every_selection_of_another_pair_is_counted() -> None:
    two = Two()
    two.connect()
    two.clock.run_for(1.0)
    assert two.left.agent.statistics().pair_changes == len(two.left.told(SelectedPairChanged)) == 1
    before = two.left.add_host(two.wan.host("192.0.2.3"))
    two.clock.run_for(1.0)
    two.left.remove_host(next(address for address in two.left.sockets if address != before))
    two.clock.run_for(5.0)
    assert two.left.agent.statistics().pair_changes == len(two.left.told(SelectedPairChanged)) > 1


def test_a_candidate_that_a_server_told_names_the_server() -> None:
    world = Gathering()
    world.peer.gather()
    world.clock.run_for(1.0)
    statistics = world.peer.agent.statistics()
    assert statistics.role is Role.CONTROLLING
    servers = {candidate.type: statistics.servers.get(candidate) for candidate in statistics.local_candidates}
    assert servers == {CandidateType.HOST: None, CandidateType.SERVER_REFLEXIVE: world.alive}
