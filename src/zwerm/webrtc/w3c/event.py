"""What handlers in the browsers' shape are given: `onmessage = lambda event: event.data` (DOM section 2.2)."""

from __future__ import annotations

from typing import Any


class Event:
    """One event. Beside `type` and `target` it has what its kind has: `candidate`, `channel`, `data`, `track`..."""

    def __init__(self, type: str, target: Any, **members: Any) -> None:  # noqa: A002 - the DOM's name
        self.type = type
        self.target = self.currentTarget = target
        self.__dict__.update(members)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"an event {self.type!r} has no {name!r}")

    def __repr__(self) -> str:
        return f"<Event {self.type!r} of {type(self.target).__name__}>"
