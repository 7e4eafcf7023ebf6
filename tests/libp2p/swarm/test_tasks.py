"""Tasks end with their owner, however they mind being cancelled."""

from __future__ import annotations

import asyncio

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.libp2p.swarm.tasks import Tasks


async def test_closing_waits_for_every_task_and_for_those_they_begin() -> None:
    tasks, ended = Tasks(), []

    async def inner() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("inner")

    async def outer() -> None:
        tasks.spawn(inner(), "inner")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("outer")

    tasks.spawn(outer(), "outer")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await tasks.close()
    assert sorted(ended) == ["inner", "outer"]
    assert len(tasks) == 0
    with pytest.raises(LocalProtocolError, match="'late'"):
        tasks.spawn(inner(), "late")


async def test_a_task_may_close_its_owner() -> None:
    tasks = Tasks()
    await tasks.spawn(tasks.close(), "closing")
    assert len(tasks) == 0
