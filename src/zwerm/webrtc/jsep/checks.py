"""Whether a description of the other side fits what is known (RFC 9429 section 5.8, RFC 3264 section 8).

Each check raises InvalidAccessError where the description contradicts what it answers or what was agreed, and
OperationError where it asks for what one transport cannot do.
"""

from __future__ import annotations

from collections.abc import Sequence

from zwerm.webrtc.connection.description import Remote
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.jsep.grouping import Grouping
from zwerm.webrtc.jsep.sections import Slot, is_rtp, mid_of
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.w3c.errors import InvalidAccessError, OperationError


def check_offer(offer: SessionDescription, slots: Sequence[Slot]) -> None:
    """Sections keep their places and names; only refused ones may become something else."""
    if len(offer.media) < len(slots):
        raise InvalidAccessError(f"an offer of {len(offer.media)} sections, expected at least {len(slots)}")
    for index, (slot, medium) in enumerate(zip(slots, offer.media, strict=False)):
        if not slot.is_rejected and (mid_of(medium, index), medium.kind) != (slot.mid, slot.kind):
            seen = f"{medium.kind} {mid_of(medium, index)!r}"
            raise InvalidAccessError(f"section {index} is {seen}, expected {slot.kind} {slot.mid!r}")


def check_answer(answer: SessionDescription, offer: SessionDescription) -> None:
    """An answer has the sections of its offer, and bundles what it accepts."""
    if len(answer.media) != len(offer.media):
        raise InvalidAccessError(f"an answer of {len(answer.media)} sections, expected {len(offer.media)}")
    for index, (ours, medium) in enumerate(zip(offer.media, answer.media, strict=True)):
        mid = ours.mid if medium.mid is None else medium.mid
        if (medium.kind, mid) != (ours.kind, ours.mid):
            seen, wanted = f"{medium.kind} {mid!r}", f"{ours.kind} {ours.mid!r}"
            raise InvalidAccessError(f"section {index} of the answer is {seen}, expected {wanted}")
        if ours.is_rejected and not medium.is_rejected:
            raise InvalidAccessError(f"section {index} is accepted, and was not offered")
    live = {mid_of(one, index) for index, one in enumerate(answer.media) if not one.is_rejected}
    alone = sorted(live - set(Grouping.of(answer).mids))
    if alone:
        raise OperationError(f"the answer does not bundle {', '.join(alone)}, and there is one transport")


def check_mux(description: SessionDescription) -> None:
    """RTCP has no port of its own (RFC 8834 section 4.5)."""
    for index, medium in enumerate(description.media):
        if is_rtp(medium) and not medium.is_rejected and not medium.has_rtcp_mux:
            raise InvalidAccessError(f"section {index} has no rtcp-mux, and rtcpMuxPolicy requires it")


def check_credentials(description: SessionDescription, grouping: Grouping) -> None:
    """Any section that is used may come to stand for the transport, when those before it are refused.

    Raises:
        WireError: the ICE credentials of one are malformed; one may have none.
    """
    for index, medium in enumerate(description.media):
        ice = medium.effective_ice
        if ice is not None and mid_of(medium, index) in grouping.mids:
            Credentials.parse(*ice)


def check_continuity(kind: str, known: Remote, remote: Remote, *, may_restart: bool) -> None:
    """A later description goes on with the DTLS connection that stands, and restarts ICE only where an offer does.

    Its `setup` is not looked at: Firefox answers a later offer with another role than it has, and keeps the one it has.
    """
    if not set(known.fingerprints) & set(remote.fingerprints):
        raise OperationError(f"the {kind} has another certificate; a new DTLS connection needs a new RTCPeerConnection")
    if known.has_data and remote.has_data and known.sctp_port != remote.sctp_port:
        raise OperationError(f"the {kind} has sctp-port {remote.sctp_port}, expected {known.sctp_port} as before")
    if not may_restart and known.credentials != remote.credentials:
        raise InvalidAccessError(f"the {kind} has new ICE credentials, and its offer did not ask for a restart")
