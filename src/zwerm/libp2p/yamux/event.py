"""What a yamux session tells its owner."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias


@dataclasses.dataclass(frozen=True, slots=True)
class StreamOpened:
    """The peer opened a stream."""

    stream_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class StreamReadable:
    """There is something to read where there was nothing. Said again only after all of it was read."""

    stream_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class StreamDrained:
    """All that was given to `send` is taken; the session refers to none of it any more."""

    stream_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class StreamEnded:
    """The peer will send no more on this stream; what it sent before may still be unread."""

    stream_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class StreamAborted:
    """The stream is gone, and what was unread with it."""

    stream_id: int
    cause: str
    is_excess: bool = False  # the peer sent more than may wait for being read


@dataclasses.dataclass(frozen=True, slots=True)
class OpenPossible:
    """The peer took streams, so that `open_stream` does not refuse any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class GoneAway:
    """The peer takes no new streams. Those that are open go on."""

    reason: int  # a `Reason`, or what else it said


@dataclasses.dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over, and every stream with it. `data_to_send` may hold a last word."""

    cause: str


Event: TypeAlias = (
    StreamOpened | StreamReadable | StreamDrained | StreamEnded | StreamAborted | OpenPossible | GoneAway | SessionEnded
)
