"""A message on its way out, and the chunks it is cut into.

A message may be given whole or in parts (`append` in the send queue): a part is sent before the next is known. Chunks
hold a place in a part, not a copy of it; the bytes go when the last chunk of them is acknowledged.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64

NOT_STARTED: Final = -1

IN_FLIGHT: Final = 0  # states of a chunk
LOST: Final = 1  # to be sent again
ACKNOWLEDGED: Final = 2
ABANDONED: Final = 3  # given up: the peer is told by FORWARD-TSN


class OutgoingMessage:
    """One message of a stream; `number` is its SSN or MID once its first chunk is cut."""

    __slots__ = (
        "data",
        "expires",
        "first_tsn",
        "fsn",
        "is_abandoned",
        "is_ended",
        "is_unordered",
        "last_tsn",
        "max_retransmits",
        "more",
        "number",
        "offset",
        "ppid",
        "stream_id",
        "unsent",
    )

    def __init__(
        self,
        stream_id: int,
        ppid: int,
        data: bytes,
        is_unordered: bool,
        max_retransmits: int,
        expires: float,
        is_ended: bool,
    ) -> None:
        self.stream_id: i64 = stream_id
        self.ppid: i64 = ppid
        self.data: bytes = data  # the part that is being cut
        self.more: deque[bytes] | None = None  # parts after it
        self.offset: i64 = 0  # into `data`
        self.unsent: i64 = len(data)  # bytes in all parts
        self.is_ended: bool = is_ended  # no part will follow
        self.is_unordered: bool = is_unordered
        self.max_retransmits: i64 = max_retransmits  # -1: no limit
        self.expires: float = expires  # instant; infinite: never
        self.is_abandoned: bool = False
        self.number: i64 = NOT_STARTED
        self.fsn: i64 = 0  # of the next chunk
        self.first_tsn: i64 = 0
        self.last_tsn: i64 = 0


class SentChunk:
    """A fragment with its TSN, kept until the peer has it for good."""

    __slots__ = ("data", "flags", "fsn", "message", "order", "sent_at", "size", "start", "state", "transmits", "tsn")

    def __init__(self, message: OutgoingMessage, data: bytes, start: i64, size: i64, flags: i64, fsn: i64) -> None:
        self.message: OutgoingMessage = message
        self.data: bytes = data
        self.start: i64 = start
        self.size: i64 = size  # bytes of payload
        self.flags: i64 = flags
        self.fsn: i64 = fsn
        self.tsn: i64 = 0  # does not wrap
        self.order: i64 = 0  # number of the packet it went in last
        self.sent_at: float = 0.0
        self.transmits: i64 = 0
        self.state: i64 = IN_FLIGHT
