"""A store that several processes write to: batches that fail, locks by key, and a file that is busy."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text

from tests.daemon.calls.postgres import Postgres, postgres
from zwerm.calls.store.database import Database
from zwerm.calls.store.tables import meta


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as started:
        yield started


def put(connection: Connection, key: str) -> None:
    connection.execute(insert(meta).values(key=key, value="x"))


def fail(connection: Connection, key: str) -> None:
    put(connection, key)
    raise LookupError(key)


def keys(connection: Connection) -> set[str]:
    return {row.key for row in connection.execute(select(meta.c.key))} - {"version"}


async def test_of_a_batch_that_fails_in_the_middle_the_others_are_kept(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'x.sqlite'}", is_shared=True)
    await store.open()
    jobs = [store.run(put, "a"), store.run(fail, "b"), store.run(put, "c"), store.run(put, "a"), store.run(put, "d")]
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [type(each).__name__ for each in outcomes] == [
        "NoneType",
        "LookupError",
        "NoneType",
        "StoreUnavailable",
        "NoneType",
    ]
    assert await store.run(keys) == {"a", "c", "d"}
    await store.close()


async def test_two_processes_write_one_file_side_by_side(tmp_path: Path) -> None:
    stores = [Database(f"sqlite:///{tmp_path / 'x.sqlite'}", is_shared=True) for _ in range(3)]
    for each in stores:
        await each.open()
    await asyncio.gather(*(store.run(put, f"{n} {m}") for n, store in enumerate(stores) for m in range(50)))
    assert len(await stores[0].run(keys)) == 150
    for each in stores:
        await each.close()


@pytest.mark.slow
async def test_functions_with_one_key_exclude_each_other_and_others_do_not_wait(server: Postgres) -> None:
    here, there = Database(server.url), Database(server.url)
    await here.open()
    await there.open()
    began, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(connection: Connection) -> float:
        loop.call_soon_threadsafe(began.set)
        assert go_on.wait(20)
        put(connection, "held")
        return time.monotonic()

    def look(connection: Connection) -> bool:
        return "held" in keys(connection)

    holding = asyncio.create_task(here.run_alone("pair", hold))
    await began.wait()
    assert not await there.run_alone("other", look)
    looking = asyncio.create_task(there.run_alone("pair", look))

    def waits(connection: Connection) -> int:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
        return int(connection.execute(text(asked)).scalar_one())

    watcher = Database(server.url)
    await watcher.open()
    async with asyncio.timeout(20):
        while not await watcher.run(waits):  # noqa: ASYNC110 -- PostgreSQL sets no event
            await asyncio.sleep(0.01)
    assert not looking.done()
    go_on.set()
    await holding
    assert await looking
    for each in (here, there, watcher):
        await each.close()
