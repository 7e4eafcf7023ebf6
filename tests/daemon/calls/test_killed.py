"""A process of the service that is killed (SIGKILL): whom it had promised to fetch is fetched by the one that lives."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.calls.buses import BusServer, bus_server
from tests.daemon.calls.caller import Caller, People
from tests.daemon.calls.fetchers import MailServer, mail_server, push_service
from tests.daemon.calls.processes import processes, sees
from zwerm.calls.store.database import Database
from zwerm.calls.store.notices import waiting

pytestmark = pytest.mark.slow

AWAY = [f"bob{number}" for number in range(6)]
PATIENCE = 60.0  # seconds: 6 until a process is given up, and 10 between two tries of a mail


@pytest.fixture(scope="module", params=["redis", "nats"])
def bus(request: pytest.FixtureRequest) -> Iterator[BusServer]:
    with bus_server(request.param) as server:
        yield server


async def nothing_waits(store: Path) -> None:
    """Wait until no mail or push message is in the store: nobody sends one any more."""
    database = Database(f"sqlite:///{store}", is_shared=True)
    await database.open()
    try:
        async with asyncio.timeout(PATIENCE):
            while await database.run(waiting, None):  # noqa: ASYNC110 -- another process does it
                await asyncio.sleep(0.1)
    finally:
        await database.close()


async def rings(ann: Caller, names: list[str]) -> set[str]:
    """Ring people who are away; return the calls, each acknowledged."""
    return {(await ann.ask("ring", to=name, media=["audio"]))["call"] for name in names}


async def confirmed(everybody: People, mails: MailServer, name: str) -> Caller:
    caller = await everybody.stranger(f"{name}'s browser")
    await caller.ask(
        "register", name=name, email=f"{name}@example.org", language="en", key=caller.key, label=caller.label
    )
    _, token = await mails.token()
    await caller.redeem(token)
    return caller


async def test_mails_of_acknowledged_rings_are_sent_by_the_process_that_lives(tmp_path: Path, bus: BusServer) -> None:
    store = tmp_path / "calls.sqlite"
    async with mail_server() as mails:
        options = ("--store", str(store), "--bus", bus.url, "--smtp", mails.url, "--no-push")
        async with processes(2, tmp_path, *options) as ((killed, here), (_, there)):
            ann, zoe = await confirmed(here, mails, "ann"), await confirmed(there, mails, "zoe")
            await ann.hello()
            await zoe.hello()
            await sees(ann, "zoe", "available")
            await sees(zoe, "ann", "available")
            for name in AWAY:
                await confirmed(there, mails, name)
            fetched: collections.Counter[str] = collections.Counter()
            await rings(ann, AWAY[:3])
            for _ in range(3):
                fetched[(await mails.mail())["To"]] += 1
            mails.answers = ["451 not now"] * 1_000
            await rings(ann, AWAY[3:])
            await asyncio.to_thread(killed.kill)
            mails.answers = []
            await nothing_waits(store)
            while not mails.mails.empty():
                fetched[mails.mails.get_nowait()["To"]] += 1
    assert fetched.keys() == {f"{name}@example.org" for name in AWAY}
    assert max(fetched.values()) <= 2


async def test_push_messages_of_acknowledged_rings_are_sent_by_the_process_that_lives(
    tmp_path: Path, bus: BusServer
) -> None:
    store = tmp_path / "calls.sqlite"
    async with push_service() as pushes:
        options = ("--store", str(store), "--bus", bus.url)
        async with processes(2, tmp_path, *options, pushes_to_loopback=True) as ((killed, here), (_, there)):
            ann, zoe = await here.user("ann"), await there.user("zoe")
            await sees(ann, "zoe", "available")
            await sees(zoe, "ann", "available")
            for name in AWAY:
                bob = await here.user(name)
                await bob.ask("push-subscribe", **pushes.browser(name).fields())
                await bob.close()
                await sees(ann, name, "offline")
            fetched: collections.Counter[str] = collections.Counter()
            calls = await rings(ann, AWAY[:3])
            for _ in range(3):
                fetched[(await pushes.message())[0]["call"]] += 1
            pushes.answers = [503] * 1_000
            calls |= await rings(ann, AWAY[3:])
            await asyncio.to_thread(killed.kill)
            pushes.answers = []
            await nothing_waits(store)
            while not pushes.messages.empty():
                fetched[pushes.messages.get_nowait()[0]["call"]] += 1
    assert fetched.keys() == calls
    assert max(fetched.values()) <= 2
