"""Rooms: the door, the hosts' rights, the chat, and what nobody else may do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls.people import Exchange, party
from zwerm.calls.limits import CallsConfig, Rate, Refused
from zwerm.calls.rooms import Line, RoomChanged, RoomEnded, RoomRecord, Said

HOST, ANN, BOB, GUEST = party("host"), party("ann"), party("bob"), party(None)
OPEN = RoomRecord("r1", "Friday", "host", waiting=False, keep_chat=0.0)
GUARDED = RoomRecord("r1", "Friday", "host", waiting=True, keep_chat=86_400.0)


@pytest.fixture
def exchange() -> Exchange:
    made = Exchange()
    for each in (HOST, ANN, BOB, GUEST):
        made.come(each)
    return made


def join(exchange: Exchange, who: Any, record: RoomRecord = OPEN, label: str = "") -> dict[str, Any]:
    answer = exchange.board.rooms.join(record, [], who, label or who.label, exchange.now)
    exchange.settle()
    return answer


def states(exchange: Exchange, who: Any) -> list[tuple[str, str]]:
    return [
        (event["who"]["member"], event["who"]["state"])
        for event in exchange.take(who)
        if event["type"] == "room-member"
    ]


def test_everybody_inside_hears_who_comes_and_goes_and_whoever_comes_sees_who_is_there(exchange: Exchange) -> None:
    join(exchange, ANN)
    answer = join(exchange, GUEST)
    assert [member["member"] for member in answer["members"]] == [ANN.device, GUEST.device]
    exchange.board.rooms.leave("r1", GUEST)
    exchange.settle()
    assert states(exchange, ANN) == [(GUEST.device, "inside"), (GUEST.device, "left")]


def test_people_wait_before_the_door_until_a_host_lets_them_in(exchange: Exchange) -> None:
    assert join(exchange, HOST, GUARDED)["state"] == "inside"
    join(exchange, ANN, GUARDED)
    exchange.board.rooms.admit("r1", HOST, ANN.device)
    answer = join(exchange, GUEST, GUARDED)
    assert answer["state"] == "waiting"
    assert "members" not in answer  # who is inside is not shown through the door
    exchange.settle()
    assert states(exchange, HOST)[-1] == (GUEST.device, "waiting")
    assert (GUEST.device, "waiting") not in states(exchange, ANN)
    with pytest.raises(Refused, match="Only a host"):
        exchange.board.rooms.admit("r1", ANN, GUEST.device)
    exchange.board.rooms.admit("r1", HOST, GUEST.device)
    exchange.settle()
    event = exchange.take(GUEST)[-1]
    assert event["type"] == "room-let-in"
    assert len(event["members"]) == 3
    assert states(exchange, ANN) == [(GUEST.device, "inside")]


def test_before_the_door_nothing_is_said_heard_or_signaled(exchange: Exchange) -> None:
    join(exchange, HOST, GUARDED)
    join(exchange, GUEST, GUARDED)
    for attempt in (
        lambda: exchange.board.rooms.say("r1", GUEST, "hello", 0.0, exchange.now),
        lambda: exchange.board.signal(GUEST, HOST.device, "x", call=None, room="r1"),
        lambda: exchange.board.signal(HOST, GUEST.device, "x", call=None, room="r1"),
    ):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "waiting"
    exchange.board.rooms.say("r1", HOST, "secret", 0.0, exchange.now)
    exchange.settle()
    assert exchange.take(GUEST) == []


def test_a_host_removes_refuses_asks_locks_and_ends(exchange: Exchange) -> None:
    join(exchange, HOST)
    join(exchange, ANN)
    join(exchange, BOB)
    rooms = exchange.board.rooms
    rooms.ask("r1", HOST, ANN.device, "mute")
    rooms.lock("r1", HOST, locked=True)
    exchange.settle()
    assert exchange.take(ANN)[-2:] == [
        {"type": "room-asked", "room": "r1", "what": "mute", "by": HOST.device},
        {"type": "room-locked", "room": "r1", "locked": True},
    ]
    with pytest.raises(Refused) as caught:
        join(exchange, GUEST)
    assert caught.value.code == "room-locked"
    rooms.remove("r1", HOST, ANN.device)
    exchange.settle()
    assert exchange.take(ANN)[-1] == {"type": "room-closed", "room": "r1", "reason": "removed"}
    rooms.end("r1", HOST)
    exchange.settle()
    assert exchange.take(BOB)[-1] == {"type": "room-closed", "room": "r1", "reason": "ended"}
    assert exchange.effects == [RoomChanged("r1", locked=True), RoomEnded("r1")]
    assert not rooms.is_open("r1")


def test_whoever_is_refused_at_the_door_is_told_so(exchange: Exchange) -> None:
    join(exchange, HOST, GUARDED)
    join(exchange, GUEST, GUARDED)
    exchange.board.rooms.remove("r1", HOST, GUEST.device)
    exchange.settle()
    assert exchange.take(GUEST)[-1] == {"type": "room-closed", "room": "r1", "reason": "refused"}


@pytest.mark.parametrize("who", [ANN, GUEST], ids=["member", "guest"])
def test_nobody_but_a_host_has_a_hosts_rights(exchange: Exchange, who: Any) -> None:
    join(exchange, HOST)
    join(exchange, who)
    rooms = exchange.board.rooms
    for attempt in (
        lambda: rooms.remove("r1", who, HOST.device),
        lambda: rooms.ask("r1", who, HOST.device, "mute"),
        lambda: rooms.lock("r1", who, locked=True),
        lambda: rooms.end("r1", who),
    ):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "not-host"
    with pytest.raises(Refused) as caught:
        rooms.say("r1", BOB, "from outside", 0.0, exchange.now)
    assert caught.value.code == "no-such-room"


def test_a_guest_who_calls_himself_host_is_none(exchange: Exchange) -> None:
    nameless = RoomRecord("r2", "x", "guest", waiting=True, keep_chat=0.0)
    assert join(exchange, GUEST, nameless, label="host")["host"] is False


def test_chat_reaches_all_inside_the_writer_too_and_is_kept_when_the_room_says_so(exchange: Exchange) -> None:
    join(exchange, HOST, GUARDED)
    line = exchange.board.rooms.say("r1", HOST, "<b>hello</b>", 1_700_000_000.0, exchange.now)
    exchange.settle()
    assert exchange.take(HOST)[-1]["text"] == "<b>hello</b>"
    assert exchange.effects == [Said("r1", line, 86_400.0)]
    assert line == Line(1, HOST.device, HOST.label, "<b>hello</b>", 1_700_000_000.0)


def test_chat_that_was_kept_is_read_by_whoever_comes_later_and_numbers_go_on(exchange: Exchange) -> None:
    kept = [Line(7, "old", "Old", "earlier", 0.0)]
    answer = exchange.board.rooms.join(OPEN, kept, ANN, "Ann", exchange.now)
    assert answer["chat"] == [kept[0]._asdict()]
    assert exchange.board.rooms.say("r1", ANN, "now", 1.0, exchange.now).n == 8
    assert exchange.effects == []  # this room keeps nothing


def test_lines_have_a_rate_and_a_room_remembers_only_so_many() -> None:
    exchange = Exchange(CallsConfig(chat=Rate(5, 1.0), chat_kept=3))
    exchange.come(ANN)
    join(exchange, ANN)
    for number in range(5):
        exchange.board.rooms.say("r1", ANN, f"{number}", 0.0, exchange.now)
    with pytest.raises(Refused) as caught:
        exchange.board.rooms.say("r1", ANN, "more", 0.0, exchange.now)
    assert (caught.value.code, caught.value.wait) == ("too-fast", 1.0)
    assert [line["text"] for line in join(exchange, ANN)["chat"]] == ["2", "3", "4"]


def test_ten_thousand_guests_find_a_full_room_and_those_inside_stay() -> None:
    exchange = Exchange(CallsConfig(members=20, waiting=10))
    exchange.come(HOST)
    join(exchange, HOST, GUARDED)
    codes = []
    for number in range(10_000):
        try:
            exchange.board.rooms.join(GUARDED, [], party(None, f"{number}"), "guest", exchange.now)
        except Refused as error:
            codes.append(error.code)
    exchange.settle()
    assert codes == ["room-full"] * 9_990
    assert len(states(exchange, HOST)) == 10


def test_somebody_whose_connection_breaks_is_shown_as_away_and_then_as_left(exchange: Exchange) -> None:
    join(exchange, ANN)
    join(exchange, BOB)
    bob = exchange.board.sessions.find(BOB.device)
    assert bob is not None
    exchange.take(ANN)
    exchange.drop(bob)
    exchange.resume(bob, 0)
    exchange.drop(bob)
    exchange.run(61.0)
    assert states(exchange, ANN) == [
        (BOB.device, "away"),
        (BOB.device, "inside"),
        (BOB.device, "away"),
        (BOB.device, "left"),
    ]


def test_a_room_that_everybody_left_is_forgotten(exchange: Exchange) -> None:
    join(exchange, ANN)
    exchange.board.rooms.leave("r1", ANN)
    assert len(exchange.board.rooms) == 0
    assert exchange.board.rooms._of == {}


def test_a_new_name_is_shown_to_the_others(exchange: Exchange) -> None:
    join(exchange, ANN)
    join(exchange, BOB)
    exchange.board.rooms.rename("r1", BOB, "Robert", exchange.now)
    exchange.settle()
    assert exchange.take(ANN)[-1]["who"]["label"] == "Robert"


def test_whoever_comes_and_goes_all_the_time_does_not_drown_the_others() -> None:
    exchange = Exchange(CallsConfig(moves=Rate(4, 1.0), moves_of_room=Rate(6, 1.0)))
    exchange.come(HOST)
    join(exchange, HOST)
    refused = []
    for each in (ANN, BOB):
        exchange.come(each)
        for _ in range(5):
            try:
                join(exchange, each)
                exchange.board.rooms.rename("r1", each, "again", exchange.now)
            except Refused as error:
                refused.append((error.code, error.wait))
    exchange.settle()
    assert len(states(exchange, HOST)) == 5
    assert set(refused) == {("too-fast", 1.0)}
    exchange.now += 1.0
    join(exchange, BOB)


def test_there_are_only_so_many_rooms() -> None:
    exchange = Exchange(CallsConfig(rooms=1))
    join(exchange, ANN)
    with pytest.raises(Refused) as caught:
        join(exchange, BOB, RoomRecord("r2", "x", "host", waiting=False, keep_chat=0.0))
    assert caught.value.code == "full"
