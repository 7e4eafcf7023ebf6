"""What an association tells its owner."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias


class MessageReceived:
    """A whole message. A plain class, since there may be hundreds of thousands a second."""

    __slots__ = ("data", "is_unordered", "ppid", "stream_id")

    def __init__(self, stream_id: int, ppid: int, data: bytes, is_unordered: bool) -> None:
        self.stream_id = stream_id
        self.ppid = ppid
        self.data = data
        self.is_unordered = is_unordered

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, MessageReceived)
            and (self.stream_id, self.ppid, self.is_unordered) == (other.stream_id, other.ppid, other.is_unordered)
            and self.data == other.data
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        data = repr(self.data) if len(self.data) <= 32 else f"{len(self.data)} bytes"
        how = ", unordered" if self.is_unordered else ""
        return f"MessageReceived(stream {self.stream_id}, ppid {self.ppid}, {data}{how})"


@dataclasses.dataclass(frozen=True, slots=True)
class Connected:
    """The association is established; what both sides agreed on."""

    outbound_streams: int
    inbound_streams: int
    has_interleaving: bool
    has_partial_reliability: bool
    has_reconfiguration: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Restarted:
    """The peer lost its state and began anew: what was under way is lost, streams count from zero."""


@dataclasses.dataclass(frozen=True, slots=True)
class IncomingStreamsReset:
    """The peer will send no more of the old on these streams; everything before was told. Empty: all streams."""

    stream_ids: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class OutgoingStreamsReset:
    """The peer answered our request; when it refused, the streams go on as they were."""

    stream_ids: tuple[int, ...]
    is_performed: bool


@dataclasses.dataclass(frozen=True, slots=True)
class StreamsAdded:
    """More streams: the totals now."""

    outbound_streams: int
    inbound_streams: int


@dataclasses.dataclass(frozen=True, slots=True)
class BufferedAmountLow:
    """What waits to be sent on the stream fell to its threshold."""

    stream_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ShutdownReceived:
    """The peer wants to close and takes no more messages from its user; ours in flight still arrive."""


@dataclasses.dataclass(frozen=True, slots=True)
class Closed:
    """Shut down in order: everything arrived."""


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The association is gone; `cause` says why in words."""

    cause: str
    is_from_peer: bool = False  # it sent an ABORT
    code: int | None = dataclasses.field(default=None, compare=False)  # of its first cause (RFC 9260 section 3.3.10)


Event: TypeAlias = (
    MessageReceived
    | Connected
    | Restarted
    | IncomingStreamsReset
    | OutgoingStreamsReset
    | StreamsAdded
    | BufferedAmountLow
    | ShutdownReceived
    | Closed
    | ConnectionFailed
)
