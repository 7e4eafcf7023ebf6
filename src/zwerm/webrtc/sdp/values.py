"""Values of SDP lines and attributes as records, each read from text and written to text.

Each class names its document. `from_text` takes what stands after the attribute's colon, raises WireError on what its
grammar does not allow, and gives a record whose `str` means the same.
"""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple, Self

from zwerm.core.errors import WireError

_NAME: Final = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"  # RFC 8866 section 9

_WHOLE_NAME: Final = re.compile(_NAME)
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_RTPMAP: Final = re.compile(rf"([0-9]{{1,3}}) +({_NAME})/([0-9]{{1,9}})(?:/(.+))?")
_FMTP: Final = re.compile(rf"({_NAME})(?: +(.*))?")
_FEEDBACK: Final = re.compile(rf"(\*|[0-9]{{1,3}}) +({_NAME})(?: +(.*))?")
_EXTMAP: Final = re.compile(r"([0-9]{1,5})(?:/(sendrecv|sendonly|recvonly|inactive))? +([^ ]+)(?: +(.*))?")
_SSRC: Final = re.compile(rf"([0-9]{{1,10}})(?: +({_NAME})(?::(.*))?)?")
_RID: Final = re.compile(r"([0-9A-Za-z_-]{1,255}) +(send|recv)(?: +(.*))?")
_RID_ID: Final = re.compile(r"~?[0-9A-Za-z_-]{1,255}")
_MSID: Final = re.compile(rf"({_NAME})(?: +({_NAME}))?")


def number(text: str, high: int, what: str) -> int:
    """Read a decimal number of 0 to `high`.

    Raises:
        WireError: it is none.
    """
    if not _NUMBER.fullmatch(text) or int(text) > high:
        raise WireError(f"{what} {text[:40]!r}, expected a number up to {high}")
    return int(text)


def tokens(text: str, what: str) -> tuple[str, ...]:
    """Read tokens between spaces.

    Raises:
        WireError: one of them is none.
    """
    found = tuple(text.split())
    if not all(_WHOLE_NAME.fullmatch(token) for token in found):
        raise WireError(f"{what} {text[:80]!r}, expected tokens")
    return found


def _match(pattern: re.Pattern[str], text: str, what: str) -> re.Match[str]:
    found = pattern.fullmatch(text.strip(" "))
    if found is None:
        raise WireError(f"{what} {text[:80]!r} is malformed")
    return found


class Direction(enum.StrEnum):
    """Which way media flows (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


class Setup(enum.StrEnum):
    """Who starts (RFC 4145 section 4, RFC 8842)."""

    ACTIVE = "active"
    PASSIVE = "passive"
    ACTPASS = "actpass"
    HOLDCONN = "holdconn"


class Origin(NamedTuple):
    """`o=` (RFC 8866 section 5.2)."""

    username: str
    session_id: int
    session_version: int
    network_type: str
    address_type: str
    address: str

    @classmethod
    def from_text(cls, text: str) -> Self:
        fields = text.split()
        if len(fields) != 6:
            raise WireError(f"origin {text[:80]!r}, expected six fields")
        high = (1 << 64) - 1
        return cls(fields[0], number(fields[1], high, "session"), number(fields[2], high, "version"), *fields[3:])

    def __str__(self) -> str:
        return " ".join(map(str, self))


class Connection(NamedTuple):
    """`c=` (RFC 8866 section 5.7)."""

    network_type: str
    address_type: str
    address: str  # with the TTL and count of multicast, where there are

    @classmethod
    def from_text(cls, text: str) -> Self:
        fields = text.split()
        if len(fields) != 3:
            raise WireError(f"connection {text[:80]!r}, expected three fields")
        return cls(*fields)

    def __str__(self) -> str:
        return " ".join(self)


class Group(NamedTuple):
    """`a=group` (RFC 5888 section 5) and `a=ssrc-group` (RFC 5576 section 4.2)."""

    semantics: str
    members: tuple[str, ...]

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = tokens(text, "group")
        if not found:
            raise WireError("group without semantics")
        return cls(found[0], found[1:])

    def __str__(self) -> str:
        return " ".join((self.semantics, *self.members))


class RtpMap(NamedTuple):
    """`a=rtpmap` (RFC 8866 section 6.6)."""

    payload_type: int
    encoding: str
    clock_rate: int  # Hz
    parameters: str = ""  # of audio: the number of channels

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = _match(_RTPMAP, text, "rtpmap")
        return cls(number(found[1], 127, "payload type"), found[2], int(found[3]), found[4] or "")

    def __str__(self) -> str:
        end = f"/{self.parameters}" if self.parameters else ""
        return f"{self.payload_type} {self.encoding}/{self.clock_rate}{end}"


class FormatParameters(NamedTuple):
    """`a=fmtp` (RFC 8866 section 6.15); what the parameters mean is the format's affair."""

    format: str
    parameters: str

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = _match(_FMTP, text, "fmtp")
        return cls(found[1], found[2] or "")

    def to_dict(self) -> dict[str, str]:
        """The parameters in the usual form, `name=value;name=value`; names in lower case, flags with an empty value."""
        pairs = (part.strip().partition("=") for part in self.parameters.split(";"))
        return {name.strip().lower(): value.strip() for name, _, value in pairs if name}

    def __str__(self) -> str:
        return f"{self.format} {self.parameters}".rstrip(" ")


