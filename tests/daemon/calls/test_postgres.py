"""The same service on PostgreSQL: nothing a person does is different, and a server that goes away comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.daemon.calls.caller import CallError, people
from tests.daemon.calls.postgres import Postgres, postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as started:
        yield started


@pytest.mark.slow
async def test_everything_that_is_kept_is_kept_there(server: Postgres) -> None:
    async with people(server.url) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        phone = await everybody.device_of(bob)
        await bob.ask("contact", name="ann", kind="contact")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await phone.event("ringing")
        await phone.ask("answer", call=call)
        await ann.event("answered")
        await ann.ask("hang-up", call=call)
        await phone.event("ended")
        room = await ann.ask("room-open", title="Vrijdag 🎈", waiting=False, keep_chat=3600)
        await ann.ask("room-join", link=room["link"], label="Ann")
        await ann.ask("room-say", room=room["room"], text="één")
        guest = await everybody.stranger()
        await guest.come_as_guest(room["link"])
        answers = await asyncio.gather(
            *(ann.ask("contact", name=name, kind="contact") for name in ("bob", "nobody", "bob")),
            return_exceptions=True,
        )
        assert [type(each) for each in answers] == [dict, CallError, dict]
    async with people(server.url) as everybody:
        again = await everybody.stranger()
        again.device, again.private = ann.device, ann.private
        await again.hello()
        (kept,) = (await again.ask("history"))["calls"]
        assert (kept["call"], kept["reason"]) == (call, "hung-up")
        joined = await again.ask("room-join", link=room["link"], label="Ann")
        assert [line["text"] for line in joined["chat"]] == ["één"]
        assert (await again.ask("export"))["account"]["name"] == "ann"
        await again.ask("delete-account", name="ann")
        eve = await everybody.stranger()
        with pytest.raises(CallError) as caught:
            await eve.ask("register", name="ann", key=eve.key, label="Eve")
        assert caught.value.code == "name-taken"


@pytest.mark.slow
async def test_a_server_that_is_killed_is_said_and_used_again_when_it_is_back(server: Postgres) -> None:
    async with people(server.url) as everybody:
        zoe, max_ = await everybody.user("zoe"), await everybody.user("max")
        await asyncio.to_thread(server.stop)
        with pytest.raises(CallError) as caught:
            await zoe.ask("ring", to="max", media=["audio"])
        assert caught.value.code == "try-again"
        assert max_.events == []
        await asyncio.to_thread(server.start)
        await zoe.ask("ring", to="max", media=["audio"])
        await max_.event("ringing")
        assert len((await zoe.ask("history"))["calls"]) == 1
