"""Whether offers and answers lag behind what is wanted (WebRTC 1.0 section 4.7.3, "check if negotiation is needed")."""

from __future__ import annotations

from collections.abc import Iterable

from zwerm.webrtc.jsep.signaling import Description, Side, Signaling
from zwerm.webrtc.jsep.transceiver import SENDING, Transceiver, intersect, reverse
from zwerm.webrtc.sdp.description import MediaDescription


def is_negotiation_needed(signaling: Signaling, transceivers: Iterable[Transceiver], *, wants_data: bool) -> bool:
    """Compare the current descriptions with what the program asked for; a wish to restart ICE is not looked at."""
    local, remote = signaling.current.get(Side.LOCAL), signaling.current.get(Side.REMOTE)
    if wants_data and (local is None or not any(one.is_data_channel for one in local.parsed.media)):
        return True
    return any(_lags(one, local, remote) for one in transceivers)


def _lags(transceiver: Transceiver, local: Description | None, remote: Description | None) -> bool:
    ours, theirs = _section(local, transceiver.mid), _section(remote, transceiver.mid)
    if transceiver.is_stopped:
        sections = [section for section in (ours, theirs) if section is not None]
        return bool(sections) and not any(section.is_rejected for section in sections)
    if transceiver.is_stopping or ours is None or local is None:
        return True
    if transceiver.direction in SENDING and _streams(ours) != set(transceiver.streams or ("-",)):
        return True
    if local.type == "offer":
        agreed = {ours.effective_direction}
        if theirs is not None:
            agreed.add(reverse(theirs.effective_direction))
        return transceiver.direction not in agreed
    offered = transceiver.direction if theirs is None else reverse(theirs.effective_direction)
    return ours.effective_direction is not intersect(transceiver.direction, offered)


def _section(description: Description | None, mid: str | None) -> MediaDescription | None:
    return None if description is None or mid is None else description.parsed.medium(mid)


def _streams(medium: MediaDescription) -> set[str]:
    return {one.stream for one in medium.media_stream_ids}
