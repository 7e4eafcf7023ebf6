"""What is negotiated of one sender and one receiver (WebRTC 1.0 section 5.4, RFC 9429 section 3.4.1)."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.webrtc.jsep.codecs import Codec, codecs_of
from zwerm.webrtc.sdp.values import Direction

SENDING: Final = (Direction.SENDRECV, Direction.SENDONLY)
RECEIVING: Final = (Direction.SENDRECV, Direction.RECVONLY)


@dataclasses.dataclass(eq=False, slots=True)
class Transceiver:
    """The record behind an RTCRtpTransceiver."""

    kind: str  # "audio" or "video"
    direction: Direction
    is_from_track: bool = False  # `addTrack` has used it: it may be matched with a section that is offered
    streams: tuple[str, ...] = ()  # of our track
    track: str = ""  # the id of our track
    rids: tuple[str, ...] = ()  # that we offer to send
    preferred: tuple[Codec, ...] = ()  # empty: no preference
    mid: str | None = None
    current_direction: Direction | None = None
    fired_direction: Direction | None = None  # as the last `track` event had it
    has_sent: bool = False  # it was negotiated to send at some time
    is_stopping: bool = False
    is_stopped: bool = False
    is_created_by_offer: bool = False  # that is pending
    remote_streams: tuple[str, ...] = ()
    agreed: tuple[Codec, ...] = ()  # as last negotiated

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """What it may negotiate, in the order it prefers."""
        return self.preferred or codecs_of(self.kind)

    def stop(self) -> None:
        """End for good (WebRTC 1.0, "stop the RTCRtpTransceiver")."""
        self.is_stopping = self.is_stopped = True
        self.direction = Direction.INACTIVE
        self.current_direction = None


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """What a rollback brings back of a transceiver."""

    transceiver: Transceiver
    mid: str | None
    rids: tuple[str, ...]
    remote_streams: tuple[str, ...]
    agreed: tuple[Codec, ...]

    @classmethod
    def of(cls, transceiver: Transceiver) -> Snapshot:
        one = transceiver
        return cls(one, one.mid, one.rids, one.remote_streams, one.agreed)

    def restore(self) -> None:
        one = self.transceiver
        one.mid, one.rids, one.remote_streams, one.agreed = self.mid, self.rids, self.remote_streams, self.agreed


def reverse(direction: Direction) -> Direction:
    """The same, seen from the other side."""
    swapped = {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}
    return swapped.get(direction, direction)


def intersect(one: Direction, other: Direction) -> Direction:
    """What both allow, seen from the same side."""
    sends = one in SENDING and other in SENDING
    receives = one in RECEIVING and other in RECEIVING
    return direction_of(sends=sends, receives=receives)


def direction_of(*, sends: bool, receives: bool) -> Direction:
    if sends:
        return Direction.SENDRECV if receives else Direction.SENDONLY
    return Direction.RECVONLY if receives else Direction.INACTIVE
