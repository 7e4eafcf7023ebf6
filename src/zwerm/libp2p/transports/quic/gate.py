"""What stands between qh3's packets and its events: no data is taken while too much of it lies unread.

qh3 grants a peer more credit for what was taken from it (`next_event`), not for what was read.
"""

from __future__ import annotations

from typing import Any


class Gate:
    """qh3's core, whose `next_event` gives nothing while there is no room."""

    def __init__(self, core: Any, room: int) -> None:
        self.inner = core
        self.room = room  # bytes that may still be taken; below 0 after the last piece
        for name in dir(core):
            value = None if name.startswith("_") else getattr(type(core), name)
            if callable(value) and name != "next_event":
                setattr(self, name, getattr(core, name))

    def __getattr__(self, name: str) -> Any:
        """The core's properties, which change."""
        return getattr(self.inner, name)

    @property
    def is_held(self) -> bool:
        return self.room <= 0

    def next_event(self) -> Any:
        """Take the core's next event; None when there is none, or no room for it."""
        if self.room <= 0:
            return None
        event = self.inner.next_event()
        if event is not None and event[0] == "stream_data":
            self.room -= len(event[2])
        return event
