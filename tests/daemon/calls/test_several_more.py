"""Three processes' worth of the service; PostgreSQL, blocked callers, TLS to the bus, and work a dead one leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.calls.buses import BusServer, bus_server
from tests.daemon.calls.caller import CallError, People, eventually, people
from tests.daemon.calls.fetchers import mail_server, push_service
from tests.daemon.calls.postgres import postgres
from tests.daemon.calls.test_fetching import confirmed, go_away, mailer, pusher
from tests.daemon.tls.certificates import now, write_certificate
from zwerm.calls.bus.aio import open_bus
from zwerm.calls.service import fetching
from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.tls.authority import Authority

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def redis() -> Iterator[BusServer]:
    with bus_server("redis") as server:
        yield server


@contextlib.asynccontextmanager
async def several(count: int, store: Path | str, bus: str, **given: Any) -> AsyncIterator[list[People]]:
    """So many services on one store that know each other."""
    async with contextlib.AsyncExitStack() as stack:
        found = [await stack.enter_async_context(people(store, bus=open_bus(bus), **given)) for _ in range(count)]
        await eventually(lambda: all(len(each.server.service.several.processes) == count for each in found))
        yield found


async def known(everybody: People, name: str, count: int = 1) -> None:
    """Wait until a service knows of so many pages of somebody."""
    await eventually(lambda: len(everybody.server.service.board.reached(name)) == count)


async def kill(everybody: People) -> None:
    """Let a service do and say nothing any more, as one that was killed; not even goodbye."""
    service = everybody.server.service
    service._is_closed = True
    for task in (*service._tasks, *service.fetching._pending.values()):
        task.cancel()
    for timer in (service._timer, service.several._timer):
        if timer is not None:
            timer.cancel()
    service.several._bus = None
    await service.fetching.close()
    await service.database.close()


async def test_three_processes_are_one_service(tmp_path: Path, redis: BusServer) -> None:
    async with several(3, tmp_path / "calls.sqlite", redis.url) as (one, two, three):
        ann, bob, cid = await one.user("ann"), await two.user("bob"), await three.user("cid")
        phone = await three.device_of(bob)
        await known(one, "bob", 2)
        await known(two, "cid")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        await phone.event("ringing", call=call)
        await phone.ask("answer", call=call)
        assert (await ann.event("answered", call=call))["by"]["device"] == phone.endpoint
        assert (await bob.event("ended", call=call))["reason"] == "answered-elsewhere"
        room = await cid.ask("room-open", title="Friday", waiting=False)
        for each in (bob, ann, cid):  # it is at the process of the first
            await each.ask("room-join", link=room["link"], label=str(each.name))
        await ann.ask("room-say", room=room["room"], text="hello")
        for each in (bob, cid):
            assert (await each.event("room-said"))["text"] == "hello"
        await cid.ask("room-end", room=room["room"])
        for each in (ann, bob):
            assert (await each.event("room-closed"))["reason"] == "ended"


async def test_a_call_outlives_its_process_and_then_its_heir(tmp_path: Path, redis: BusServer) -> None:
    async with several(3, tmp_path / "calls.sqlite", redis.url) as (one, two, three):
        ann, bob = await one.user("ann"), await three.user("bob")
        await known(one, "bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        await kill(one)
        await eventually(lambda: len(three.server.service.several.processes) == 2)
        boards = {each: each.server.service.board for each in (two, three)}
        await eventually(lambda: any(call in board.calls._calls for board in boards.values()))
        (heir,) = [each for each, board in boards.items() if call in board.calls._calls]
        await known(three, "bob")
        ann.server = three.server
        await ann.connect()
        await ann.hello()
        await ann.event("progress", call=call)
        if heir is two:
            await kill(two)
            await eventually(lambda: call in boards[three].calls._calls)
            await eventually(lambda: not boards[three].calls._calls[call].is_orphan)
        await bob.ask("answer", call=call)
        await ann.event("answered", call=call)


async def test_who_left_a_room_or_was_put_out_is_not_brought_back_when_its_process_dies(
    tmp_path: Path, redis: BusServer
) -> None:
    async with several(2, tmp_path / "calls.sqlite", redis.url) as (here, there):
        ann = await here.user("ann")
        room = await ann.ask("room-open", title="Friday", waiting=False)
        await ann.ask("room-join", link=room["link"], label="ann")
        others = [await there.user(name) for name in ("bob", "cid", "dan")]
        for each in others:
            await each.ask("room-join", link=room["link"], label=str(each.name))
        bob, cid, dan = others
        await bob.ask("room-leave", room=room["room"])
        await ann.ask("room-remove", room=room["room"], member=cid.endpoint)
        assert (await cid.event("room-closed"))["reason"] == "removed"
        await kill(here)
        assert [each["label"] for each in (await dan.event("room-let-in"))["members"]] == ["dan"]
        await dan.ask("room-say", room=room["room"], text="alone")
        await dan.event("room-said")
        assert there.server.service.board.rooms._rooms[room["room"]].members.keys() == {dan.endpoint}


async def test_who_is_blocked_is_blocked_at_every_process(tmp_path: Path, redis: BusServer) -> None:
    async with several(2, tmp_path / "calls.sqlite", redis.url) as (here, there):
        ann, bob = await here.user("ann"), await there.user("bob")
        await known(here, "bob")
        assert (await ann.ask("watch", names=["bob"]))["states"]["bob"] == "available"
        await bob.ask("contact", name="ann", kind="blocked")
        with pytest.raises(CallError) as caught:
            await ann.ask("ring", to="bob", media=["audio"])
        assert caught.value.code == "unavailable"
        assert (await ann.ask("watch", names=["bob"]))["states"]["bob"] == "offline"
        await bob.ask("contact", name="ann", kind="contact")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        assert [event["type"] for event in bob.all if event["type"] == "ringing"] == ["ringing"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_two_who_ring_each_other_at_the_same_moment_are_in_one_call(
    tmp_path: Path, redis: BusServer, kind: str
) -> None:
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(postgres()).url if kind == "postgresql" else tmp_path / "calls.sqlite"
        async with several(2, store, redis.url) as (here, there):
            pairs = [(await here.user(f"a{n}"), await there.user(f"b{n}")) for n in range(8)]
            await known(here, "b7")
            await known(there, "a7")
            rings = [
                each.ask("ring", to=other.name, media=["audio"])
                for ann, bob in pairs
                for each, other in ((ann, bob), (bob, ann))
            ]
            answers = await asyncio.gather(*rings)
            for (ann, bob), first, second in zip(pairs, answers[::2], answers[1::2], strict=True):
                assert first["call"] == second["call"]
                assert {first["state"], second["state"]} == {"ringing", "answered"}
                caller, callee = (ann, bob) if first["state"] == "ringing" else (bob, ann)
                assert (await caller.event("answered"))["by"]["device"] == callee.endpoint


async def test_who_rings_back_at_once_after_a_call_rings(tmp_path: Path, redis: BusServer) -> None:
    """The end of the first is not written yet, so that it seems to cross the second."""
    async with several(2, tmp_path / "calls.sqlite", redis.url) as (here, there):
        ann, bob = await here.user("ann"), await there.user("bob")
        await known(here, "bob")
        await known(there, "ann")
        for _ in range(4):
            first = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
            await ann.ask("cancel", call=first)
            second = await bob.ask("ring", to="ann", media=["audio"])
            assert second["state"] == "ringing"
            await ann.event("ringing", call=second["call"])
            await bob.ask("cancel", call=second["call"])


@pytest.mark.parametrize("kind", ["mail", "push"])
async def test_what_a_killed_process_owed_is_sent_by_another(
    tmp_path: Path, redis: BusServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FIRST_PAUSE", {"mail": 0.2, "push": 0.2})
    async with mail_server() as mails, push_service() as pushes:
        given = {"mailer": mailer(mails)} | ({"pusher": pusher()} if kind == "push" else {})
        store = tmp_path / "calls.sqlite"
        async with people(store, bus=open_bus(redis.url), **given) as here:
            ann, bob = await confirmed(here, mails, "ann"), await confirmed(here, mails, "bob")
            if kind == "push":
                await bob.ask("push-subscribe", **pushes.browser("bob").fields())
            await go_away(bob, here)
            mails.answers, pushes.answers = ["451 not now"] * 1_000, [503] * 1_000
            given = {"mailer": mailer(mails)} | ({"pusher": pusher()} if kind == "push" else {})
            async with people(store, bus=open_bus(redis.url), **given) as there:
                await eventually(lambda: len(there.server.service.several.processes) == 2)
                call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
                await ann.event("progress", state="retrying")
                await kill(here)
                mails.answers, pushes.answers = [], []
                if kind == "mail":
                    assert (await mails.mail())["Subject"] == "ann wants to talk to you"
                else:
                    message, _ = await pushes.message()
                    assert message["call"] == call


@pytest.mark.parametrize("kind", ["redis", "nats"])
async def test_the_bus_is_reached_by_tls_and_a_stranger_in_its_place_is_not(tmp_path: Path, kind: str) -> None:
    authority, other = Authority.make("here", now()), Authority.make("there", now())
    certificate = write_certificate(tmp_path / "server", authority, "127.0.0.1")
    for name, each in (("right", authority), ("wrong", other)):
        (tmp_path / f"{name}.pem").write_bytes(each.pem)
    with bus_server(kind, certificate) as bus:
        right, wrong = f"{bus.url}?ca={tmp_path}/right.pem", f"{bus.url}?ca={tmp_path}/wrong.pem"
        assert right.startswith(("rediss://", "tls://"))
        async with several(2, tmp_path / "calls.sqlite", right) as (here, there):
            ann, bob = await here.user("ann"), await there.user("bob")
            await known(here, "bob")
            call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
            await bob.event("ringing", call=call)
        heard: list[bool] = []
        tried = asyncio.Event()

        def linked(*, is_linked: bool) -> None:
            heard.append(is_linked)
            tried.set()

        carrying = asyncio.create_task(open_bus(wrong).run("0badcafe", lambda _: None, linked, lambda: None))
        async with asyncio.timeout(20):
            await tried.wait()
        assert heard == [False]
        carrying.cancel()


def test_an_authority_is_for_tls_only() -> None:
    with pytest.raises(LocalProtocolError):
        open_bus("redis://127.0.0.1?ca=/x.pem")
