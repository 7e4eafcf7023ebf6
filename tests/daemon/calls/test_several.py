"""Two processes' worth of the service over a real Redis or NATS: users of one ring those of the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.daemon.calls.buses import BusServer, bus_server
from tests.daemon.calls.caller import Caller, CallError, People, eventually, people
from tests.daemon.calls.postgres import postgres
from zwerm.calls.bus.aio import open_bus

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["redis", "nats"])
def bus(request: pytest.FixtureRequest) -> Iterator[BusServer]:
    with bus_server(request.param) as server:
        yield server


@contextlib.asynccontextmanager
async def two(path: Path | str, bus: BusServer) -> AsyncIterator[tuple[People, People]]:
    """Two services on one store that know each other."""
    url = path if "://" in str(path) else path / "calls.sqlite"  # type: ignore[operator]
    async with people(url, bus=open_bus(bus.url)) as here, people(url, bus=open_bus(bus.url)) as there:
        await eventually(lambda: all(len(each.server.service.several.processes) == 2 for each in (here, there)))
        yield here, there


async def known(everybody: People, name: str, count: int = 1) -> None:
    """Wait until a service knows of so many pages of somebody."""
    await eventually(lambda: len(everybody.server.service.board.reached(name)) == count)


async def ring(caller: Caller, callee: Caller) -> str:
    call = str((await caller.ask("ring", to=callee.name, media=["audio"]))["call"])
    await callee.event("ringing", call=call)
    return call


async def test_users_of_two_processes_ring_each_other_and_talk(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as (here, there):
        ann, bob = await here.user("ann"), await there.user("bob")
        phone = await here.device_of(bob)
        await known(here, "bob", 2)
        call = await ring(ann, bob)
        await phone.event("ringing", call=call)
        answered = await bob.ask("answer", call=call)
        assert answered["from"]["device"] == ann.endpoint
        assert (await ann.event("answered", call=call))["by"]["device"] == bob.endpoint
        assert (await phone.event("ended", call=call))["reason"] == "answered-elsewhere"
        await bob.ask("signal", to=ann.endpoint, call=call, data="offer")
        assert (await ann.event("signal"))["data"] == "offer"
        await ann.ask("signal", to=bob.endpoint, call=call, data="answer")
        assert (await bob.event("signal"))["data"] == "answer"
        await bob.ask("hang-up", call=call)
        assert (await ann.event("ended", call=call))["reason"] == "hung-up"
        with pytest.raises(CallError) as caught:
            await bob.ask("hang-up", call=call)
        assert caught.value.code == "no-such-call"


async def test_presence_settings_and_signing_out_reach_the_other_process(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as (here, there):
        ann, bob = await here.user("ann"), await there.user("bob")
        await known(here, "bob")
        assert (await ann.ask("watch", names=["bob", "nobody"]))["states"]["bob"] == "available"
        await bob.ask("presence", state="busy")
        await ann.event("presence", name="bob", state="busy")
        await bob.close()
        await ann.event("presence", name="bob", state="offline")
        await bob.connect()
        await bob.hello(resume=True)
        await ann.event("presence", name="bob", state="busy")
        other = await here.device_of(bob)
        await known(there, "bob", 2)
        await other.ask("settings", disturb=False)
        await bob.event("account", what="settings")
        with pytest.raises(CallError) as caught:
            await ann.ask("ring", to="bob", media=["audio"])
        assert caught.value.code == "unavailable"
        await other.ask("device-remove", device=bob.device)
        assert await bob.closed() == "signed-out"


async def test_a_session_goes_on_at_the_other_process_and_its_call_with_it(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as (here, there):
        ann, bob = await here.user("ann"), await here.user("bob")
        await ann.ask("watch", names=["bob"])
        call = await ring(ann, bob)
        await ann.event("progress", call=call)
        await ann.drop()
        await bob.ask("answer", call=call)
        ann.server = there.server
        await ann.connect()
        before = ann.endpoint
        ready = await ann.hello(resume=True)
        assert (ready["resumed"], ready["endpoint"]) == (True, before)
        assert (await ann.event("answered", call=call))["by"]["device"] == bob.endpoint
        await bob.ask("signal", to=before, call=call, data="offer")
        assert (await ann.event("signal"))["data"] == "offer"
        await bob.ask("presence", state="away")
        await ann.event("presence", name="bob", state="away")
        await ann.ask("hang-up", call=call)
        await bob.event("ended", call=call)
        ann.server = here.server
        await ann.drop()
        await ann.connect()
        assert (await ann.hello(resume=True))["resumed"]


async def test_nobody_takes_over_the_session_of_another_device(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as (here, there):
        ann, eve = await here.user("ann"), await there.user("eve")
        stolen = await there.stranger()
        stolen.device, stolen.private = eve.device, eve.private
        stolen.ready = ann.ready
        ready = await stolen.hello(resume=True)
        assert not ready["resumed"]
        assert ready["name"] == "eve"
        await ann.ask("me")


async def test_a_room_is_one_room_on_both_processes(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as (here, there):
        ann = await here.user("ann")
        room = await ann.ask("room-open", title="Friday", waiting=True)
        await ann.ask("room-join", link=room["link"], label="Ann")
        guest = await there.stranger()
        await guest.come_as_guest(room["link"])
        assert (await guest.ask("room-join", link=room["link"], label="Gus"))["state"] == "waiting"
        knocking = await ann.event("room-member")
        assert (knocking["who"]["label"], knocking["who"]["state"]) == ("Gus", "waiting")
        with pytest.raises(CallError) as caught:
            await guest.ask("room-say", room=room["room"], text="let me in")
        assert caught.value.code == "waiting"
        await ann.ask("room-admit", room=room["room"], member=guest.endpoint)
        assert [each["label"] for each in (await guest.event("room-let-in"))["members"]] == ["Ann", "Gus"]
        await guest.ask("room-say", room=room["room"], text="hello")
        assert (await ann.event("room-said"))["text"] == "hello"
        await ann.ask("signal", to=guest.endpoint, room=room["room"], data="offer")
        assert (await guest.event("signal"))["data"] == "offer"
        await guest.ask("signal", to=ann.endpoint, room=room["room"], data="answer")
        await ann.event("signal")
        with pytest.raises(CallError) as caught:
            await guest.ask("room-lock", room=room["room"], locked=True)
        assert caught.value.code == "not-host"
        await ann.ask("room-end", room=room["room"])
        assert (await guest.event("room-closed"))["reason"] == "ended"


async def test_who_rings_a_ringing_caller_answers_them_and_of_two_answers_one_wins(
    tmp_path: Path, bus: BusServer
) -> None:
    async with two(tmp_path, bus) as (here, there):
        ann, bob = await here.user("ann"), await there.user("bob")
        await known(here, "bob")
        await known(there, "ann")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        crossed = await bob.ask("ring", to="ann", media=["audio"])
        assert (crossed["call"], crossed["state"], crossed["by"]["name"]) == (call, "answered", "ann")
        await ann.event("answered", call=call)
        await ann.ask("hang-up", call=call)
        phone = await here.device_of(bob)
        await known(there, "bob", 2)
        call = await ring(ann, bob)
        await phone.event("ringing", call=call)
        answers = await asyncio.gather(
            bob.ask("answer", call=call), phone.ask("answer", call=call), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in answers) == ["CallError", "dict"]
        (refused,) = [each for each in answers if isinstance(each, CallError)]
        assert refused.code == "answered-elsewhere"


async def test_a_bus_that_goes_away_and_comes_back_loses_no_ring(tmp_path: Path, bus: BusServer) -> None:
    async with two(tmp_path, bus) as (here, there):
        ann, bob, cid = await here.user("ann"), await there.user("bob"), await here.user("cid")
        await known(here, "bob")
        await asyncio.to_thread(bus.stop)
        try:
            call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
            await ring(ann, cid)
        finally:
            await asyncio.to_thread(bus.start)
        await bob.event("ringing", call=call)
        await bob.ask("answer", call=call)
        await ann.event("answered", call=call)


async def test_postgresql_is_shared_as_well(bus: BusServer) -> None:
    with postgres() as store:
        async with two(store.url, bus) as (here, there):
            ann, bob = await here.user("ann"), await there.user("bob")
            await known(here, "bob")
            call = await ring(ann, bob)
            await bob.ask("answer", call=call)
            await ann.event("answered", call=call)
