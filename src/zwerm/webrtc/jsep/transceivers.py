"""The transceivers of a session, and what sections for media make of them (RFC 9429 section 5.10, WebRTC 1.0 5.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.jsep.codecs import Codec, agree, read_codecs
from zwerm.webrtc.jsep.events import SessionEvent, TrackAdded, TrackRemoved, TransceiverAdded, TransceiverRemoved
from zwerm.webrtc.jsep.sections import Flow, agreed_extensions, is_rtp, mid_of
from zwerm.webrtc.jsep.transceiver import RECEIVING, SENDING, Snapshot, Transceiver, intersect, reverse
from zwerm.webrtc.sdp.description import MediaDescription, SessionDescription
from zwerm.webrtc.sdp.values import Direction

MAX_ENCODINGS: Final = 8  # of simulcast that a section may ask us for


class Transceivers:
    """See the module."""

    def __init__(self) -> None:
        self.records: list[Transceiver] = []
        self._events: list[SessionEvent] = []

    def take_events(self) -> list[SessionEvent]:
        """What happened since it was asked last."""
        events, self._events = self._events, []
        return events

    def find(self, mid: str) -> Transceiver | None:
        return next((one for one in self.records if one.mid == mid), None)

    # Answers of ours.

    def refused(self, offered: SessionDescription) -> set[str]:
        """The sections for media that we cannot take: nothing agrees, or the program stopped it."""
        named = [(mid_of(medium, index), medium) for index, medium in enumerate(offered.media)]
        return {
            mid
            for mid, medium in named
            if is_rtp(medium) and ((one := self.find(mid)) is None or one.is_stopping or not _agreed(one, medium))
        }

    def flow(self, medium: MediaDescription, mid: str) -> Flow:
        """What our answer says of an offered section that is not refused."""
        one = self._at(mid)
        direction = intersect(one.direction, reverse(medium.effective_direction))
        return Flow(one, direction, _agreed(one, medium), agreed_extensions(medium), one.rids)

    def answer(self, one: Transceiver, medium: MediaDescription) -> None:
        """What a section of our answer brings."""
        if one.is_stopped:
            return
        direction = Direction.INACTIVE if medium.is_rejected else medium.effective_direction
        if direction not in RECEIVING and one.fired_direction in RECEIVING:
            self._events.append(TrackRemoved(one))
        one.current_direction = one.fired_direction = direction
        one.has_sent |= direction in SENDING
        one.agreed = tuple(read_codecs(medium))
        if medium.is_rejected:
            one.stop()

    # Sections of the other side.

    def take(self, kind: str, medium: MediaDescription, mid: str) -> None:
        """What a section for media of the other side brings (WebRTC 1.0 section 4.4.1.5)."""
        one = self.find(mid)
        if one is None and not medium.is_rejected:
            one = self._associate(medium, mid)
        if one is None or one.is_stopped:
            return
        direction = Direction.INACTIVE if medium.is_rejected else reverse(medium.effective_direction)
        if kind == "offer":
            _take_simulcast(one, medium)
        one.remote_streams = tuple(entry.stream for entry in medium.media_stream_ids if entry.stream != "-")
        self._fire(one, direction)
        if kind == "offer":
            return
        one.current_direction = direction
        one.has_sent |= direction in SENDING
        one.agreed = tuple(read_codecs(medium))
        _keep_rids(one, medium)
        if medium.is_rejected:
            one.stop()

    # When an exchange is over.

    def settle(self, refused: Collection[str]) -> None:
        """Everything is agreed on: what is stopped, and refused by both, is gone."""
        for one in list(self.records):
            one.is_created_by_offer = False
            if one.is_stopped and one.mid in refused:
                self._remove(one)

    def restore(self, snapshots: Iterable[Snapshot], *, was_remote: bool) -> None:
        """The pending offer, the other side's or ours, is taken back: be as in `snapshots`."""
        known: set[Transceiver] = set()
        for snapshot in snapshots:
            one = snapshot.transceiver
            known.add(one)
            snapshot.restore()
            if was_remote:
                self._fire(one, one.current_direction or Direction.INACTIVE)
        for one in [one for one in self.records if one not in known]:
            one.mid = None
            if was_remote:
                self._fire(one, Direction.INACTIVE)
            if one.is_created_by_offer and not one.is_from_track:
                self._remove(one)
            one.is_created_by_offer = False

    # Inside.

    def _associate(self, medium: MediaDescription, mid: str) -> Transceiver:
        """Find the transceiver of a new section, or make one (RFC 9429 section 5.10)."""
        wants_ours = reverse(medium.effective_direction) in SENDING
        free = (one for one in self.records if one.is_from_track and one.mid is None and not one.is_stopping)
        one = next((one for one in free if one.kind == medium.kind and wants_ours), None)
        if one is None:
            # The W3C has "recvonly" here. Nothing would take what came: docs/webrtc.md.
            one = Transceiver(medium.kind, Direction.INACTIVE, is_created_by_offer=True)
            self.records.append(one)
            self._events.append(TransceiverAdded(one))
        one.mid = mid
        return one

    def _fire(self, one: Transceiver, direction: Direction) -> None:
        """WebRTC 1.0 section 5.4, "process remote tracks"; `direction` is seen from here."""
        if direction in RECEIVING and one.fired_direction not in RECEIVING:
            self._events.append(TrackAdded(one))
        elif direction not in RECEIVING and one.fired_direction in RECEIVING:
            self._events.append(TrackRemoved(one))
        one.fired_direction = direction

    def _remove(self, one: Transceiver) -> None:
        one.stop()
        one.mid = None
        self.records.remove(one)
        self._events.append(TransceiverRemoved(one))

    def _at(self, mid: str) -> Transceiver:
        found = self.find(mid)
        if found is None:
            raise LocalProtocolError(f"no transceiver has mid {mid!r}")
        return found


def _agreed(one: Transceiver, medium: MediaDescription) -> list[Codec]:
    return agree(one.codecs, read_codecs(medium), is_ours_first=bool(one.preferred))


def _take_simulcast(one: Transceiver, medium: MediaDescription) -> None:
    """An offer to receive several encodings asks us to send them (WebRTC 1.0 section 4.4.1.5)."""
    simulcast = medium.simulcast
    if simulcast is None or not simulcast.recv or len(one.rids) > 1:
        return
    asked = (alternatives[0].removeprefix("~") for alternatives in simulcast.recv)
    one.rids = tuple(dict.fromkeys(asked))[:MAX_ENCODINGS]


def _keep_rids(one: Transceiver, medium: MediaDescription) -> None:
    """Keep the encodings that an answer takes; without simulcast in it, the first."""
    if len(one.rids) > 1:
        simulcast = medium.simulcast
        kept = {rid.removeprefix("~") for streams in (simulcast.recv if simulcast else ()) for rid in streams}
        one.rids = tuple(rid for rid in one.rids if rid in kept) or one.rids[:1]
