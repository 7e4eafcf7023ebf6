"""Accounts, devices and rooms over real web sockets, and those who try to be somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.calls.caller import GREETING, CallError, people
from zwerm.calls.identity import encode, greeting
from zwerm.calls.limits import CallsConfig, Rate
from zwerm.calls.service.aio import ServiceOptions


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


async def test_a_name_belongs_to_whoever_took_it_first(store: Path) -> None:
    async with people(store) as everybody:
        await everybody.user("ann")
        eve = await everybody.stranger()
        with pytest.raises(CallError) as caught:
            await eve.ask("register", name="ann", key=eve.key, label="Eve")
        assert caught.value.code == "name-taken"


async def test_where_registration_is_closed_strangers_make_no_accounts(store: Path) -> None:
    async with people(store, options=ServiceOptions(registration=False)) as everybody:
        eve = await everybody.stranger()
        with pytest.raises(CallError) as caught:
            await eve.ask("register", name="eve", key=eve.key, label="Eve")
        assert caught.value.code == "closed"


async def test_a_device_proves_who_it_is_to_this_service_now_and_to_nobody_else(store: Path) -> None:
    async with people(store) as everybody:
        ann = await everybody.user("ann")
        eve = await everybody.stranger()
        nonce, where = eve.welcome["nonce"], everybody.server.where
        old = ann.sign(greeting(where, ann.welcome["nonce"], ann.device))
        elsewhere = ann.sign(greeting("evil.example", nonce, ann.device))
        own = eve.sign(greeting(where, nonce, ann.device))
        other = ann.sign(greeting(where, nonce, "d_other"))
        for signature in (old, elsewhere, own, other, encode(bytes(64))):
            with pytest.raises(CallError) as caught:
                await eve.ask("hello", device=ann.device, signature=signature)
            assert caught.value.code == "not-known"
        for kind in ("me", "export", "rooms", "history", "relay", "device-link"):
            with pytest.raises(CallError) as caught:
                await eve.ask(kind)
            assert caught.value.code == "sign-in"


async def test_the_secret_of_a_session_is_worth_nothing_without_the_key(store: Path) -> None:
    async with people(store) as everybody:
        ann, eve = await everybody.user("ann"), await everybody.user("eve")
        thief = await everybody.stranger()
        thief.device, thief.private, thief.ready = eve.device, eve.private, dict(ann.ready)
        ready = await thief.hello(resume=True)
        assert ready["resumed"] is False
        assert ready["name"] == "eve"
        assert await ann.ask("me")  # hers goes on


async def test_a_device_that_is_signed_out_is_out_at_once_and_stays_out(store: Path) -> None:
    async with people(store) as everybody:
        ann = await everybody.user("ann")
        phone = await everybody.device_of(ann)
        await ann.ask("device-remove", device=phone.device)
        assert await phone.closed() == "signed-out"
        await phone.connect()
        with pytest.raises(CallError) as caught:
            await phone.hello()
        assert caught.value.code == "not-known"
        with pytest.raises(CallError) as caught:
            await ann.ask("device-remove", device="d_nobody")
        assert caught.value.code == "no-such-device"


async def test_everything_about_oneself_can_be_had_and_deleted_and_the_name_is_nobodys_then(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        await ann.ask("contact", name="bob", kind="contact")
        await bob.ask("contact", name="ann", kind="contact")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await ann.ask("cancel", call=call)
        room = await ann.ask("room-open", title="Friday", waiting=False, keep_chat=3600)
        await ann.ask("room-join", link=room["link"], label="Ann")
        await ann.ask("room-say", room=room["room"], text="hello")
        mine = await ann.ask("export")
        assert mine["account"]["name"] == "ann"
        assert [each["id"] for each in mine["devices"]] == [ann.device]
        assert mine["contacts"] == [{"other": "bob", "kind": "contact"}]
        assert [each["id"] for each in mine["calls"]] == [call]
        with pytest.raises(CallError):
            await ann.ask("delete-account", name="bob")
        await ann.ask("delete-account", name="ann")
        assert await ann.closed() == "signed-out"
        assert (await bob.ask("history"))["calls"] == []
        assert (await bob.ask("me"))["contacts"] == {}
        eve = await everybody.stranger()
        with pytest.raises(CallError) as caught:
            await eve.ask("register", name="ann", key=eve.key, label="Eve")
        assert caught.value.code == "name-taken"


async def test_links_cannot_be_guessed_and_guessing_ends_soon(store: Path) -> None:
    async with people(store, CallsConfig(guesses=Rate(3, 0.001), strangers=Rate(100, 1.0))) as everybody:
        eve = await everybody.stranger()
        codes = []
        for number in range(5):
            with pytest.raises(CallError) as caught:
                await eve.ask("redeem", token=f"{number}" * 43, key=eve.key, label="Eve")
            codes.append(caught.value.code)
        assert codes == ["bad-link"] * 3 + ["too-many-guesses"] * 2
        with pytest.raises(CallError) as caught:  # rooms count too
            await eve.come_as_guest("g" * 32)
        assert caught.value.code == "too-many-guesses"


async def test_guests_come_by_link_wait_talk_and_have_no_other_rights(store: Path) -> None:
    async with people(store) as everybody:
        host = await everybody.user("host")
        room = await host.ask("room-open", title="Friday", waiting=True)
        await host.ask("room-join", link=room["link"], label="Host")
        guest = await everybody.stranger("Guest")
        ready = await guest.come_as_guest(room["link"])
        assert ready["name"] is None
        joined = await guest.ask("room-join", link=room["link"], label="<img src=x onerror=alert(1)>")
        assert joined["state"] == "waiting"
        knock = await host.event("room-member")
        assert knock["who"]["label"] == "<img src=x onerror=alert(1)>"  # text, which pages show as text
        await host.ask("room-admit", room=room["room"], member=guest.endpoint)
        assert len((await guest.event("room-let-in"))["members"]) == 2
        await guest.ask("signal", room=room["room"], to=host.endpoint, data="offer")
        assert (await host.event("signal"))["from"] == guest.endpoint
        await guest.ask("room-say", room=room["room"], text="hello")
        assert (await host.event("room-said"))["text"] == "hello"
        for kind, fields in (
            ("ring", {"to": "host", "media": []}),
            ("me", {}),
            ("export", {}),
            ("room-open", {"title": "x", "waiting": False}),
            ("watch", {"names": ["host"]}),
            ("history", {}),
        ):
            with pytest.raises(CallError) as caught:
                await guest.ask(kind, **fields)
            assert caught.value.code == "sign-in"
        await host.ask("room-end", room=room["room"])
        assert (await guest.event("room-closed"))["reason"] == "ended"
        with pytest.raises(CallError) as caught:
            await guest.ask("room-join", link=room["link"], label="Guest")
        assert caught.value.code == "bad-link"


async def test_chat_that_a_room_keeps_is_there_after_a_restart_and_a_lock_too(store: Path) -> None:
    async with people(store) as everybody:
        host = await everybody.user("host")
        room = await host.ask("room-open", title="Friday", waiting=False, keep_chat=3600)
        await host.ask("room-join", link=room["link"], label="Host")
        for text in ("one", "two"):
            await host.ask("room-say", room=room["room"], text=text)
        await host.ask("room-lock", room=room["room"], locked=True)
    async with people(store) as everybody:
        again = await everybody.stranger()
        again.device, again.private = host.device, host.private
        await again.hello()
        joined = await again.ask("room-join", link=room["link"], label="Host")
        assert [line["text"] for line in joined["chat"]] == ["one", "two"]
        assert joined["locked"] is True
        guest = await everybody.stranger()
        await guest.come_as_guest(room["link"])
        with pytest.raises(CallError) as caught:
            await guest.ask("room-join", link=room["link"], label="Guest")
        assert caught.value.code == "room-locked"


async def test_clocks_that_are_off_by_a_day_break_no_call(store: Path) -> None:
    shift = [0.0]

    def wall() -> float:
        return 1_800_000_000.0 + shift[0]

    async with people(store, wall=wall) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        for shift[0] in (86_400.0, -86_400.0):
            call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
            await bob.event("ringing", call=call)
            await bob.ask("answer", call=call)
            await ann.event("answered")
            await ann.ask("hang-up", call=call)
            await bob.event("ended")
        phone = await everybody.device_of(bob)
        assert phone.name == "bob"


async def test_a_greeting_twice_on_one_connection_is_refused(store: Path) -> None:
    async with people(store) as everybody:
        ann = await everybody.user("ann")
        with pytest.raises(CallError) as caught:
            await ann.ask_as(GREETING + 1, "hello", device=ann.device, signature="s" * 86)
        assert caught.value.code == "signed-in"