class Feedback(NamedTuple):
    """`a=rtcp-fb` (RFC 4585 section 4.2)."""

    payload_type: str  # a number, or "*" for all
    kind: str  # "nack"
    parameters: str = ""  # "pli"

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = _match(_FEEDBACK, text, "rtcp-fb")
        return cls(found[1], found[2], found[3] or "")

    def __str__(self) -> str:
        return f"{self.payload_type} {self.kind} {self.parameters}".rstrip(" ")


class HeaderExtension(NamedTuple):
    """`a=extmap` (RFC 8285 section 5)."""

    id: int
    uri: str
    direction: Direction | None = None
    attributes: str = ""

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = _match(_EXTMAP, text, "extmap")
        direction = Direction(found[2]) if found[2] else None
        return cls(number(found[1], 4_351, "extension"), found[3], direction, found[4] or "")

    def __str__(self) -> str:
        direction = f"/{self.direction}" if self.direction else ""
        return f"{self.id}{direction} {self.uri} {self.attributes}".rstrip(" ")


class SourceAttribute(NamedTuple):
    """`a=ssrc` (RFC 5576 section 4.1)."""

    ssrc: int
    attribute: str = ""
    value: str | None = None

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = _match(_SSRC, text, "ssrc")
        return cls(number(found[1], 0xFFFF_FFFF, "ssrc"), found[2] or "", found[3])

    def __str__(self) -> str:
        value = "" if self.value is None else f":{self.value}"
        return f"{self.ssrc} {self.attribute}{value}".rstrip(" ")


class MediaStreamId(NamedTuple):
    """`a=msid` (RFC 8830 section 2)."""

    stream: str  # "-": in no stream
    track: str = ""

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = _match(_MSID, text, "msid")
        return cls(found[1], found[2] or "")

    def __str__(self) -> str:
        return f"{self.stream} {self.track}".rstrip(" ")


class Rid(NamedTuple):
    """`a=rid` (RFC 8851 section 10)."""

    id: str
    direction: str  # "send" or "recv"
    restrictions: str = ""

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = _match(_RID, text, "rid")
        return cls(found[1], found[2], found[3] or "")

    def __str__(self) -> str:
        return f"{self.id} {self.direction} {self.restrictions}".rstrip(" ")


class Simulcast(NamedTuple):
    """`a=simulcast` (RFC 8853 section 5.1): streams, each with its alternatives; "~" before one that starts paused."""

    send: tuple[tuple[str, ...], ...] = ()
    recv: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def from_text(cls, text: str) -> Self:
        fields = text.split()
        streams: dict[str, tuple[tuple[str, ...], ...]] = {}
        for direction, listed in zip(fields[::2], fields[1::2], strict=False):
            alternatives = tuple(tuple(stream.split(",")) for stream in listed.split(";"))
            if direction not in ("send", "recv") or direction in streams:
                raise WireError(f"simulcast {text[:80]!r}, expected send and recv, once each")
            if not all(_RID_ID.fullmatch(rid) for stream in alternatives for rid in stream):
                raise WireError(f"simulcast {text[:80]!r}, expected rids between commas and semicolons")
            streams[direction] = alternatives
        if not streams or len(fields) % 2:
            raise WireError(f"simulcast {text[:80]!r}, expected a direction and streams")
        return cls(streams.get("send", ()), streams.get("recv", ()))

    def __str__(self) -> str:
        both = (("send", self.send), ("recv", self.recv))
        return " ".join(f"{name} {';'.join(map(','.join, streams))}" for name, streams in both if streams)
