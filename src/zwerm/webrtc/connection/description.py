"""What descriptions say of a transport (RFC 9429 section 5, RFC 8841): `Local` goes in, `Remote` comes out.

How offers and answers are written and what they agree on is in `zwerm.webrtc.jsep`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final, Self

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.event import Role as DTLSRole
from zwerm.webrtc.dtls.fingerprint import Fingerprint
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.sdp.description import DEFAULT_MAX_MESSAGE_SIZE, MediaDescription, SessionDescription
from zwerm.webrtc.sdp.line import CRLF
from zwerm.webrtc.sdp.values import Setup

SCTP_PORT: Final = 5_000  # of our end
PROTOCOL: Final = "UDP/DTLS/SCTP"
FORMAT: Final = "webrtc-datachannel"
DISCARD: Final = 9  # RFC 8840 section 4.1.1: the port while candidates are trickled


@dataclasses.dataclass(frozen=True, slots=True)
class Local:
    """What our descriptions say of us."""

    session_id: int  # of `o=`, below 2**63
    credentials: Credentials
    ice_options: tuple[str, ...]
    fingerprint: Fingerprint
    max_message_size: int  # bytes that we take


@dataclasses.dataclass(frozen=True, slots=True)
class Remote:
    """What the other side's description says of it."""

    mid: str
    credentials: Credentials
    ice_options: tuple[str, ...]
    is_lite: bool
    fingerprints: tuple[Fingerprint, ...]
    setup: Setup
    max_message_size: int  # bytes that it takes; 0: any
    candidates: tuple[Candidate, ...]
    has_ended: bool  # it will signal no more candidates
    has_data: bool = True  # it takes data channels
    sctp_port: int = SCTP_PORT  # of its end

    @classmethod
    def from_description(cls, description: SessionDescription) -> Self | None:
        """Read a description by its data channels; None where it has none, or has rejected them.

        Raises:
            WireError: something is malformed, or missing that a connection needs.
        """
        medium = data_medium(description)
        return None if medium is None else cls.read(description, medium.mid or "0", medium, medium)

    @classmethod
    def read(
        cls, description: SessionDescription, mid: str, medium: MediaDescription, data: MediaDescription | None
    ) -> Self:
        """Read the transport off `medium`, the section that stands for it, and data channels off `data`.

        Raises:
            WireError: something is malformed, or missing that a connection needs.
        """
        ice, fingerprints = medium.effective_ice, tuple(medium.effective_fingerprints)
        if ice is None:
            raise WireError(f"section {mid!r} without ice-ufrag and ice-pwd")
        if not fingerprints:
            raise WireError(f"section {mid!r} without a fingerprint")
        if data is not None and not data.sctp_port:
            raise WireError(f"sctp-port {data.sctp_port}, expected 1 to 65535")
        return cls(
            mid,
            Credentials.parse(*ice),
            medium.effective_ice_options,
            description.is_ice_lite,
            fingerprints,
            medium.effective_setup or Setup.ACTIVE,  # RFC 4145 section 4.1: the default of an offer
            DEFAULT_MAX_MESSAGE_SIZE if data is None else data.max_message_size,
            tuple(medium.candidates),
            medium.has_end_of_candidates,
            has_data=data is not None,
            sctp_port=(data.sctp_port if data is not None else None) or SCTP_PORT,
        )


def data_medium(description: SessionDescription) -> MediaDescription | None:
    """The section that data channels use."""
    return next((one for one in description.media if one.is_data_channel and not one.is_rejected), None)


def with_candidates(
    description: SessionDescription, candidates: Sequence[Candidate], *, index: int, has_ended: bool
) -> str:
    """A description of ours with the candidates gathered since, in the section that stands for the transport."""
    added = [f"a={candidate}{CRLF}" for candidate in candidates]
    if has_ended:
        added.append(f"a=end-of-candidates{CRLF}")
    text = list(map(str, description.lines))
    for number, medium in enumerate(description.media):
        text.append(str(medium))
        if number == index:
            text += added
    return "".join(text)


def role_for_offer(setup: Setup) -> DTLSRole:
    """Our role when we answer an offer: active where we may (RFC 9429 section 5.3.1)."""
    return DTLSRole.SERVER if setup is Setup.ACTIVE else DTLSRole.CLIENT


def role_for_answer(setup: Setup) -> DTLSRole:
    """Our role when our offer, which leaves it open, is answered.

    Raises:
        WireError: the answer leaves it open too.
    """
    if setup not in (Setup.ACTIVE, Setup.PASSIVE):
        raise WireError(f"an answer with setup {setup}, expected active or passive")
    return DTLSRole.SERVER if setup is Setup.ACTIVE else DTLSRole.CLIENT


def setup_of(role: DTLSRole) -> Setup:
    return Setup.ACTIVE if role is DTLSRole.CLIENT else Setup.PASSIVE
