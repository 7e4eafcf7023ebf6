"""The service in trouble: its store locked, mail and push down, clocks that jump. What was promised is kept."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.daemon.calls.caller import Caller, CallError, eventually, people
from tests.daemon.calls.fetchers import mail_server, push_service
from tests.daemon.calls.test_fetching import confirmed, go_away, mailer, pusher, town
from zwerm.calls.limits import CallsConfig, Rate
from zwerm.calls.message import request_types
from zwerm.calls.schema import document
from zwerm.calls.service import fetching, ledger
from zwerm.calls.store.notices import waiting
from zwerm.daemon.calls.options import TurnCredentials
from zwerm.webrtc.turn.credentials import expiry_of


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FIRST_PAUSE", {"mail": 0.05, "push": 0.05})
    monkeypatch.setattr(ledger, "PAUSE", 0.05)


async def refusal(asked: Any) -> str:
    with pytest.raises(CallError) as caught:
        await asked
    return str(caught.value.code)


# The store is locked, by another program.


class Locker:
    """Another process that holds the file of the store."""

    def __init__(self, store: Path) -> None:
        script = (
            "import sqlite3, sys\n"
            f"held = sqlite3.connect({str(store)!r}, isolation_level=None)\n"
            "held.execute('BEGIN EXCLUSIVE'); print('held', flush=True)\n"
            "sys.stdin.readline(); held.execute('ROLLBACK')"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "held\n"

    def release(self) -> None:
        self._process.communicate("\n", timeout=20)


async def test_what_was_acknowledged_while_the_store_was_locked_is_written_when_it_is_free(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing")
        locker = await asyncio.to_thread(Locker, store)
        try:
            await bob.ask("answer", call=call)
            await ann.event("answered")
            await ann.ask("hang-up", call=call)
            await bob.event("ended")
            book = everybody.server.service.ledger
            assert len(book) == 2
            assert await refusal(bob.ask("ring", to="ann", media=["audio"])) == "try-again"
        finally:
            await asyncio.to_thread(locker.release)
        await eventually(lambda: not len(book))
        (kept,) = (await ann.ask("history"))["calls"]
        assert (kept["reason"], kept["missed"]) == ("hung-up", False)
        assert kept["answered"] is not None


async def test_the_end_of_a_room_is_acknowledged_when_it_is_written(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "PATIENCE", 0.1)
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        room = await ann.ask("room-open", title="Friday", waiting=False, keep_chat=60)
        for each in (ann, bob):
            await each.ask("room-join", link=room["link"], label="x")
        locker = await asyncio.to_thread(Locker, store)
        try:
            assert await refusal(ann.ask("room-say", room=room["room"], text="kept")) == "try-again"
            assert (await bob.event("room-said"))["text"] == "kept"
            assert await refusal(ann.ask("room-end", room=room["room"])) == "try-again"
            assert (await bob.event("room-closed"))["reason"] == "ended"
        finally:
            await asyncio.to_thread(locker.release)
        await eventually(lambda: not len(everybody.server.service.ledger))
        assert await refusal(bob.ask("room-join", link=room["link"], label="x")) == "bad-link"


async def test_more_than_the_ledger_holds_gives_up_the_oldest(store: Path) -> None:
    async with people(store) as everybody:
        book = ledger.Ledger(everybody.server.service.database, waiting=3)
        said: list[int] = []
        for number in range(5):
            book.put(lambda _, number: said.append(number), number)
        await book.written()
        assert said == [2, 3, 4]
        await book.close()


# Clocks that are a day off.


async def signed_in(caller: Caller, token: str) -> bool:
    with contextlib.suppress(CallError):
        await caller.redeem(token)
    return caller.name is not None


@pytest.mark.parametrize(("jump", "is_good"), [(0.0, True), (-30.0, True), (86_400.0, False), (-86_400.0, False)])
async def test_a_link_lasts_as_long_as_its_kind_by_no_clock_longer(store: Path, jump: float, is_good: bool) -> None:
    shift = [0.0]
    async with people(store, wall=lambda: 1_800_000_000.0 + shift[0]) as everybody:
        ann = await everybody.user("ann")
        token = (await ann.ask("device-link"))["token"]
        shift[0] = jump
        phone = await everybody.stranger()
        assert await signed_in(phone, token) is is_good
        await ann.ask("me")
        await ann.connect()
        assert (await ann.hello(resume=True))["resumed"]
        assert await signed_in(await everybody.stranger(), (await ann.ask("device-link"))["token"])


def test_no_message_of_a_client_carries_its_clock() -> None:
    definitions = document()["$defs"]
    timed = {
        (each["properties"]["type"]["const"], name)
        for each in definitions["request"]["oneOf"]
        for name, field in each["properties"].items()
        if field.get("$ref") == "#/$defs/time"
    }
    assert timed <= {("history", "before")}
    assert "ring" in request_types()


async def test_mails_and_relays_go_by_the_clock_there_is_now(store: Path) -> None:
    shift = [0.0]
    config = CallsConfig(mails_to=Rate(50, 1.0), mails_by=Rate(50, 1.0))

    def wall() -> float:
        return 1_800_000_000.0 + shift[0]

    relay = TurnCredentials(("turn:turn.test",), "secret", wall)
    async with town(store, config, wall=wall, relay=relay) as (everybody, mails, _):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await go_away(bob, everybody)
        for jump in (86_400.0, -86_400.0):
            shift[0] = -jump
            mails.answers = ["451 not now"]
            await ann.ask("ring", to="bob", media=["audio"])
            await ann.event("progress", state="retrying")
            shift[0] = jump  # while it waits to be tried again
            assert (await mails.mail())["To"] == "bob@example.org"
            call = (await ann.event("progress", state="mailed"))["call"]
            await ann.ask("cancel", call=call)
            (server,) = (await ann.ask("relay"))["iceServers"]
            assert expiry_of(server["username"]) == wall() + 3_600


# Mail and push are down, and come back.


async def test_a_mail_server_that_is_not_there_is_said_and_the_mail_goes_when_it_is_back(store: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        down = contextlib.AsyncExitStack()
        mails = await down.enter_async_context(mail_server())
        everybody = await stack.enter_async_context(people(store, mailer=mailer(mails)))
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await go_away(bob, everybody)
        await down.aclose()
        await ann.ask("ring", to="bob", media=["audio"])
        assert (await ann.event("progress", state="retrying"))["by"] == "mail"
        assert len(await everybody.server.service.database.run(waiting)) == 1
        again = await stack.enter_async_context(mail_server(urlsplit(mails.url).port or 0))
        assert (await again.mail())["Subject"] == "ann wants to talk to you"
        await ann.event("progress", state="mailed")
        assert again.mails.empty()


async def test_a_push_service_that_is_not_there_is_said_and_the_push_goes_when_it_is_back(store: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        down = contextlib.AsyncExitStack()
        pushes = await down.enter_async_context(push_service())
        everybody = await stack.enter_async_context(people(store, pusher=pusher()))
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        browser = pushes.browser("bob")
        await bob.ask("push-subscribe", **browser.fields())
        await go_away(bob, everybody)
        await down.aclose()
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        assert (await ann.event("progress", state="retrying"))["by"] == "push"
        again = await stack.enter_async_context(push_service(urlsplit(pushes.url).port or 0))
        again.browsers["bob"] = browser
        message, _ = await again.message()
        assert message["call"] == call
        await ann.event("progress", state="pushed")


# Floods of mails and push messages.


async def test_one_caller_causes_only_so_many_mails_however_many_they_ring(store: Path) -> None:
    config = CallsConfig(linger=0.05, mails_by=Rate(2, 0.001))
    async with town(store, config) as (everybody, mails, _):
        service = everybody.server.service
        ann = await confirmed(everybody, mails, "ann")
        service.board.rates._kept.clear()
        for name in ("bob", "cid", "dan"):
            await go_away(await confirmed(everybody, mails, name), everybody)
            service.board.rates._kept.pop(("mails-by", "127.0.0.1"), None)
            await eventually(lambda name=name: not service.board.sessions.of(name))
        states = [(await ann.ask("ring", to=name, media=["audio"]))["state"] for name in ("bob", "cid", "dan")]
        assert states == ["waiting", "waiting", "ended"]
        assert {(await mails.mail())["To"], (await mails.mail())["To"]} == {"bob@example.org", "cid@example.org"}


async def test_one_callee_gets_only_so_many_push_messages(store: Path) -> None:
    config = CallsConfig(linger=0.05, pushes_to=Rate(2, 0.001))
    async with push_service() as pushes, people(store, config, pusher=pusher()) as everybody:
        bob = await everybody.user("bob")
        await bob.ask("push-subscribe", **pushes.browser("bob").fields())
        await go_away(bob, everybody)
        await eventually(lambda: not everybody.server.service.board.sessions.of("bob"))
        states = []
        for name in ("ann", "cid", "dan"):
            caller = await everybody.user(name)
            states.append((await caller.ask("ring", to="bob", media=["audio"]))["state"])
        assert states == ["waiting", "waiting", "ended"]
        for _ in range(2):
            await pushes.message()
        assert pushes.attempts == 2


async def test_a_stranger_causes_only_so_many_mails_to_whomever(store: Path) -> None:
    config = CallsConfig(mails_by=Rate(2, 0.001))
    async with town(store, config) as (everybody, mails, _):
        eve = await everybody.stranger()
        codes = []
        for name in ("ann", "bob", "cid"):
            try:
                await eve.ask("register", name=name, email=f"{name}@example.org", key=eve.key, label="Eve")
                codes.append("")
            except CallError as error:
                codes.append(error.code)
        assert codes == ["", "", "too-many-mails"]
        for _ in range(2):
            await mails.mail()
        assert mails.attempts == 2
