"""Handlers by name, plain and coroutine functions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from zwerm.webrtc.w3c.emitter import Emitter, EventHandler
from zwerm.webrtc.w3c.event import Event


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


class Source(Emitter):
    """Something with an event `x`."""

    onx = EventHandler()


async def test_handlers_in_the_browsers_shape_are_given_an_event() -> None:
    source, called = Source(), []
    source.on("x", lambda value: called.append(("plain", value)))
    source.onx = lambda event: called.append(("attribute", event.type, event.target, event.value))
    source.addEventListener("x", listener := lambda event: called.append(("listener", event.value)))
    source.addEventListener("x", listener)
    source.addEventListener("x", lambda event: called.append(("once", event.value)), once=True)
    source.emit("x", 1, value=1)
    assert called == [("plain", 1), ("attribute", "x", source, 1), ("listener", 1), ("once", 1)]
    called.clear()
    source.onx = second = lambda event: called.append(("second", event.value))
    assert source.onx is second
    source.removeEventListener("x", listener)
    source.emit("x", 2, value=2)
    assert called == [("plain", 2), ("second", 2)]  # in the place of the one before
    source.onx = None
    source.remove_all_listeners()
    assert source.onx is None
    assert not source.emit("x", 3, value=3)


async def test_an_event_has_what_its_kind_has_and_nothing_else() -> None:
    source = Source()
    seen: list[Event] = []
    source.addEventListener("x", seen.append)
    source.emit("x", value=1)
    assert repr(seen[0]) == "<Event 'x' of Source>"
    with pytest.raises(AttributeError, match="an event 'x' has no 'candidate'"):
        _ = seen[0].candidate
