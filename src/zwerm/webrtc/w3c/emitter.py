"""Events by name, in the shape that programs for aiortc use: `@pc.on("datachannel")`.

A handler may be a coroutine function: it becomes a task, which lives until it ends. What a handler raises is given to
the loop's exception handler, and the others are called all the same.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, TypeVar, overload

Handler: TypeAlias = Callable[..., Any]

HandlerT = TypeVar("HandlerT", bound=Handler)


class Emitter:
    """What has events. Made on a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handlers: dict[str, list[tuple[Handler, bool]]] = {}  # and whether it is for once
        self._tasks: set[asyncio.Task[Any]] = set()

    @overload
    def on(self, event: str) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def on(self, event: str, handler: HandlerT) -> HandlerT: ...

    def on(self, event: str, handler: HandlerT | None = None) -> HandlerT | Callable[[HandlerT], HandlerT]:
        """Call `handler` at each event of that name; without a handler, a decorator."""
        result: HandlerT | Callable[[HandlerT], HandlerT] = self._add(event, handler, is_once=False)
        return result

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
        self._handlers[event] = [entry for entry in self._handlers.get(event, []) if entry[0] != handler]

    def remove_all_listeners(self, event: str | None = None) -> None:
        """Call nobody more, of one event or of all."""
        if event is None:
            self._handlers.clear()
        else:
            self._handlers.pop(event, None)

    def listeners(self, event: str) -> list[Handler]:
        return [handler for handler, _ in self._handlers.get(event, [])]

    def emit(self, event: str, *arguments: Any) -> bool:
        """Call the handlers of an event, in the order they were added; False when there are none."""
        entries = self._handlers.get(event)
        if not entries:
            return False
        for handler, is_once in tuple(entries):
            if is_once:
                self.remove_listener(event, handler)
            try:
                result = handler(*arguments)
            except Exception as error:  # noqa: BLE001 - a handler is a program of its own
                self._report(event, error)
                continue
            if inspect.iscoroutine(result):
                self._run(event, result)
        return True

    def _add(self, event: str, handler: HandlerT | None, *, is_once: bool) -> Any:
        if handler is None:
            return lambda function: self._add(event, function, is_once=is_once)
        self._handlers.setdefault(event, []).append((handler, is_once))
        return handler

    def _run(self, event: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        def finish(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self._report(event, error)

        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(finish)

    def _report(self, event: str, error: BaseException) -> None:
        message = f"a handler of {event!r} of {type(self).__name__} failed"
        self._loop.call_exception_handler({"message": message, "exception": error})
