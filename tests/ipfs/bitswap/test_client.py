"""The client: how wants are split over peers, and what becomes of them when peers are slow, lie or leave."""

import itertools

import pytest

from tests.ipfs.bitswap.simulation import LEAF, Simulation, cids
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.ipfs.bitswap.client import Client, FindProviders, GaveUp, Misbehaved
from zwerm.ipfs.bitswap.config import ClientConfig, ServerConfig
from zwerm.ipfs.bitswap.message import Presence, WantType

FILE = cids(400)  # 100 MiB in leaves


def test_one_peer_gives_everything_and_is_asked_for_nothing_twice() -> None:
    simulation = Simulation()
    giver = simulation.add("ann", FILE)
    simulation.fetch(FILE)
    assert len(simulation.came) == len(FILE)
    asked = [entry for message in giver.received for entry in message.wants if not entry.cancel]
    assert sorted(entry.cid for entry in asked if entry.want is WantType.BLOCK) == sorted(FILE)


def test_one_peer_is_kept_busy() -> None:
    simulation = Simulation()
    simulation.add("ann", FILE, delay=0.1, rate=50e6)
    seconds = simulation.fetch(FILE)
    assert seconds < 1.25 * len(FILE) * LEAF / 50e6


def test_five_peers_share_the_work_by_their_speed_and_send_hardly_anything_twice() -> None:
    simulation = Simulation()
    rates = {"a": 10e6, "b": 20e6, "c": 40e6, "d": 5e6, "e": 25e6}
    for name, rate in rates.items():
        simulation.add(name, FILE, rate=rate, delay=0.02)
    seconds = simulation.fetch(FILE)
    assert seconds < 1.35 * len(FILE) * LEAF / sum(rates.values())
    assert len(simulation.came) <= 1.05 * len(FILE)
    given = simulation.given()
    assert given["c"] > given["a"] > given["d"]


def test_a_small_block_of_one_of_five_connected_peers_takes_one_round_trip() -> None:
    simulation = Simulation()
    for name in "abcde":
        simulation.add(name, FILE[:1], delay=0.02, size=1_000)
    assert simulation.fetch(FILE[:1]) < 0.05


def test_blocks_that_are_spread_over_peers_are_found_all() -> None:
    simulation = Simulation()
    for number, name in enumerate("abc"):
        simulation.add(name, FILE[number:60:3])
    simulation.fetch(FILE[:60])
    assert len(simulation.came) <= 1.05 * 60


def test_a_peer_that_never_answers_is_passed_over() -> None:
    simulation = Simulation()
    simulation.add("ann", FILE, rate=1e6)
    simulation.add("deaf", FILE, rate=0)
    assert simulation.fetch(FILE[:40]) < 40 * LEAF / 1e6 + 3
    assert set(simulation.given()) == {"ann"}


def test_a_peer_that_stops_in_the_middle_is_passed_over_after_the_patience() -> None:
    simulation = Simulation(ClientConfig(patience=5.0))
    ann = simulation.add("ann", FILE)
    simulation.add("bob", FILE)
    simulation.start(FILE[:200])
    simulation.run(lambda: len(simulation.came) > 50)
    ann.rate = 0
    assert simulation.run(lambda: not simulation.client.wantlist) < 8
    assert len(simulation.came) <= 1.05 * 200


def test_peers_that_give_a_byte_now_and_then_are_waited_for() -> None:
    simulation = Simulation(ClientConfig(patience=5.0))
    for name in ("ann", "bob"):
        simulation.add(name, FILE, rate=20_000, config=ServerConfig(message=LEAF))  # 13 seconds for a block
    simulation.fetch(FILE[:8])
    assert len(simulation.came) == 8
    assert simulation.given().keys() == {"ann", "bob"}


def test_a_link_that_is_away_for_a_minute_ends_no_fetch_and_brings_nothing_twice() -> None:
    simulation = Simulation()
    ann = simulation.add("ann", FILE, rate=125_000, delay=0.3, config=ServerConfig(message=LEAF))
    simulation.start(FILE[:16])
    simulation.run(lambda: len(simulation.came) > 4)
    simulation.pause(60.0)
    simulation.run(lambda: not simulation.client.wantlist)
    assert len(simulation.came) == 16
    assert simulation.events == []
    asked = [entry for message in ann.received for entry in message.wants if entry.want is WantType.BLOCK]
    assert sorted(entry.cid for entry in asked) == sorted(FILE[:16])


