"""Presence, and what the parts of a switchboard say to each other."""

from __future__ import annotations

import contextlib
import random

import pytest

from tests.calls.people import Exchange, party
from zwerm.calls.limits import CallsConfig, Refused
from zwerm.calls.sessions import Presence, Session

ANN, BOB, PHONE = party("ann"), party("bob"), party("bob", "phone")


def shown(exchange: Exchange) -> list[str]:
    return [event["state"] for event in exchange.take(ANN) if event["type"] == "presence"]


def test_whoever_watches_hears_each_change_once() -> None:
    exchange = Exchange()
    ann = exchange.come(ANN)
    assert exchange.board.watch(ann, ["bob"]) == {"bob": "offline"}
    bob, phone = exchange.come(BOB), exchange.come(PHONE)
    exchange.board.set_presence(bob, Presence.BUSY)
    exchange.board.set_presence(phone, Presence.AWAY)
    exchange.settle()
    exchange.drop(bob)
    exchange.drop(phone)
    exchange.resume(phone, 0)
    assert shown(exchange) == ["available", "busy", "away", "offline", "away"]


def test_a_signal_reaches_the_other_end_of_the_call_and_nobody_else() -> None:
    exchange = Exchange()
    for each in (ANN, BOB, PHONE):
        exchange.come(each)
    board = exchange.board
    board.calls.ring("k1", ANN, "bob", ["audio"], [BOB.device, PHONE.device], exchange.now, is_fetched=False)
    board.calls.answer("k1", BOB)
    board.signal(ANN, BOB.device, "v=0", call="k1", room=None)
    for by, to in ((ANN, PHONE), (PHONE, ANN), (ANN, ANN)):
        with pytest.raises(Refused) as caught:
            board.signal(by, to.device, "v=0", call="k1", room=None)
        assert caught.value.code == "not-yours"
    exchange.settle()
    assert [event["from"] for event in exchange.take(BOB) if event["type"] == "signal"] == [ANN.device]
    assert not [event for event in exchange.take(PHONE) if event["type"] == "signal"]


def test_watching_others_forgets_the_first_ones_and_leaving_forgets_all() -> None:
    exchange = Exchange()
    ann = exchange.come(ANN)
    exchange.board.watch(ann, ["bob"])
    exchange.board.watch(ann, ["eve"])
    exchange.come(BOB)
    assert shown(exchange) == []
    exchange.board.sessions.close(ANN.device, "signed-out", "")
    exchange.settle()
    assert exchange.board._watchers == exchange.board._told == exchange.board._watching == {}


def test_only_so_many_names_are_watched() -> None:
    exchange = Exchange(CallsConfig(watched=2))
    assert len(exchange.board.watch(exchange.come(ANN), ["b", "c", "d"])) == 2


def test_a_user_is_told_on_all_pages_but_the_one_that_knows() -> None:
    exchange = Exchange()
    exchange.come(BOB)
    exchange.come(PHONE)
    exchange.board.tell_user("bob", {"type": "account", "what": "contacts"}, but=BOB.device)
    exchange.settle()
    assert exchange.take(BOB) == []
    assert exchange.types(PHONE) == ["account"]


def act(exchange: Exchange, sessions: list[Session], draw: random.Random, step: int) -> None:
    """Do one thing, whether it is allowed or not."""
    session, calls, call = draw.choice(sessions), exchange.board.calls, f"call-{draw.randrange(max(step, 1))}"
    if exchange.board.sessions.find(session.party.device) is not session:
        return  # it is over, and so says nothing
    match draw.randrange(1, 8):
        case 1 | 2:
            callee = draw.choice([name for name in ("ann", "bob", "eve") if name != session.party.name])
            ends = [each.party.device for each in exchange.board.sessions.of(callee)]
            calls.ring(f"call-{step}", session.party, callee, [], ends, exchange.now, is_fetched=draw.random() < 0.5)
        case 3:
            calls.answer(call, session.party)
        case 4:
            calls.decline(call, session.party, busy=draw.random() < 0.5)
        case 5 if session.connection:
            exchange.drop(session)
        case 6:
            exchange.resume(session, 0)
        case 7:
            exchange.run(draw.random() * 20)


def play(seed: int) -> tuple[list[str], Exchange]:
    draw, exchange = random.Random(seed), Exchange(CallsConfig(open_calls=3, kept_events=30))
    sessions: list[Session] = []
    for step in range(300):
        if not sessions or draw.random() < 0.1:
            sessions.append(exchange.come(party(draw.choice(["ann", "bob", "eve"]), f"{step}")))
        else:
            with contextlib.suppress(Refused):
                act(exchange, sessions, draw, step)
            exchange.settle()
    for name in ("ann", "bob", "eve"):
        for each in exchange.board.sessions.of(name):
            exchange.board.sessions.close(each.party.device, "over", "")
    exchange.settle()
    exchange.run(200.0)
    return [repr(effect) for effect in exchange.effects], exchange


@pytest.mark.parametrize("seed", range(20))
def test_whatever_people_do_the_same_seed_ends_the_same_and_nothing_is_left(seed: int) -> None:
    effects, exchange = play(seed)
    assert effects == play(seed)[0]
    assert len(exchange.board.calls) == len(exchange.board.sessions) == 0
    assert exchange.board.next_timeout() is None
