"""RTCIceCandidate (WebRTC 1.0 section 4.8.1)."""

from __future__ import annotations

import dataclasses

from zwerm.core.errors import WireError
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.w3c.errors import RTCTypeError


@dataclasses.dataclass(frozen=True)
class RTCIceCandidate:
    """A candidate as it is signaled; what its text says can be read as attributes, None where it cannot be read."""

    candidate: str = ""  # empty: there are no more of this generation
    sdpMid: str | None = None  # noqa: N815 - the W3C's names
    sdpMLineIndex: int | None = None  # noqa: N815
    usernameFragment: str | None = None  # noqa: N815

    def __post_init__(self) -> None:
        """Refuse a candidate of no section.

        Raises:
            RTCTypeError: neither `sdpMid` nor `sdpMLineIndex` is given.
        """
        if self.sdpMid is None and self.sdpMLineIndex is None:
            raise RTCTypeError("a candidate needs sdpMid or sdpMLineIndex")

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