def test_a_session_whose_only_peer_stays_silent_ends_all_the_same() -> None:
    simulation = Simulation(ClientConfig(silence=40.0))
    simulation.add("deaf", FILE, rate=0)
    number = simulation.start(FILE[:1])
    assert 40.0 <= simulation.run(lambda: bool(simulation.events)) < 60.0
    assert simulation.events == [GaveUp(number, (FILE[0],))]


def test_a_peer_that_is_far_away_is_given_the_time_of_its_round_trips_before_another_is_asked() -> None:
    simulation = Simulation()
    givers = [simulation.add(name, FILE, delay=1.4) for name in ("one", "other")]  # streams are opened first
    for name in ("one", "other"):
        simulation.client.add_peer(name, simulation.now, round_trip=0.6)
    simulation.fetch(FILE[:1])
    asked = [entry for giver in givers for message in giver.received for entry in message.wants]
    assert [entry.want for entry in asked if not entry.cancel].count(WantType.BLOCK) == len(simulation.came) == 1


def test_what_a_lost_peer_was_asked_for_comes_from_the_others() -> None:
    simulation = Simulation()
    for name in ("ann", "bob"):
        simulation.add(name, FILE)
    simulation.start(FILE[:200])
    simulation.run(lambda: len(simulation.came) > 50)
    simulation.leave("ann")
    simulation.run(lambda: not simulation.client.wantlist)
    assert len(simulation.came) <= 1.05 * 200


def test_a_fetch_goes_on_where_it_was_when_the_only_peer_comes_back() -> None:
    simulation = Simulation(ClientConfig(patience=30.0))
    simulation.add("ann", FILE)
    simulation.start(FILE[:100])
    simulation.run(lambda: len(simulation.came) > 50)
    simulation.leave("ann")
    simulation.after(10.0, lambda: simulation.connect("ann"))
    simulation.run(lambda: not simulation.client.wantlist)
    assert len(simulation.came) == 100


def test_a_peer_that_connects_later_is_asked_too() -> None:
    simulation = Simulation()
    simulation.add("ann", FILE, rate=5e6)
    simulation.start(FILE)
    simulation.run(lambda: len(simulation.came) > 10)
    simulation.add("bob", FILE, rate=50e6)
    simulation.run(lambda: not simulation.client.wantlist)
    assert simulation.given()["bob"] > 200


def test_peers_are_told_when_a_block_they_were_asked_about_came() -> None:
    simulation = Simulation()
    ann = simulation.add("ann", FILE[:1])
    bob = simulation.add("bob", [])
    simulation.fetch(FILE[:1])
    simulation.after(1.0, lambda: None)
    simulation.run(lambda: any(entry.cancel for message in bob.received for entry in message.wants))
    assert not any(entry.cancel for message in ann.received for entry in message.wants)


def test_what_is_cancelled_is_taken_back_and_not_asked_for_any_more() -> None:
    simulation = Simulation()
    giver = simulation.add("ann", FILE, rate=1e6)
    number = simulation.start(FILE[:20])
    simulation.run(lambda: bool(simulation.came))
    simulation.client.cancel(number, FILE[:20], simulation.now)
    simulation.settle()
    assert simulation.client.wantlist == []
    simulation.after(30.0, lambda: None)
    simulation.run(lambda: any(entry.cancel for message in giver.received for entry in message.wants))
    assert not simulation.events


def test_two_sessions_that_want_one_block_fetch_it_once() -> None:
    simulation = Simulation()
    simulation.add("ann", FILE, rate=1e6)
    first, second = simulation.start(FILE[:2]), simulation.start(FILE[1:3])
    simulation.client.close_session(first, simulation.now)
    simulation.settle()
    simulation.run(lambda: not simulation.client.wantlist)
    assert {key for _, key in simulation.came} >= {cid.multihash for cid in FILE[1:3]}
    session = simulation.client.session(second)
    assert session is not None
    assert session.shares["ann"].blocks == 2


def test_sessions_share_a_peer() -> None:
    simulation = Simulation()
    simulation.add("ann", FILE, rate=10e6)
    simulation.start(FILE[:350])
    small = simulation.start(FILE[350:360])
    session = simulation.client.session(small)
    assert session is not None
    assert simulation.run(lambda: not session.live) < 5


