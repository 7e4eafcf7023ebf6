"""Handlers by name, plain and coroutine functions."""

from __future__ import annotations

import asyncio
from typing import Any

from zwerm.webrtc.w3c.emitter import Emitter


async def test_handlers_are_called_in_the_order_they_were_added() -> None:
    emitter, called = Emitter(), []

    @emitter.on("x")
    def _(value: int) -> None:
        called.append(("first", value))

    emitter.on("x", lambda value: called.append(("second", value)))
    emitter.once("x", lambda value: called.append(("once", value)))
    assert emitter.emit("x", 1)
    assert emitter.emit("x", 2)
    assert called == [("first", 1), ("second", 1), ("once", 1), ("first", 2), ("second", 2)]
    assert not emitter.emit("y")


async def test_removed_handlers_are_called_no_more() -> None:
    emitter, called = Emitter(), []
    emitter.on("x", called.append)
    emitter.on("y", called.append)
    emitter.remove_listener("x", called.append)
    emitter.remove_listener("z", called.append)
    assert not emitter.emit("x", 1)
    assert emitter.listeners("y") == [called.append]
    emitter.remove_all_listeners("y")
    emitter.on("x", called.append)
    emitter.remove_all_listeners()
    assert not any(emitter.emit(name, 1) for name in ("x", "y"))
    assert called == []


async def test_a_coroutine_function_runs_as_a_task() -> None:
    emitter, done = Emitter(), asyncio.Event()

    @emitter.on("x")
    async def _() -> None:
        await asyncio.sleep(0)
        done.set()

    emitter.emit("x")
    await done.wait()
    await asyncio.sleep(0)


async def test_a_handler_that_fails_is_reported_and_the_others_are_called() -> None:
    emitter, called = Emitter(), asyncio.Event()
    reported: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.put_nowait(context))

    @emitter.on("x")
    def _() -> None:
        raise ValueError("plain")

    @emitter.on("x")
    async def _() -> None:
        raise ValueError("in a task")

    emitter.on("x", called.set)
    emitter.emit("x")
    assert called.is_set()
    first, second = await reported.get(), await reported.get()
    assert [str(context["exception"]) for context in (first, second)] == ["plain", "in a task"]
    assert first["message"] == "a handler of 'x' of Emitter failed"
