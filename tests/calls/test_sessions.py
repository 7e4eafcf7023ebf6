"""Sessions: dead connections are found in time, and a device that comes back goes on where it was."""

from __future__ import annotations

import pytest

from tests.calls.people import Exchange, party
from zwerm.calls.limits import CallsConfig, Refused
from zwerm.calls.sessions import Presence

ANN, BOB = party("ann"), party("bob")


def test_a_silent_connection_is_asked_and_then_given_up_in_under_ten_seconds() -> None:
    exchange = Exchange()
    exchange.come(ANN)
    sessions, asked, began = exchange.board.sessions, 0.0, exchange.now
    while not exchange.cuts:
        exchange.now = sessions.next_timeout() or 0.0
        exchange.board.handle_timeout(exchange.now)
        exchange.settle()
        if exchange.types(ANN) == ["ping"]:
            asked = exchange.now - began
    assert asked == 4.0
    assert exchange.now - began == 8.0
    assert exchange.cuts[0].code == "dead"
    assert sessions.presence("ann") is Presence.OFFLINE


def test_a_device_that_answers_is_kept_for_ever() -> None:
    exchange = Exchange()
    exchange.come(ANN)
    exchange.run(3_600.0)
    assert exchange.board.sessions.presence("ann") is Presence.AVAILABLE
    assert exchange.cuts == []


def test_a_session_waits_a_minute_for_its_device_and_no_longer() -> None:
    exchange = Exchange()
    session = exchange.come(ANN)
    exchange.drop(session)
    exchange.run(59.0)
    assert exchange.resume(session, 0) is session
    exchange.drop(session)
    exchange.run(61.0)
    assert exchange.resume(session, 0) is None
    assert len(exchange.board.sessions) == 0
    assert exchange.board.next_timeout() is None


def test_what_was_said_meanwhile_is_heard_once_after_the_break() -> None:
    exchange = Exchange()
    ann = exchange.come(ANN)
    exchange.board.sessions.deliver(ANN.device, '{"type":"account","what":"contacts"}')
    exchange.settle()
    exchange.drop(ann)
    for what in ("devices", "settings"):
        exchange.board.sessions.deliver(ANN.device, f'{{"type":"account","what":"{what}"}}')
    exchange.settle()
    assert [event["what"] for event in exchange.take(ANN)] == ["contacts"]
    assert exchange.resume(ann, 1) is ann
    assert [event["what"] for event in exchange.take(ANN)] == ["devices", "settings"]


def test_who_comes_back_before_the_old_connection_is_known_dead_takes_its_place() -> None:
    exchange = Exchange()
    ann = exchange.come(ANN)
    old = ann.connection
    assert exchange.resume(ann, 0) is ann
    assert [(cut.connection, cut.code) for cut in exchange.cuts] == [(old, "replaced")]
    exchange.board.sessions.lost(ANN.device, old or "", exchange.now)  # the late end of the old one changes nothing
    exchange.settle()
    assert exchange.board.sessions.presence("ann") is Presence.AVAILABLE


def test_a_secret_is_of_no_use_to_another_device() -> None:
    exchange = Exchange()
    ann = exchange.come(ANN)
    assert exchange.board.sessions.resume(ann.secret, "mallory-1", 0, "c9", exchange.now) is None
    assert exchange.board.sessions.resume("guessed", ANN.device, 0, "c9", exchange.now) is None
    assert ann.connection == "c1"


def test_a_device_that_does_not_read_loses_its_session_and_nobody_else() -> None:
    exchange = Exchange(CallsConfig(kept_events=10))
    ann, _ = exchange.come(ANN), exchange.come(BOB)
    exchange.drop(ann)
    taken = [exchange.board.sessions.deliver(ANN.device, '{"type":"x"}') for _ in range(11)]
    exchange.settle()
    assert taken == [True] * 10 + [False]
    assert exchange.board.sessions.find(ANN.device) is None
    assert exchange.board.sessions.find(BOB.device) is not None


def test_events_that_a_device_acknowledged_cannot_be_had_again() -> None:
    exchange = Exchange()
    ann = exchange.come(ANN)
    exchange.board.sessions.deliver(ANN.device, '{"type":"expired"}')
    exchange.settle()
    ann.mailbox.acknowledge(1)
    assert exchange.resume(ann, 0) is None
    assert exchange.cuts[-1].code == "lost"


def test_the_page_that_was_away_longest_makes_room_for_a_new_one() -> None:
    exchange = Exchange(CallsConfig(sessions_of_user=2))
    first, second = exchange.come(party("ann", "1")), exchange.come(party("ann", "2"))
    exchange.drop(second)
    exchange.come(party("ann", "3"))
    assert [each.party.device for each in exchange.board.sessions.of("ann")] == ["ann-1", "ann-3"]
    assert first.connection is not None


def test_a_full_service_says_so() -> None:
    exchange = Exchange(CallsConfig(sessions=1))
    exchange.come(ANN)
    with pytest.raises(Refused) as caught:
        exchange.come(BOB)
    assert caught.value.code == "full"


def test_results_are_kept_for_requests_that_come_again_and_only_so_many() -> None:
    exchange = Exchange(CallsConfig(kept_results=2))
    ann = exchange.come(ANN)
    for number in (1, 2, 3):
        exchange.board.sessions.answer(ann, number, f'{{"type":"result","re":{number},"value":{{}}}}')
    exchange.settle()
    assert [event["re"] for event in exchange.take(ANN)] == [1, 2, 3]
    assert list(ann.results) == [2, 3]