def test_a_block_from_elsewhere_ends_the_want() -> None:
    simulation = Simulation()
    giver = simulation.add("ann", [])
    simulation.start(FILE[:1])
    simulation.after(0.1, lambda: simulation.client.found(FILE[0].multihash, LEAF, simulation.now, "gateway"))
    simulation.run(lambda: not simulation.client.wantlist)
    simulation.settle()
    simulation.run(lambda: any(entry.cancel for message in giver.received for entry in message.wants))


# When nobody has it


def test_without_peers_and_without_routing_a_want_ends_at_once() -> None:
    simulation = Simulation()
    number = simulation.start(FILE[:2])
    assert simulation.events == [GaveUp(number, tuple(FILE[:2]))]
    assert simulation.client.wantlist == []


def test_when_every_peer_refuses_it_is_given_up_after_the_patience() -> None:
    simulation = Simulation(ClientConfig(patience=7.0))
    for name in "abc":
        simulation.add(name, [])
    number = simulation.start(FILE[:1])
    seconds = simulation.run(lambda: bool(simulation.events))
    assert simulation.events == [GaveUp(number, (FILE[0],))]
    assert 7.0 <= seconds < 9.0


def test_providers_are_looked_for_at_once_when_nobody_is_connected() -> None:
    simulation = Simulation(can_search=True)
    simulation.add("ann", FILE, connect=False)

    def answer(event: object) -> None:
        assert isinstance(event, FindProviders)
        simulation.client.suggest(event.session, "ann", simulation.now)
        simulation.after(0.5, lambda: simulation.connect("ann"))
        simulation.after(0.6, lambda: simulation.client.search_ended(event.session, simulation.now))

    simulation.on_event = answer
    number = simulation.start(FILE[:20], root=FILE[30])
    assert simulation.events == [FindProviders(number, (FILE[0], FILE[30]))]
    simulation.run(lambda: not simulation.client.wantlist)
    assert len(simulation.came) == 20


def test_providers_are_looked_for_when_the_connected_peers_are_silent() -> None:
    simulation = Simulation(ClientConfig(search_after=2.0), can_search=True)
    simulation.add("deaf", FILE, rate=0)
    simulation.start(FILE[:1])
    assert 2.0 <= simulation.run(lambda: bool(simulation.events)) < 3.0


def test_a_search_that_finds_nobody_is_repeated_less_and_less_often_while_somebody_else_tries() -> None:
    simulation = Simulation(ClientConfig(search_again=10.0, search_longest=30.0), can_search=True)
    moments = []

    def answer(event: object) -> None:
        if isinstance(event, FindProviders):
            moments.append(simulation.now)
            simulation.client.search_ended(event.session, simulation.now)

    simulation.on_event = answer
    number = simulation.client.open_session(simulation.now)
    simulation.client.hold(number, simulation.now, 1)
    simulation.client.want(number, FILE[:1], simulation.now)
    simulation.settle()
    simulation.run(lambda: len(moments) == 5)
    pauses = [round(later - earlier) for earlier, later in itertools.pairwise(moments)]
    assert pauses == [10, 20, 30, 30]
    simulation.client.hold(number, simulation.now, -1)
    simulation.run(lambda: GaveUp(number, (FILE[0],)) in simulation.events)


# Peers that lie


def test_a_peer_that_sends_something_else_is_dropped_and_the_block_comes_from_another() -> None:
    simulation = Simulation()
    simulation.add("liar", FILE[:1], rate=0)
    simulation.start(FILE[:1])
    simulation.add("ann", FILE[:1])
    simulation.client.receive("liar", [(FILE[9].multihash, LEAF)], (), simulation.now)
    simulation.settle()
    assert isinstance(simulation.events[0], Misbehaved)
    assert simulation.events[0].peer == "liar"
    simulation.run(lambda: not simulation.client.wantlist)
    assert simulation.given() == {"ann": 1}
    assert simulation.client.unasked == 1


