"""The event hub: order, coming back, and listeners that do not keep up."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from zwerm.node.events import BACKLOG, Event, Events


async def listening(events: Events, after: int | None = None):
    stream = events.listen(after)
    upcoming = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    return stream, upcoming


async def test_events_reach_every_listener_in_order() -> None:
    events = Events()
    streams = [await listening(events) for _ in range(2)]
    events.publish("files", {"a": 1})
    events.publish("job", {"b": 2})
    for stream, upcoming in streams:
        async with aclosing(stream):
            assert await upcoming == Event(1, "files", {"a": 1})
            assert await anext(stream) == Event(2, "job", {"b": 2})
    assert not events.has_listeners


async def test_who_comes_back_gets_what_was_missed() -> None:
    events = Events()
    for number in range(5):
        events.publish("n", {"number": number})
    async with aclosing(events.listen(after=3)) as stream:
        assert [(await anext(stream)).number, (await anext(stream)).number] == [4, 5]


async def test_who_was_away_too_long_is_told_to_load_anew() -> None:
    events = Events()
    for _ in range(BACKLOG + 5):
        events.publish("n", {})
    for after in (0, 3, BACKLOG + 100):
        async with aclosing(events.listen(after)) as stream:
            assert (await anext(stream)).name == "reset"
    async with aclosing(events.listen(5)) as stream:
        assert (await anext(stream)).number == 6


async def test_a_listener_that_does_not_keep_up_loses_its_backlog_and_is_told() -> None:
    events = Events()
    stream, upcoming = await listening(events)
    async with aclosing(stream):
        for _ in range(2 * BACKLOG):
            events.publish("n", {})
        events.close()
        names = [(await upcoming).name] + [event.name async for event in stream]
        assert "reset" in names
        assert len(names) <= BACKLOG + 1


async def test_closing_ends_every_stream() -> None:
    events = Events()
    stream = events.listen()
    ending = asyncio.ensure_future(anext(stream, "ended"))
    await asyncio.sleep(0)
    events.close()
    assert await ending == "ended"
    assert [event async for event in events.listen()] == []


async def test_other_threads_publish_through_the_loop() -> None:
    events = Events()
    stream, upcoming = await listening(events)
    async with aclosing(stream):
        await asyncio.to_thread(events.publish_threadsafe, asyncio.get_running_loop(), "n", {"x": 1})
        assert (await upcoming).data == {"x": 1}
