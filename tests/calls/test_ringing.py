"""Ringing, under a clock that is a number: every way a call can begin and end, and two things at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls.people import Exchange, party
from zwerm.calls.limits import CallsConfig, Refused
from zwerm.calls.ringing import Call, CallAnswered, CallEnded, Reason, State

ANN, BOB, BOB_PHONE, EVE = party("ann"), party("bob"), party("bob", "phone"), party("eve")


@pytest.fixture
def exchange() -> Exchange:
    made = Exchange()
    for each in (ANN, BOB, BOB_PHONE, EVE):
        made.come(each)
    return made


def ring(exchange: Exchange, caller: Any = ANN, callee: str = "bob", name: str = "call", **given: Any) -> Call:
    endpoints = [each.party.device for each in exchange.board.sessions.of(callee)]
    given = {"is_fetched": False} | given
    call = exchange.board.calls.ring(name, caller, callee, ["audio"], endpoints, exchange.now, **given)
    exchange.settle()
    return call


def ended(exchange: Exchange, who: Any) -> list[str]:
    return [event["reason"] for event in exchange.take(who) if event["type"] == "ended"]


def test_a_ring_reaches_every_device_of_the_callee_and_says_who_calls(exchange: Exchange) -> None:
    ring(exchange)
    for device in (BOB, BOB_PHONE):
        (event,) = exchange.take(device)
        assert event["type"] == "ringing"
        assert event["from"]["name"] == "ann"
        assert event["left"] == 45.0
    assert exchange.take(ANN) == [{"type": "progress", "call": "call", "state": "ringing"}]
    assert exchange.take(EVE) == []


def test_the_first_answer_wins_and_the_other_device_stops_ringing(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.calls.answer("call", BOB_PHONE)
    with pytest.raises(Refused) as caught:
        exchange.board.calls.answer("call", BOB)
    exchange.settle()
    assert caught.value.code == "answered-elsewhere"
    assert exchange.take(ANN)[-1] == {"type": "answered", "call": "call", "by": BOB_PHONE.document()}
    assert ended(exchange, BOB) == ["answered-elsewhere"]
    assert exchange.types(BOB_PHONE) == ["ringing"]
    assert exchange.effects == [CallAnswered("call")]


def test_both_ring_each_other_at_once_and_are_in_one_call(exchange: Exchange) -> None:
    first = ring(exchange)
    second = ring(exchange, BOB, "ann", name="other")
    assert second is first
    assert first.state is State.ANSWERED
    assert exchange.types(ANN) == ["progress", "answered"]
    assert exchange.types(BOB) == ["ringing"]
    assert ended(exchange, BOB_PHONE) == ["answered-elsewhere"]


def test_declining_on_one_device_ends_it_on_all(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.calls.decline("call", BOB, busy=False)
    exchange.settle()
    assert ended(exchange, ANN) == ended(exchange, BOB_PHONE) == ["declined"]
    assert ended(exchange, BOB) == []  # it knows
    assert exchange.effects == [CallEnded("call", Reason.DECLINED, is_missed=False)]


def test_busy_counts_when_every_device_says_so(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.calls.decline("call", BOB, busy=True)
    exchange.settle()
    assert ended(exchange, ANN) == []
    exchange.board.calls.decline("call", BOB_PHONE, busy=True)
    exchange.settle()
    assert ended(exchange, ANN) == ["busy"]
    assert exchange.effects == [CallEnded("call", Reason.BUSY, is_missed=True)]


def test_nobody_answers_and_the_call_is_missed(exchange: Exchange) -> None:
    ring(exchange)
    exchange.run(44.9)
    assert exchange.board.calls.is_open("call")
    exchange.run(0.2)
    assert ended(exchange, ANN) == ended(exchange, BOB) == ["no-answer"]
    assert exchange.effects == [CallEnded("call", Reason.NO_ANSWER, is_missed=True)]


def test_the_caller_gives_up(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.calls.cancel("call", ANN)
    exchange.settle()
    assert ended(exchange, BOB) == ended(exchange, BOB_PHONE) == ["cancelled"]
    assert exchange.effects == [CallEnded("call", Reason.CANCELLED, is_missed=True)]


def test_hanging_up_is_told_to_the_other_side(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.calls.answer("call", BOB)
    exchange.board.calls.hang_up("call", BOB)
    exchange.settle()
    assert ended(exchange, ANN) == ["hung-up"]
    assert len(exchange.board.calls) == 0


def test_a_device_that_comes_while_it_rings_rings_for_the_time_that_is_left(exchange: Exchange) -> None:
    ring(exchange)
    exchange.run(40.0)
    late = party("bob", "late")
    exchange.come(late)
    (event,) = exchange.take(late)
    assert (event["type"], event["left"]) == ("ringing", 5.0)


def test_somebody_away_is_waited_for_and_rings_when_a_message_fetched_them() -> None:
    exchange = Exchange()
    exchange.come(ANN)
    ring(exchange, is_fetched=True)
    assert exchange.take(ANN) == [{"type": "progress", "call": "call", "state": "waiting"}]
    exchange.run(90.0)
    exchange.come(BOB)
    assert exchange.types(BOB) == ["ringing"]
    assert exchange.take(ANN) == [{"type": "progress", "call": "call", "state": "ringing"}]


def test_nobody_there_and_nothing_to_fetch_them_is_said_at_once() -> None:
    exchange = Exchange()
    exchange.come(ANN)
    ring(exchange)
    assert ended(exchange, ANN) == ["unavailable"]
    assert exchange.effects == [CallEnded("call", Reason.UNAVAILABLE, is_missed=True)]


def test_a_message_that_could_not_be_sent_ends_the_waiting(exchange: Exchange) -> None:
    away = Exchange()
    away.come(ANN)
    ring(away, is_fetched=True)
    away.board.calls.no_longer_fetched("call")
    away.settle()
    assert ended(away, ANN) == ["unavailable"]
    ring(exchange, is_fetched=True)
    exchange.board.calls.no_longer_fetched("call")
    assert exchange.board.calls.is_open("call")


def test_a_short_break_changes_nothing_and_a_long_one_ends_the_call(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.calls.answer("call", BOB)
    exchange.settle()
    bob = exchange.board.sessions.find(BOB.device)
    assert bob is not None
    heard = len(exchange.heard[BOB.device])
    exchange.drop(bob)
    exchange.run(30.0)
    exchange.resume(bob, heard)
    assert exchange.board.calls.is_open("call")
    exchange.drop(bob)
    exchange.run(61.0)
    assert ended(exchange, ANN)[-1:] == ["lost"]


def test_the_ring_that_waits_in_a_mailbox_has_expired_when_it_is_too_late(exchange: Exchange) -> None:
    bob = exchange.board.sessions.find(BOB.device)
    assert bob is not None
    exchange.drop(bob)
    ring(exchange)
    exchange.run(46.0)
    exchange.resume(bob, 0)
    assert exchange.types(BOB) == ["expired", "ended"]


def test_strangers_learn_nothing_and_change_nothing(exchange: Exchange) -> None:
    ring(exchange)
    calls = exchange.board.calls
    for attempt in (
        lambda: calls.answer("call", EVE),
        lambda: calls.decline("call", EVE, busy=False),
        lambda: calls.cancel("call", EVE),
        lambda: calls.hang_up("call", EVE),
        lambda: calls.answer("other", EVE),
        lambda: calls.answer("call", party(None)),
        lambda: exchange.board.signal(EVE, ANN.device, "x", call="call", room=None),
    ):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "no-such-call"
    for attempt in (
        lambda: calls.answer("call", ANN),
        lambda: calls.cancel("call", BOB),
        lambda: calls.hang_up("call", ANN),
        lambda: calls.decline("call", ANN, busy=True),
    ):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "not-yours"
    assert exchange.board.calls.is_open("call")


def test_only_the_two_ends_of_an_answered_call_signal_to_each_other(exchange: Exchange) -> None:
    ring(exchange)
    board = exchange.board
    with pytest.raises(Refused):
        board.signal(ANN, BOB.device, "too early", call="call", room=None)
    board.calls.answer("call", BOB)
    exchange.settle()
    board.signal(ANN, BOB.device, "offer", call="call", room=None)
    board.signal(BOB, ANN.device, "answer", call="call", room=None)
    for by, to in ((BOB_PHONE, ANN), (ANN, BOB_PHONE), (ANN, EVE), (ANN, ANN)):
        with pytest.raises(Refused):
            board.signal(by, to.device, "x", call="call", room=None)
    with pytest.raises(Refused):
        board.signal(ANN, BOB.device, "x", call=None, room=None)
    exchange.settle()
    assert exchange.take(BOB)[-1] == {"type": "signal", "from": ANN.device, "data": "offer", "call": "call"}
    assert exchange.take(ANN)[-1]["data"] == "answer"


def test_the_same_ring_twice_and_too_many_calls_are_refused() -> None:
    exchange = Exchange(CallsConfig(open_calls=2))
    exchange.come(ANN)
    for name in ("bob", "eve", "zoe"):
        exchange.come(party(name))
    ring(exchange)
    with pytest.raises(Refused) as caught:
        ring(exchange, name="again")
    assert caught.value.code == "ringing-already"
    ring(exchange, callee="eve", name="second")
    with pytest.raises(Refused) as caught:
        ring(exchange, callee="zoe", name="third")
    assert caught.value.code == "too-many-calls"


def test_a_caller_who_is_gone_stops_the_ringing(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.sessions.close(ANN.device, "signed-out", "")
    exchange.settle()
    assert ended(exchange, BOB) == ["cancelled"]


def test_a_device_that_is_gone_rings_no_more_and_the_busy_ones_decide(exchange: Exchange) -> None:
    ring(exchange)
    exchange.board.calls.decline("call", BOB, busy=True)
    exchange.board.sessions.close(BOB_PHONE.device, "signed-out", "")
    exchange.settle()
    assert ended(exchange, ANN) == ["busy"]


def test_nothing_is_left_of_calls_that_ended(exchange: Exchange) -> None:
    for number in range(100):
        ring(exchange, name=f"call-{number}")
        exchange.board.calls.cancel(f"call-{number}", ANN)
        exchange.settle()
    assert len(exchange.board.calls) == 0
    assert exchange.board.calls.next_timeout() is None
    assert exchange.board.calls._of == {}


def test_how_the_fetching_goes_is_told_only_while_it_rings(exchange: Exchange) -> None:
    ring(exchange, is_fetched=True)
    event = {"type": "progress", "call": "call", "state": "mailed"}
    exchange.board.calls.tell_caller("call", event)
    exchange.settle()
    assert exchange.take(ANN)[-1] == event
    exchange.board.calls.answer("call", BOB)
    exchange.settle()
    exchange.take(ANN)
    exchange.board.calls.tell_caller("call", event)
    exchange.settle()
    assert exchange.take(ANN) == []
