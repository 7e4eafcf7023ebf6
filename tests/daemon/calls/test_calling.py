"""Calls over real web sockets: everything a person sees when they ring, answer, decline, break off and come back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.daemon.calls.caller import Caller, CallError, eventually, people
from zwerm.calls.identity import fingerprint_statement, verify
from zwerm.calls.limits import CallsConfig, Rate


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


async def in_a_call(ann: Caller, bob: Caller) -> str:
    call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
    await bob.event("ringing")
    await bob.ask("answer", call=call)
    await ann.event("answered")
    return str(call)


async def test_two_people_ring_answer_exchange_descriptions_and_hang_up(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio", "video"]))["call"]
        ringing = await bob.event("ringing")
        assert (ringing["call"], ringing["from"]["name"], ringing["media"]) == (call, "ann", ["audio", "video"])
        answer = await bob.ask("answer", call=call)
        answered = await ann.event("answered")
        assert answer["from"]["device"] == ann.endpoint
        assert answered["by"]["device"] == bob.endpoint

        statement = fingerprint_statement(call, ann.endpoint, bob.endpoint, ["sha-256 AA:BB"])
        await ann.ask("signal", call=call, to=bob.endpoint, data=f"v=0 {ann.sign(statement)}")
        signal = await bob.event("signal")
        assert verify(answer["from"]["key"], signal["data"].split()[1], statement)  # whom the service names, signed it
        assert not verify(answered["by"]["key"], signal["data"].split()[1], statement)

        await bob.ask("hang-up", call=call)
        assert (await ann.event("ended"))["reason"] == "hung-up"
        (mine,), (theirs,) = (await ann.ask("history"))["calls"], (await bob.ask("history"))["calls"]
        assert (mine["with"], mine["out"], mine["missed"]) == ("bob", True, False)
        assert (theirs["with"], theirs["out"], theirs["reason"]) == ("ann", False, "hung-up")


async def test_all_devices_ring_and_exactly_one_of_two_answers_wins(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        phone = await everybody.device_of(bob)
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing")
        await phone.event("ringing")
        answers = await asyncio.gather(
            bob.ask("answer", call=call), phone.ask("answer", call=call), return_exceptions=True
        )
        won, lost = (bob, phone) if not isinstance(answers[0], BaseException) else (phone, bob)
        (refusal,) = [each for each in answers if isinstance(each, CallError)]
        assert refusal.code == "answered-elsewhere"
        assert (await ann.event("answered"))["by"]["device"] == won.endpoint
        assert (await lost.event("ended"))["reason"] == "answered-elsewhere"


async def test_two_who_ring_each_other_at_once_are_in_one_call(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        first, second = await asyncio.gather(
            ann.ask("ring", to="bob", media=["audio"]), bob.ask("ring", to="ann", media=["audio"])
        )
        assert first["call"] == second["call"]
        assert {first["state"], second["state"]} == {"ringing", "answered"}
        caller, callee = (ann, bob) if first["state"] == "ringing" else (bob, ann)
        assert (await caller.event("answered"))["by"]["device"] == callee.endpoint
        assert len((await ann.ask("history"))["calls"]) in (1, 2)  # the ring that lost may be there, as cancelled


async def test_declined_busy_cancelled_and_missed_are_told_and_kept(store: Path) -> None:
    async with people(store, CallsConfig(ring=0.3, rings_at=Rate(10, 1.0))) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")

        async def ring() -> str:
            call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
            await bob.event("ringing", call=call)
            return str(call)

        await bob.ask("decline", call=await ring())
        assert (await ann.event("ended"))["reason"] == "declined"
        await bob.ask("decline", call=await ring(), reason="busy")
        assert (await ann.event("ended"))["reason"] == "busy"
        await ann.ask("cancel", call=await ring())
        assert (await bob.event("ended", reason="cancelled"))["type"] == "ended"
        await ring()
        assert (await ann.event("ended"))["reason"] == "no-answer"
        calls = (await bob.ask("history"))["calls"]
        assert [(each["reason"], each["missed"]) for each in calls] == [
            ("no-answer", True),
            ("cancelled", True),
            ("busy", True),
            ("declined", False),
        ]
        assert (await bob.ask("me"))["missed"] == 3
        await bob.ask("history-seen")
        assert (await bob.ask("me"))["missed"] == 0


async def test_a_connection_that_breaks_in_a_call_is_taken_up_again_without_loss_or_doubling(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = await in_a_call(ann, bob)
        for number in range(40):
            if number % 10 == 5:
                await bob.drop()
            await ann.ask("signal", call=call, to=bob.endpoint, data=f"candidate {number}")
            if number % 10 == 8:
                await bob.connect()
                assert (await bob.hello(resume=True))["resumed"] is True
        await bob.event("signal", data="candidate 39")
        heard = [event["data"] for event in bob.all if event["type"] == "signal"]
        assert heard == [f"candidate {number}" for number in range(40)]


async def test_a_request_whose_answer_was_lost_is_sent_again_and_done_once(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        first = await ann.ask_as(7, "ring", to="bob", media=["audio"])
        await ann.drop()
        await ann.connect()
        assert (await ann.hello(resume=True))["heard"] == 7
        assert await ann.ask_as(7, "ring", to="bob", media=["audio"]) == first
        await bob.event("ringing")
        assert len((await bob.ask("history"))["calls"]) == 1


async def test_whoever_comes_back_before_the_old_connection_is_dead_has_their_name_at_once(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        old = bob._socket
        await bob.connect()
        assert (await bob.hello(resume=True))["resumed"] is True
        assert old is not None
        await ann.ask("ring", to="bob", media=["audio"])
        await bob.event("ringing")
        assert len(everybody.server.service.board.sessions.of("bob")) == 1


async def test_a_dead_connection_is_found_and_those_who_watch_hear_of_it(store: Path) -> None:
    async with people(store, CallsConfig(ping_after=0.5, dead_after=3)) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        assert (await ann.ask("watch", names=["bob", "nobody"]))["states"] == {"bob": "available", "nobody": "offline"}
        await bob.ask("presence", state="busy")
        assert (await ann.event("presence"))["state"] == "busy"
        await bob.finish_without_closing()
        assert (await ann.event("presence"))["state"] == "offline"


async def test_names_that_nobody_has_and_ones_own_cannot_be_rung(store: Path) -> None:
    async with people(store) as everybody:
        ann = await everybody.user("ann")
        for to, code in (("nobody", "no-such-name"), ("ann", "yourself")):
            with pytest.raises(CallError) as caught:
                await ann.ask("ring", to=to, media=[])
            assert caught.value.code == code


async def test_somebody_who_is_away_and_cannot_be_fetched_has_missed_the_call(store: Path) -> None:
    async with people(store, CallsConfig(linger=0.05)) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        await ann.ask("watch", names=["bob"])
        await bob.drop()
        await ann.event("presence", state="offline")
        await eventually(lambda: not everybody.server.service.board.sessions.of("bob"))
        assert (await ann.ask("ring", to="bob", media=[]))["state"] == "ended"
        assert (await ann.event("ended"))["reason"] == "unavailable"
        await bob.connect()
        await bob.hello()
        assert (await bob.ask("me"))["missed"] == 1


async def test_blocked_callers_strangers_and_do_not_disturb_reach_nobody(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")

        async def attempt() -> str:
            with pytest.raises(CallError) as caught:
                await ann.ask("ring", to="bob", media=["audio"])
            return str(caught.value.code)

        await bob.ask("contact", name="ann", kind="blocked")
        assert await attempt() == "unavailable"
        await bob.ask("contact", name="ann", kind="none")
        await bob.ask("settings", callers="contacts")
        assert await attempt() == "unavailable"
        assert (await ann.ask("watch", names=["bob"]))["states"] == {"bob": "offline"}
        await bob.ask("contact", name="ann", kind="contact")
        await bob.ask("settings", disturb=False)
        assert await attempt() == "unavailable"
        assert [each["type"] for each in bob.all if each["type"] == "ringing"] == []
        (missed,) = (await bob.ask("history"))["calls"]  # only the call of a friend is shown as missed
        assert (missed["with"], missed["missed"]) == ("ann", True)
        await bob.ask("settings", disturb=True)
        await ann.ask("ring", to="bob", media=["audio"])
        await bob.event("ringing")


async def test_rings_have_a_rate_and_the_refusal_says_when(store: Path) -> None:
    async with people(store, CallsConfig(rings_at=Rate(2, 0.01))) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        for _ in range(2):
            call = (await ann.ask("ring", to="bob", media=[]))["call"]
            await ann.ask("cancel", call=call)
        with pytest.raises(CallError) as caught:
            await ann.ask("ring", to="bob", media=[])
        assert caught.value.code == "too-fast"
        assert caught.value.wait == pytest.approx(100.0, abs=10.0)
        assert bob.name == "bob"


async def test_a_relay_hands_out_credentials_for_whoever_asks(store: Path) -> None:
    def relay(user: str) -> list[dict[str, object]]:
        return [{"urls": ["turn:192.0.2.1"], "username": f"1:{user}", "credential": "secret"}]

    async with people(store, relay=relay) as everybody:
        ann = await everybody.user("ann")
        assert (await ann.ask("relay"))["iceServers"][0]["username"] == "1:ann"
    async with people(store) as everybody:
        assert (await (await everybody.user("bob")).ask("relay")) == {"iceServers": []}


async def test_a_service_that_stops_says_so_and_calls_it_had_are_ended_in_the_list(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        await in_a_call(ann, bob)
        await everybody.server.service.close()
        assert await ann.closed() == "stopping"
        device, private, key = bob.device, bob.private, bob.key
    async with people(store) as everybody:
        again = await everybody.stranger()
        again.device, again.private, again.key = device, private, key
        assert (await again.hello())["name"] == "bob"  # the device is known after a restart
        (call,) = (await again.ask("history"))["calls"]
        assert (call["reason"], call["missed"]) == ("lost", False)
