"""RTCIceCandidate (WebRTC 1.0 section 4.8.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from zwerm.core.errors import WireError
from zwerm.webrtc.ice.candidate import Candidate, CandidateType
from zwerm.webrtc.ice.config import StunServer, TurnServer
from zwerm.webrtc.w3c.errors import RTCTypeError

FIELDS: Final = ("component", "foundation", "ip", "port", "priority", "protocol", "type")  # as aiortc names them
FURTHER: Final = {"relatedAddress": "raddr", "relatedPort": "rport", "tcpType": "tcptype"}


@dataclasses.dataclass(init=False)
class RTCIceCandidate:
    """A candidate as it is signaled; what its text says can be read as attributes, None where it cannot be read."""

    candidate: str  # empty: there are no more of this generation
    sdpMid: str | None  # noqa: N815 - the W3C's names
    sdpMLineIndex: int | None  # noqa: N815
    usernameFragment: str | None  # noqa: N815

    def __init__(
        self,
        candidate: str = "",
        sdpMid: str | None = None,  # noqa: N803
        sdpMLineIndex: int | None = None,  # noqa: N803
        usernameFragment: str | None = None,  # noqa: N803
        **fields: Any,
    ) -> None:
        """Make a candidate of its text, or of aiortc's fields, which may be told its section later.

        Args:
            candidate: the text; empty where there are fields.
            sdpMid: the name of its section.
            sdpMLineIndex: the place of its section.
            usernameFragment: its generation.
            fields: `component`, `foundation`, `ip`, `port`, `priority`, `protocol` and `type`, and where they apply
                `relatedAddress`, `relatedPort` and `tcpType`.

        Raises:
            RTCTypeError: text without `sdpMid` and `sdpMLineIndex` (the end of candidates may be of all sections), or
                fields that are missing, too many, or make no candidate.
        """
        if sdpMid is None and sdpMLineIndex is None and candidate:
            raise RTCTypeError("a candidate needs sdpMid or sdpMLineIndex")
        if candidate and fields:
            raise RTCTypeError(f"a candidate's text and {', '.join(fields)}, expected one or the other")
        self.candidate = _text_of(fields) if fields else candidate
        self.sdpMid = sdpMid
        self.sdpMLineIndex = sdpMLineIndex
        self.usernameFragment = usernameFragment
        self.url: str | None = (
            None  # of the server that told it, or relays; of candidates of ours alone, and not signaled
        )
        self.relayProtocol: str | None = None  # how that server is reached, of one that relays

    def told_by(self, server: StunServer | TurnServer | None) -> RTCIceCandidate:
        """Say which server it is from; returns itself."""
        if server is not None:
            self.url = server.url or None
            self.relayProtocol = server.transport.value if isinstance(server, TurnServer) and self._is_relayed else None
        return self

    @property
    def _is_relayed(self) -> bool:
        return self.type == CandidateType.RELAYED

    @classmethod
    def sectionless(cls, candidate: Candidate) -> RTCIceCandidate:
        """One whose section is not known yet, or that has none."""
        made = cls()
        made.candidate = str(candidate)
        return made

    @classmethod
    def of(cls, given: RTCIceCandidate | Mapping[str, Any] | None) -> RTCIceCandidate:
        """Take a dictionary too, as in JavaScript; None is the end of candidates.

        Raises:
            RTCTypeError: it names no section.
        """
        if given is None:
            return cls()
        if isinstance(given, RTCIceCandidate):
            return given
        if not isinstance(given, Mapping):
            raise RTCTypeError(f"a candidate that is a {type(given).__name__}, expected an RTCIceCandidate")
        names = (field.name for field in dataclasses.fields(cls))
        return cls(**{name: given[name] for name in names if given.get(name) is not None})

    def toJSON(self) -> dict[str, Any]:  # noqa: N802 - the W3C's name
        return dataclasses.asdict(self)

    def _parsed(self) -> Candidate | None:
        try:
            return Candidate.from_text(self.candidate)
        except WireError:
            return None

    @property
    def foundation(self) -> str | None:
        parsed = self._parsed()
        return None if parsed is None else parsed.foundation

    @property
    def component(self) -> str | None:
        parsed = self._parsed()
        return None if parsed is None else {1: "rtp", 2: "rtcp"}.get(parsed.component)

    @property
    def priority(self) -> int | None:
        parsed = self._parsed()
        return None if parsed is None else parsed.priority

    @property
    def address(self) -> str | None:
        parsed = self._parsed()
        return None if parsed is None else parsed.address

    @property
    def ip(self) -> str | None:
        """The address, as aiortc calls it."""
        return self.address

    @property
    def protocol(self) -> str | None:
        parsed = self._parsed()
        return None if parsed is None else parsed.transport.lower()

    @property
    def port(self) -> int | None:
        parsed = self._parsed()
        return None if parsed is None else parsed.port

    @property
    def type(self) -> str | None:
        parsed = self._parsed()
        return None if parsed is None else str(parsed.type)

    @property
    def tcpType(self) -> str | None:  # noqa: N802 - the W3C's name
        parsed = self._parsed()
        return None if parsed is None or parsed.tcp_type is None else parsed.tcp_type.value

    @property
    def relatedAddress(self) -> str | None:  # noqa: N802
        parsed = self._parsed()
        return None if parsed is None else parsed.related_address

    @property
    def relatedPort(self) -> int | None:  # noqa: N802
        parsed = self._parsed()
        return None if parsed is None else parsed.related_port


def _text_of(fields: Mapping[str, Any]) -> str:
    """The text of a candidate in aiortc's fields."""
    if not set(FIELDS) <= set(fields) <= {*FIELDS, *FURTHER}:
        raise RTCTypeError(f"a candidate of {', '.join(fields)}, expected {', '.join(FIELDS)}")
    text = "candidate:{foundation} {component} {protocol} {priority} {ip} {port} typ {type}".format_map(fields)
    for name, word in FURTHER.items():
        if fields.get(name) is not None:
            text += f" {word} {fields[name]}"
    try:
        return str(Candidate.from_text(text))
    except WireError as error:
        raise RTCTypeError(str(error)) from None


@dataclasses.dataclass(frozen=True)
class RTCIceCandidateError:
    """A server gave no candidate; what `icecandidateerror` tells."""

    url: str
    errorCode: int  # noqa: N815 - STUN's, or 701: it did not answer
    errorText: str  # noqa: N815
