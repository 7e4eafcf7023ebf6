"""Events by name, in two shapes: that of programs for aiortc, and that of browsers.

    @pc.on("datachannel")                 # is given the channel
    def opened(channel): ...

    pc.ondatachannel = handler            # is given an Event, which has the channel
    pc.addEventListener("datachannel", handler)

A handler may be a coroutine function: it becomes a task, which lives until it ends. What a handler raises is given to
the loop's exception handler, and the others are called all the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, TypeVar, overload

from zwerm.webrtc.w3c.event import Event

Handler: TypeAlias = Callable[..., Any]

HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclasses.dataclass(slots=True)
class _Entry:
    handler: Handler
    is_once: bool = False
    takes_event: bool = False  # in the browsers' shape
    is_attribute: bool = False


class EventHandler:
    """An attribute `on...`: the one handler that was put there, or None."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._event = name.removeprefix("on")

    def __get__(self, emitter: Emitter, owner: type | None = None) -> Handler | None:
        entry = emitter.attribute_of(self._event)
        return None if entry is None else entry.handler

    def __set__(self, emitter: Emitter, handler: Handler | None) -> None:
        emitter.set_attribute(self._event, handler)


class Emitter:
    """What has events. It may be made before a loop runs; events are told on one."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[_Entry]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # As in programs for aiortc.

    @overload
    def on(self, event: str) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def on(self, event: str, handler: HandlerT) -> HandlerT: ...

    def on(self, event: str, handler: HandlerT | None = None) -> HandlerT | Callable[[HandlerT], HandlerT]:
        """Call `handler` at each event of that name; without a handler, a decorator."""
        result: HandlerT | Callable[[HandlerT], HandlerT] = self._add(event, handler, is_once=False)
        return result

    add_listener = on

    @overload
    def once(self, event: str) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def once(self, event: str, handler: HandlerT) -> HandlerT: ...

    def once(self, event: str, handler: HandlerT | None = None) -> HandlerT | Callable[[HandlerT], HandlerT]:
        """Call `handler` at the next event of that name only."""
        result: HandlerT | Callable[[HandlerT], HandlerT] = self._add(event, handler, is_once=True)
        return result

    def remove_listener(self, event: str, handler: Handler) -> None:
        """Call it no more. One that is not known is no error."""
        self._keep(event, lambda entry: entry.takes_event or entry.handler != handler)

    def remove_all_listeners(self, event: str | None = None) -> None:
        """Call nobody more, of one event or of all."""
        if event is None:
            self._handlers.clear()
        else:
            self._handlers.pop(event, None)

    def listeners(self, event: str) -> list[Handler]:
        return [entry.handler for entry in self._handlers.get(event, [])]

    # As in browsers.

    def addEventListener(self, type: str, listener: Handler, *, once: bool = False) -> None:  # noqa: A002, N802
        """Call `listener` with an Event at each event of that name; the same one is not called twice."""
        entries = self._handlers.setdefault(type, [])
        if not any(entry.takes_event and not entry.is_attribute and entry.handler == listener for entry in entries):
            entries.append(_Entry(listener, is_once=once, takes_event=True))

    def removeEventListener(self, type: str, listener: Handler) -> None:  # noqa: A002, N802
        """Call it no more. One that is not known is no error."""
        self._keep(type, lambda entry: entry.is_attribute or not entry.takes_event or entry.handler != listener)

    def attribute_of(self, event: str) -> _Entry | None:
        return next((entry for entry in self._handlers.get(event, []) if entry.is_attribute), None)

    def set_attribute(self, event: str, handler: Handler | None) -> None:
        """Put the handler of the attribute `on...` in the place of the one before."""
        entry = self.attribute_of(event)
        if handler is None:
            self._keep(event, lambda one: not one.is_attribute)
        elif entry is not None:
            entry.handler = handler
        else:
            self._handlers.setdefault(event, []).append(_Entry(handler, takes_event=True, is_attribute=True))

    # Telling.

    def emit(self, event: str, *arguments: Any, **members: Any) -> bool:
        """Call the handlers of an event, in the order they were added; False when there are none.

        `arguments` are for those in aiortc's shape, `members` are what the Event of the others has.
        """
        entries = self._handlers.get(event)
        if not entries:
            return False
        for entry in tuple(entries):
            if entry.is_once:
                self._keep(event, lambda one, gone=entry: one is not gone)  # type: ignore[misc]
            try:
                result = (
                    entry.handler(Event(event, self, **members)) if entry.takes_event else entry.handler(*arguments)
                )
            except Exception as error:  # noqa: BLE001 - a handler is a program of its own
                self._report(event, error)
                continue
            if result is not None and inspect.iscoroutine(result):
                self._run(event, result)
        return True

    def _keep(self, event: str, wanted: Callable[[_Entry], bool]) -> None:
        self._handlers[event] = [entry for entry in self._handlers.get(event, []) if wanted(entry)]

    def _add(self, event: str, handler: HandlerT | None, *, is_once: bool) -> Any:
        if handler is None:
            return lambda function: self._add(event, function, is_once=is_once)
        self._handlers.setdefault(event, []).append(_Entry(handler, is_once))
        return handler

    def _run(self, event: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        def finish(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self._report(event, error)

        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(finish)

    def _report(self, event: str, error: BaseException) -> None:
        message = f"a handler of {event!r} of {type(self).__name__} failed"
        asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
