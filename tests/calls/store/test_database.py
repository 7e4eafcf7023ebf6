"""The store: what waits together is committed together, and what fails takes nothing of the others with it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from zwerm.calls.limits import Refused
from zwerm.calls.store import tables
from zwerm.calls.store.accounts import remembered
from zwerm.calls.store.database import Database, StoreUnavailable, is_there
from zwerm.core.errors import StorageError


def put(connection: Connection, key: str) -> str:
    connection.execute(insert(tables.meta).values(key=key, value=key))
    if key.startswith("bad"):
        raise Refused("bad", key)
    return key


def keys(connection: Connection) -> list[str]:
    return sorted(connection.execute(select(tables.meta.c.key)).scalars())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


async def test_what_was_run_is_there_after_a_restart(path: Path) -> None:
    for expected in ("first", "first"):
        database = Database(f"sqlite:///{path}")
        await database.open()
        assert await database.run(remembered, "key", expected) == "first"
        assert await database.run(is_there)
        await database.close()


async def test_a_function_that_fails_takes_nothing_of_the_others_with_it(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    await database.open()
    names = [f"{'bad' if number % 3 == 0 else 'good'} {number}" for number in range(60)]
    answers = await asyncio.gather(*(database.run(put, name) for name in names), return_exceptions=True)
    for name, answer in zip(names, answers, strict=True):
        assert answer == name if name.startswith("good") else isinstance(answer, Refused)
    assert await database.run(keys) == sorted([name for name in names if name.startswith("good")] + ["version"])
    with pytest.raises(Refused):  # alone, too
        await database.run(put, "bad alone")
    assert "bad alone" not in await database.run(keys)
    await database.close()


async def test_a_locked_database_is_waited_for_and_then_said(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    await database.open()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await database.run(put, "a")
    other.execute("ROLLBACK")
    other.close()
    assert await database.run(put, "a") == "a"
    await database.close()


async def test_a_store_of_a_newer_release_is_left_alone(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    await database.open()
    await database.close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE meta SET value = '99' WHERE key = 'version'")
    other.close()
    newer = Database(f"sqlite:///{path}")
    with pytest.raises(StorageError, match="version 99"):
        await newer.open()
    with pytest.raises(StoreUnavailable, match="closed"):
        await newer.run(keys)


async def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nowhere/calls.sqlite")
    with pytest.raises(StoreUnavailable, match="unable to open"):
        await database.open()


async def test_what_nobody_waits_for_goes_with_what_comes_next_in_the_order_of_both(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    await database.open()
    later = asyncio.create_task(database.run_later(put, "later"))
    await asyncio.sleep(0)
    assert "later" in await database.run(keys)
    assert await later == "later"
    assert await database.run_later(put, "alone") == "alone"  # after a while, with nothing else
    last = asyncio.create_task(database.run_later(put, "last"))
    await asyncio.sleep(0)
    await database.close()
    assert await last == "last"


async def test_a_call_that_is_cancelled_breaks_nothing(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    await database.open()
    task = asyncio.create_task(database.run(put, "a"))
    await asyncio.sleep(0)
    task.cancel()
    assert await database.run(put, "b") == "b"
    await database.close()
    await database.close()
