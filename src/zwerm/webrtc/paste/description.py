"""From a description of ours to a code, and from two codes to the answer that stands for the other side."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterable
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.connection.description import FORMAT, PROTOCOL, SCTP_PORT, data_medium
from zwerm.webrtc.dtls.fingerprint import HashFunction
from zwerm.webrtc.ice.candidate import Candidate, CandidateType
from zwerm.webrtc.paste.code import MAX_CANDIDATES, Code, Kind, Place
from zwerm.webrtc.sdp.description import SessionDescription

MAX_MESSAGE_SIZE: Final = 262_144  # bytes; what every implementation takes, and more than is ever sent here

_KINDS: Final[dict[str, Kind]] = {
    CandidateType.HOST: Kind.HOST,
    CandidateType.SERVER_REFLEXIVE: Kind.REFLEXIVE,
    CandidateType.RELAYED: Kind.RELAYED,
}
_NAMES: Final = {Kind.HOST: "host", Kind.REFLEXIVE: "srflx", Kind.RELAYED: "relay"}
_PREFERENCES: Final = {Kind.HOST: 126, Kind.REFLEXIVE: 100, Kind.RELAYED: 0}  # RFC 8445 section 5.1.2.2
_SHARES: Final = {Kind.HOST: 4, Kind.REFLEXIVE: 2, Kind.RELAYED: 2}  # of the places in a code


def code_of(sdp: str) -> Code:
    """What a description of ours says that the other side needs.

    Raises:
        LocalProtocolError: it has no data channels, or no fingerprint by SHA-256.
    """
    medium = data_medium(SessionDescription.parse(sdp))
    ice = None if medium is None else medium.effective_ice
    if medium is None or ice is None:
        raise LocalProtocolError("a description without data channels has no code")
    prints = [one.digest for one in medium.effective_fingerprints if one.function is HashFunction.SHA_256]
    if not prints:
        raise LocalProtocolError("a description without a fingerprint by SHA-256 has no code")
    return Code(ice[0], ice[1], prints[0], tuple(_chosen(medium.candidates)))


def answer_from(code: Code, own: Code, *, mid: str) -> str:
    """The description that `code` stands for, as the answer to the offer that `own` was made of.

    The side with the lower fingerprint begins DTLS. No candidate is said to be the last: the other person may paste
    our code much later, and until then nothing has failed.

    Raises:
        WireError: both codes are the same side's.
    """
    if code.fingerprint == own.fingerprint:
        raise WireError("both codes are of one side")
    description = SessionDescription()
    description.add("v", "0")
    description.add("o", "- 1 1 IN IP4 127.0.0.1")
    description.add("s", "-")
    description.add("t", "0 0")
    description.add_attribute("group", f"BUNDLE {mid}")
    medium = description.add_media("application", 9, PROTOCOL, (FORMAT,))
    medium.add("c", "IN IP4 0.0.0.0")
    medium.add_attribute("mid", mid)
    medium.add_attribute("ice-ufrag", code.ufrag)
    medium.add_attribute("ice-pwd", code.password)
    medium.add_attribute("ice-options", "trickle")
    medium.add_attribute("fingerprint", "sha-256 " + code.fingerprint.hex(":").upper())
    medium.add_attribute("setup", "active" if code.fingerprint < own.fingerprint else "passive")
    medium.add_attribute("sctp-port", SCTP_PORT)
    medium.add_attribute("max-message-size", MAX_MESSAGE_SIZE)
    for index, place in enumerate(code.places):
        medium.add_attribute("candidate", candidate_text(place, index))
    return str(description)


def candidate_text(place: Place, index: int) -> str:
    """A candidate as an SDP attribute has it; earlier ones are preferred."""
    priority = _PREFERENCES[place.kind] << 24 | (65_535 - index) << 8 | 255
    unknown = "::" if ":" in place.host else "0.0.0.0"  # noqa: S104 - the base, which codes do not carry
    related = "" if place.kind is Kind.HOST else f" raddr {unknown} rport 9"
    return f"{index + 1} 1 udp {priority} {place.host} {place.port} typ {_NAMES[place.kind]}{related}"


def _chosen(candidates: Iterable[Candidate]) -> list[Place]:
    """The best of each kind, so that no kind fills the code."""
    found: dict[Kind, list[Place]] = {kind: [] for kind in Kind}
    for candidate in sorted(candidates, key=lambda one: -one.priority):
        place = _place(candidate)
        if place is not None and place not in found[place.kind]:
            found[place.kind].append(place)
    chosen = [place for kind in Kind for place in found[kind][: _SHARES[kind]]]
    more = [place for kind in Kind for place in found[kind][_SHARES[kind] :]]
    chosen += more[: MAX_CANDIDATES - len(chosen)] if not found[Kind.REFLEXIVE] + found[Kind.RELAYED] else []
    return chosen


def _place(candidate: Candidate) -> Place | None:
    """None for what a code does not carry: TCP, other components, names that are no UUID."""
    kind = _KINDS.get(candidate.type)
    if kind is None or candidate.transport.lower() != "udp" or candidate.component != 1 or not candidate.port:
        return None
    host = candidate.address.lower()
    try:
        if host.endswith(".local"):
            host = f"{uuid.UUID(host.removesuffix('.local'))}.local"
        else:
            host = str(ipaddress.ip_address(host))
    except ValueError:
        return None
    return Place(kind, host, candidate.port)
