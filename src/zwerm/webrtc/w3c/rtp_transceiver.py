"""RTCRtpTransceiver (WebRTC 1.0 section 5.4), and the set of them that a connection has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from zwerm.webrtc.jsep.events import SessionEvent, TrackAdded, TrackRemoved, TransceiverAdded
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.jsep.transceiver import RECEIVING, SENDING, Transceiver, direction_of
from zwerm.webrtc.sdp.values import Direction
from zwerm.webrtc.w3c.dtls_transport import RTCDtlsTransport
from zwerm.webrtc.w3c.errors import InvalidAccessError, InvalidStateError, RTCTypeError
from zwerm.webrtc.w3c.media_stream_track import MediaStream, MediaStreamTrack
from zwerm.webrtc.w3c.rtp_parameters import (
    RTCRtpCodecCapability,
    RTCRtpEncodingParameters,
    check_encodings,
    preferences_of,
)
from zwerm.webrtc.w3c.rtp_sender import RTCRtpReceiver, RTCRtpSender

MAX_TRANSCEIVERS: Final = 200  # of a connection: descriptions have at most 256 sections


class RTCRtpTransceiver:
    """A sender and a receiver with one section of the descriptions; made by the connection."""

    def __init__(self, record: Transceiver, sender: RTCRtpSender, on_change: Callable[[], None]) -> None:
        self.record = record
        self.sender = sender
        self.receiver = RTCRtpReceiver(record)
        self._on_change = on_change

    def use_transport(self, transport: RTCDtlsTransport | None) -> None:
        """Say what both halves go over; None while no description of ours has the section. Called by the connection."""
        self.sender.transport = self.receiver.transport = transport

    @property
    def kind(self) -> str:
        return self.record.kind

    @property
    def mid(self) -> str | None:
        return self.record.mid

    @property
    def stopped(self) -> bool:
        return self.record.is_stopped

    @property
    def direction(self) -> str:
        """What the program wants; "stopped" after `stop`."""
        return "stopped" if self.record.is_stopping else self.record.direction.value

    @direction.setter
    def direction(self, value: str) -> None:
        wanted = direction_from(value)
        if self.record.is_stopping:
            raise InvalidStateError("the transceiver is stopped")
        if wanted is not self.record.direction:
            self.record.direction = wanted
            self._on_change()

    @property
    def currentDirection(self) -> str | None:  # noqa: N802 - the W3C's names
        """What was agreed on last; None before that, "stopped" at the end."""
        current = self.record.current_direction
        return "stopped" if self.record.is_stopped else (None if current is None else current.value)

    def setCodecPreferences(self, codecs: Iterable[RTCRtpCodecCapability]) -> None:  # noqa: N802
        """Say which formats are negotiated, and in which order; none: as if it was never said.

        Raises:
            InvalidAccessError: one cannot be negotiated, or only retransmission is left.
        """
        self.record.preferred = preferences_of(self.kind, codecs)

    def stop(self) -> None:
        """End it for both sides, with the next offer; one that was never offered ends at once. Twice is harmless."""
        if self.record.is_stopping:
            return
        self.record.is_stopping = True
        self.receiver.track.stop()
        if self.record.mid is None:
            self.record.stop()
        self._on_change()


def direction_from(value: str) -> Direction:
    """Read a direction.

    Raises:
        RTCTypeError: it is none of the four.
    """
    try:
        return Direction(value)
    except ValueError:
        raise RTCTypeError(f"direction {value!r}, expected sendrecv, sendonly, recvonly or inactive") from None


class TransceiverSet:
    """The transceivers of a connection, in the order they were made, each with the record its session knows."""

    def __init__(self, session: Session, on_change: Callable[[], None]) -> None:
        """`on_change` is called when negotiation may be needed."""
        self._session = session
        self._on_change = on_change
        self._objects: dict[Transceiver, RTCRtpTransceiver] = {}
        self._senders: set[RTCRtpSender] = set()  # every one there was
        self._streams: dict[str, MediaStream] = {}  # of the other side

    def all(self) -> list[RTCRtpTransceiver]:
        return [self._objects[record] for record in self._session.transceivers]

    def known(self) -> list[RTCRtpTransceiver]:
        """Those that have their object: not yet what a description has just brought."""
        return list(self._objects.values())

    def live(self) -> list[RTCRtpTransceiver]:
        return [one for one in self.all() if not one.stopped]

    def add(
        self,
        kind: str | MediaStreamTrack,
        direction: str,
        streams: Sequence[MediaStream],
        encodings: Sequence[RTCRtpEncodingParameters | Mapping[str, Any]],
    ) -> RTCRtpTransceiver:
        """Carry out `addTransceiver`."""
        track = None if isinstance(kind, str) else kind
        name = kind if isinstance(kind, str) else kind.kind
        if name not in ("audio", "video"):
            raise RTCTypeError(f"a transceiver for {name!r}, expected audio or video")
        self._check_room()
        record = Transceiver(name, direction_from(direction))
        made = self._make(record, check_encodings(name, encodings))
        if track is not None:
            made.sender.use(track, streams)
        record.streams = tuple(dict.fromkeys(stream.id for stream in streams))
        self._session.transceivers.append(record)
        self._on_change()
        return made

    def add_track(self, track: MediaStreamTrack, streams: Sequence[MediaStream]) -> RTCRtpSender:
        """Carry out `addTrack`: take a sender that was never used, or make one."""
        if any(one.sender.track is track for one in self.live()):
            raise InvalidAccessError("the track is sent already")
        for one in self.live():
            record = one.record
            if one.sender.track is None and one.kind == track.kind and not record.is_stopping and not record.has_sent:
                one.sender.use(track, streams)
                record.is_from_track = True
                record.direction = direction_of(sends=True, receives=record.direction in RECEIVING)
                self._on_change()
                return one.sender
        self._check_room()
        record = Transceiver(track.kind, Direction.SENDRECV, is_from_track=True)
        made = self._make(record, check_encodings(track.kind, ()))
        made.sender.use(track, streams)
        self._session.transceivers.append(record)
        self._on_change()
        return made.sender

    def remove_track(self, sender: RTCRtpSender) -> None:
        """Carry out `removeTrack`."""
        if sender not in self._senders:
            raise InvalidAccessError("the sender belongs to another connection")
        one = next((one for one in self.live() if one.sender is sender), None)
        if one is None or one.record.is_stopping or sender.track is None:
            return
        sender.use(None)
        if one.record.direction in SENDING:
            one.record.direction = direction_of(sends=False, receives=one.record.direction in RECEIVING)
        self._on_change()

    def take(self, event: SessionEvent) -> tuple[RTCRtpTransceiver, list[MediaStream]] | None:
        """Follow what was negotiated; return what a `track` event is to be told of."""
        if isinstance(event, TransceiverAdded):
            self._make(event.transceiver, check_encodings(event.transceiver.kind, ()))
            return None
        one = self._objects[event.transceiver]
        if isinstance(event, TrackAdded):
            streams = [self._streams.setdefault(name, MediaStream(name)) for name in event.transceiver.remote_streams]
            for stream in streams:
                stream.addTrack(one.receiver.track)
            return one, streams
        for stream in self._streams.values():
            stream.removeTrack(one.receiver.track)
        if not isinstance(event, TrackRemoved):  # it is gone
            one.receiver.track.stop()
            del self._objects[event.transceiver]
        return None

    def close(self) -> None:
        for one in self.all():
            one.receiver.track.stop()

    def _make(self, record: Transceiver, encodings: list[RTCRtpEncodingParameters]) -> RTCRtpTransceiver:
        record.rids = tuple(one.rid for one in encodings if one.rid is not None)
        sender = RTCRtpSender(record, None, encodings, self._on_change)
        self._senders.add(sender)
        self._objects[record] = made = RTCRtpTransceiver(record, sender, self._changed)
        return made

    def _changed(self) -> None:
        """A transceiver that was never offered and is stopped is forgotten."""
        for record in [one for one in self._session.transceivers if one.is_stopped and one.mid is None]:
            self._session.transceivers.remove(record)
            del self._objects[record]
        self._on_change()

    def _check_room(self) -> None:
        if len(self._session.transceivers) >= MAX_TRANSCEIVERS:
            raise InvalidStateError(f"{MAX_TRANSCEIVERS} transceivers, which is the limit")
