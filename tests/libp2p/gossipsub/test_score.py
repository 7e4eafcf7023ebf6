"""The score function, term by term (gossipsub v1.1, "The Score Function")."""

from __future__ import annotations

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.config import ScoreConfig, TopicScore, decay
from zwerm.libp2p.gossipsub.score import PeerScores

ALICE, BOB, CAROL = (PeerId.of(seeded_key(number).public) for number in range(3))
NOTHING = TopicScore(time_in_mesh_weight=0, first_message_deliveries_weight=0, invalid_message_deliveries_weight=0)


def scores(topic: TopicScore = NOTHING, **config: object) -> PeerScores:
    found = PeerScores(ScoreConfig(topic=topic, **config))  # type: ignore[arg-type]
    found.add_peer(ALICE, ())
    found.refresh(0.0)
    return found


def test_a_decay_takes_a_counter_to_zero_in_its_time() -> None:
    assert decay(60.0) ** 60 == pytest.approx(0.01)


def test_time_in_the_mesh_is_worth_something_up_to_a_cap() -> None:
    found = scores(TopicScore(time_in_mesh_weight=0.5, time_in_mesh_quantum=2.0, time_in_mesh_cap=10.0))
    found.graft(ALICE, "t", 0.0)
    worth = []
    for now in (0.0, 4.0, 1_000.0):
        found.refresh(now)
        worth.append(found.score(ALICE))
    assert worth == [0.0, 1.0, 5.0]
    found.prune(ALICE, "t")
    assert found.score(ALICE) == 0.0


def test_first_deliveries_are_worth_something_and_decay() -> None:
    params = TopicScore(first_message_deliveries_weight=2.0, first_message_deliveries_decay=0.5)
    found = scores(params)
    for number in range(100):
        found.delivered(ALICE, "t", b"%d" % number, 0.0)
    assert found.score(ALICE) == 100.0
    found.refresh(1.0)
    assert found.score(ALICE) == 50.0
    found.refresh(100.0)
    assert found.score(ALICE) == 0.0


def test_delivering_too_little_from_inside_the_mesh_costs_its_square() -> None:
    params = TopicScore(
        time_in_mesh_weight=0,
        first_message_deliveries_weight=0,
        mesh_message_deliveries_weight=-1.0,
        mesh_message_deliveries_threshold=4.0,
        mesh_message_deliveries_activation=10.0,
        mesh_message_deliveries_decay=1.0,
        mesh_failure_penalty_weight=-1.0,
        mesh_failure_penalty_decay=1.0,
    )
    found = scores(params)
    found.graft(ALICE, "t", 0.0)
    found.refresh(10.0)
    assert found.score(ALICE) == 0.0, "not long enough in the mesh"
    found.delivered(BOB, "t", b"1", 10.5)
    found.duplicated(ALICE, "t", b"1", 10.505)
    found.duplicated(ALICE, "t", b"1", 10.506)
    found.delivered(BOB, "t", b"2", 10.6)
    found.duplicated(ALICE, "t", b"2", 10.7)
    found.duplicated(ALICE, "t", b"never seen", 10.7)
    found.refresh(11.0)
    assert found.score(ALICE) == -9.0, "one of four: late ones and repeated ones do not count"
    found.prune(ALICE, "t")
    assert found.score(ALICE) == -9.0, "P3b keeps what was owed"
    found.delivered(ALICE, "t", b"3", 12.0)
    assert found.score(ALICE) == -9.0


def test_invalid_messages_cost_their_square() -> None:
    found = scores(TopicScore(invalid_message_deliveries_weight=-10.0))
    worth = []
    for _ in range(3):
        found.rejected(ALICE, "t")
        worth.append(found.score(ALICE))
    assert worth == [-10.0, -40.0, -90.0]


def test_topics_have_a_weight_and_all_together_a_cap() -> None:
    params = {"a": TopicScore(topic_weight=3.0, first_message_deliveries_cap=1_000.0), "b": NOTHING}
    found = scores(topics=params, topic_score_cap=100.0)
    for number in range(20):
        found.delivered(ALICE, "b", b"b%d" % number, 0.0)
        found.delivered(ALICE, "a", b"a%d" % number, 0.0)
    assert found.score(ALICE) == 60.0
    for number in range(20, 60):
        found.delivered(ALICE, "a", b"a%d" % number, 0.0)
    assert found.score(ALICE) == 100.0


def test_the_application_has_a_say() -> None:
    found = scores(app_specific={ALICE: 7.0}.__getitem__, app_specific_weight=2.0)
    assert found.score(ALICE) == 14.0


def test_many_peers_of_one_address_cost_each_of_them() -> None:
    found = scores(ip_colocation_factor_threshold=1, ip_colocation_factor_weight=-5.0)
    for peer in (ALICE, BOB, CAROL):
        found.add_peer(peer, ("203.0.113.1",))
    assert [found.score(peer) for peer in (ALICE, BOB, CAROL)] == [-20.0] * 3
    found.add_peer(CAROL, ("203.0.113.2",))
    assert [found.score(peer) for peer in (ALICE, BOB, CAROL)] == [-5.0, -5.0, 0.0]


def test_slips_are_forgiven_and_habits_cost_their_square() -> None:
    found = scores(behaviour_penalty_threshold=2.0, behaviour_penalty_weight=-10.0, behaviour_penalty_decay=0.5)
    found.penalize(ALICE, 2)
    assert found.score(ALICE) == 0.0
    found.penalize(ALICE, 2)
    assert found.score(ALICE) == -40.0
    found.refresh(1.0)
    assert found.score(ALICE) == 0.0


def test_a_bad_name_outlives_the_connection_and_a_good_one_does_not() -> None:
    found = scores(TopicScore(), retain_score=100.0)
    found.add_peer(BOB, ("203.0.113.1",))
    found.delivered(ALICE, "t", b"1", 0.0)
    for _ in range(3):
        found.rejected(BOB, "t")
    found.remove_peer(ALICE, 0.0)
    found.remove_peer(BOB, 0.0)
    found.remove_peer(CAROL, 0.0)
    found.refresh(50.0)
    assert found.score(ALICE) == 0.0
    assert found.score(BOB) == -90.0, "who is not here does not get better by waiting"
    found.add_peer(BOB, ())
    found.remove_peer(BOB, 50.0)
    found.refresh(150.0)
    assert (found.score(BOB), len(found)) == (0.0, 0)


def test_only_so_many_bad_names_are_kept() -> None:
    found = scores(TopicScore(), max_retained=2)
    peers = [PeerId.of(seeded_key(number).public) for number in range(10, 15)]
    for now, peer in enumerate(peers):
        found.add_peer(peer, ())
        found.rejected(peer, "t")
        found.remove_peer(peer, float(now))
    assert [found.score(peer) < 0 for peer in peers] == [False, False, False, True, True]


def test_an_unknown_peer_is_worth_nothing_and_nothing_is_kept_of_it() -> None:
    found = scores()
    for act in (found.rejected, found.prune):
        act(BOB, "t")
    found.graft(BOB, "t", 0.0)
    found.penalize(BOB, 9)
    assert (found.score(BOB), len(found)) == (0.0, 1)
