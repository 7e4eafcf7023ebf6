"""What a session tells of transceivers."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from zwerm.webrtc.jsep.transceiver import Transceiver


class TransceiverAdded(NamedTuple):
    """An offer brought a section that nobody here had asked for."""

    transceiver: Transceiver


class TransceiverRemoved(NamedTuple):
    """It was stopped and both sides know, or the offer that brought it was taken back."""

    transceiver: Transceiver


class TrackAdded(NamedTuple):
    """The other side wants to send."""

    transceiver: Transceiver


class TrackRemoved(NamedTuple):
    """The other side will send no more."""

    transceiver: Transceiver


SessionEvent: TypeAlias = TransceiverAdded | TransceiverRemoved | TrackAdded | TrackRemoved