def test_unasked_blocks_are_counted_and_too_many_of_them_are_an_offence() -> None:
    simulation = Simulation(ClientConfig(unasked=3 * LEAF))
    simulation.add("ann", [])
    for number in range(3):
        simulation.client.receive("ann", [(FILE[number].multihash, LEAF)], (), simulation.now)
    simulation.settle()
    assert (simulation.client.unasked, simulation.events) == (3, [])
    simulation.client.receive("ann", [(FILE[3].multihash, LEAF)], (), simulation.now)
    simulation.settle()
    assert [type(event) for event in simulation.events] == [Misbehaved]


def test_a_block_that_comes_twice_is_no_offence() -> None:
    simulation = Simulation()
    simulation.add("ann", FILE)
    number = simulation.start(FILE[:2])
    block = (FILE[0].multihash, LEAF)
    simulation.client.receive("ann", [block, block], (), simulation.now)
    simulation.settle()
    session = simulation.client.session(number)
    assert session is not None
    assert (session.duplicates, simulation.client.duplicates, simulation.client.duplicate_size) == (1, 1, LEAF)
    assert simulation.events == []


def test_presences_of_what_nobody_asked_about_change_nothing() -> None:
    simulation = Simulation()
    simulation.add("ann", [])
    simulation.client.receive("ann", (), [Presence(cid, has=True) for cid in FILE], simulation.now)
    assert simulation.client.next_peer() is None
    assert simulation.client.wantlist == []


def test_a_peer_that_was_not_asked_about_a_block_does_not_get_asked_for_it_by_saying_have() -> None:
    simulation = Simulation(ClientConfig(broadcast=1))
    for name in ("ann", "bob"):
        simulation.add(name, [], rate=0)
    number = simulation.start(FILE[:1])
    (want,) = simulation.client._wants.values()
    (pushy,) = {"ann", "bob"} - want.told
    simulation.client.receive(pushy, (), [Presence(FILE[0], has=True)], simulation.now)
    session = simulation.client.session(number)
    assert session is not None
    assert pushy not in session.members


def test_a_peer_that_says_have_and_then_dont_have_is_asked_once() -> None:
    simulation = Simulation(ClientConfig(patience=5.0))
    simulation.add("liar", [], rate=0)
    number = simulation.start(FILE[:1])
    simulation.client.receive("liar", (), [Presence(FILE[0], has=True)], simulation.now)
    simulation.client.receive("liar", (), [Presence(FILE[0], has=False)], simulation.now)
    simulation.settle()
    simulation.run(lambda: GaveUp(number, (FILE[0],)) in simulation.events, limit=20)


# Limits and misuse


def test_wants_sessions_and_peers_are_limited() -> None:
    client: Client[str] = Client(ClientConfig(wants=4, sessions=2, peers=1), can_search=True)
    number = client.open_session(0.0)
    with pytest.raises(ResourceLimitError, match="5 blocks wanted, the limit is 4"):
        client.want(number, FILE[:5], 0.0)
    assert len(client.wantlist) == 4
    client.open_session(0.0)
    with pytest.raises(ResourceLimitError, match="3 bitswap sessions, the limit is 2"):
        client.open_session(0.0)
    client.add_peer("ann", 0.0)
    client.add_peer("bob", 0.0)
    assert client.peers == ["ann"]


def test_a_session_asks_only_so_many_peers() -> None:
    simulation = Simulation(ClientConfig(broadcast=3, session_peers=4))
    givers = [simulation.add(f"peer {number}", FILE[:50], rate=1e6) for number in range(10)]
    simulation.fetch(FILE[:50])
    assert sum(1 for giver in givers if giver.received) <= 4


def test_a_want_in_a_session_that_is_not_open_is_a_mistake_of_ours() -> None:
    client: Client[str] = Client()
    with pytest.raises(LocalProtocolError, match="session 7 is not open"):
        client.want(7, FILE[:1], 0.0)
    client.cancel(7, FILE[:1], 0.0)
    client.close_session(7, 0.0)


def test_a_peer_of_version_1_1_is_asked_for_blocks_only() -> None:
    client: Client[str] = Client()
    for name in ("old", "older"):
        client.add_peer(name, 0.0, knows_have=False)
    client.want(client.open_session(0.0), FILE[:2], 0.0)
    name = client.next_peer()
    assert name is not None
    message = client.next_message(name)
    assert message is not None
    assert [(entry.want, entry.send_dont_have) for entry in message.wants] == [(WantType.BLOCK, False)] * 2
    assert client.next_peer() is None
