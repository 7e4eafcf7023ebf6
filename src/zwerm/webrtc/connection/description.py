"""What offers and answers say of a connection that has data channels only (RFC 9429 section 5, RFC 8841).

`offer` and `answer` write descriptions, `Remote` is what one of the other side's means. Sections for media are answered
as rejected; the first one for data channels is ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final, Self

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.event import Role as DTLSRole
from zwerm.webrtc.dtls.fingerprint import Fingerprint
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.sdp.description import MediaDescription, SessionDescription
from zwerm.webrtc.sdp.values import Setup

SCTP_PORT: Final = 5_000  # of both sides, as every implementation has it
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

    @classmethod
    def from_description(cls, description: SessionDescription) -> Self | None:
        """Read a description; None where it has no data channels, or has rejected them.

        Raises:
            WireError: something is malformed, or missing that a connection needs.
        """
        medium = data_medium(description)
        if medium is None:
            return None
        ice, fingerprints = medium.effective_ice, tuple(medium.effective_fingerprints)
        if ice is None:
            raise WireError("data channels without ice-ufrag and ice-pwd")
        if not fingerprints:
            raise WireError("data channels without a fingerprint")
        if medium.sctp_port != SCTP_PORT:
            raise WireError(f"sctp-port {medium.sctp_port}, expected {SCTP_PORT}")
        return cls(
            medium.mid or "0",
            Credentials.parse(*ice),
            medium.effective_ice_options,
            description.is_ice_lite,
            fingerprints,
            medium.effective_setup or Setup.ACTIVE,  # RFC 4145 section 4.1: the default of an offer
            medium.max_message_size,
            tuple(medium.candidates),
            medium.has_end_of_candidates,
        )


def data_medium(description: SessionDescription) -> MediaDescription | None:
    """The section that data channels use."""
    return next((one for one in description.media if one.is_data_channel and not one.is_rejected), None)


def offer(local: Local, version: int, *, mid: str | None, setup: Setup = Setup.ACTPASS) -> SessionDescription:
    """Write an offer; without a `mid` one that offers nothing."""
    description = _begin(local, version, () if mid is None else (mid,))
    if mid is not None:
        _add_data(description, local, mid, setup)
    return description


def answer(local: Local, version: int, offered: SessionDescription, setup: Setup) -> SessionDescription:
    """Answer an offer, section by section."""
    accepted = data_medium(offered)
    mid = "0" if accepted is None else accepted.mid or "0"
    is_bundled = accepted is not None and mid in offered.bundle
    description = _begin(local, version, (mid,) if is_bundled else ())
    for medium in offered.media:
        if medium is accepted:
            _add_data(description, local, mid, setup)
        else:
            rejected = description.add_media(medium.kind, 0, medium.protocol, medium.formats)
            rejected.add("c", "IN IP4 0.0.0.0")
            if medium.mid is not None:
                rejected.add_attribute("mid", medium.mid)
            rejected.add_attribute("inactive")
    return description


def with_candidates(text: str, candidates: Sequence[Candidate], *, has_ended: bool) -> str:
    """A description of ours with the candidates that were gathered since."""
    description = SessionDescription.parse(text)
    medium = data_medium(description)
    if medium is not None:
        for candidate in candidates:
            medium.add_attribute("candidate", str(candidate).removeprefix("candidate:"))
        if has_ended:
            medium.add_attribute("end-of-candidates")
    return str(description)


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


def _begin(local: Local, version: int, bundle: Iterable[str]) -> SessionDescription:
    description = SessionDescription()
    description.add("v", "0")
    description.add("o", f"- {local.session_id} {version} IN IP4 127.0.0.1")
    description.add("s", "-")
    description.add("t", "0 0")
    if bundle:
        description.add_attribute("group", " ".join(("BUNDLE", *bundle)))
    return description


def _add_data(description: SessionDescription, local: Local, mid: str, setup: Setup) -> None:
    medium = description.add_media("application", DISCARD, PROTOCOL, (FORMAT,))
    medium.add("c", "IN IP4 0.0.0.0")
    medium.add_attribute("mid", mid)
    medium.add_attribute("ice-ufrag", local.credentials.ufrag)
    medium.add_attribute("ice-pwd", local.credentials.password)
    medium.add_attribute("ice-options", " ".join(local.ice_options))
    medium.add_attribute("fingerprint", local.fingerprint)
    medium.add_attribute("setup", setup.value)
    medium.add_attribute("sctp-port", SCTP_PORT)
    medium.add_attribute("max-message-size", local.max_message_size)
