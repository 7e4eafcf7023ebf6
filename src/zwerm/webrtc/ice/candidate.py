"""Candidates, and how SDP writes them (RFC 8839 section 5.1; RFC 6544 section 4.5 for TCP).

    candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 192.168.0.2 rport 46154 generation 0

Reading keeps everything: types and transports nobody knows, extensions in their order, the case of letters. What could
do harm is refused: control characters, numbers out of range, and names that a resolver takes for numbers (`127.1`).
Whether an address may be used at all is another question, see `address_policy.py`.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import ipaddress
import re
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Address

MAX_TEXT: Final = 2_048  # characters; the longest that browsers write has about 250
MAX_EXTENSIONS: Final = 32
CACHED: Final = 256  # texts and addresses: each comes several times, in a description and trickled

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]{1,64}")  # RFC 8866 section 9
_FOUNDATION: Final = re.compile(r"[!-~]{1,32}")  # the RFC has only letters, digits, + and /; it is compared, never used
_VISIBLE: Final = re.compile(r"[!-~]*")
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z]([A-Za-z0-9-]*)\.?"
)
_NUMERIC: Final = re.compile(r"[0-9.]+")
_NUMERIC_LABEL: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


class CandidateType(enum.StrEnum):
    """Where an address comes from (RFC 8445 section 5.1.1)."""

    HOST = "host"
    SERVER_REFLEXIVE = "srflx"
    PEER_REFLEXIVE = "prflx"
    RELAYED = "relay"


class TcpType(enum.StrEnum):
    """Who opens the connection (RFC 6544 section 4.5)."""

    ACTIVE = "active"
    PASSIVE = "passive"
    SIMULTANEOUS_OPEN = "so"


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate as it is signaled."""

    foundation: str
    component: int  # 1 to 256
    transport: str  # "udp" or "tcp" in any case; others are kept and not used
    priority: int  # 1 to 2**32 - 1; the RFC ends at 2**31 - 1
    address: str  # numeric, or a name
    port: int
    type: str  # a `CandidateType` where it is one that we know
    related_address: str | None = None  # the base of a reflexive, the mapped address of a relayed candidate
    related_port: int | None = None
    extensions: tuple[tuple[str, str], ...] = ()  # name and value, in order; tcptype too

    @classmethod
    @functools.lru_cache(CACHED)
    def from_text(cls, text: str) -> Candidate:
        """Read the attribute, with or without `a=` and `candidate:` in front.

        Raises:
            WireError: not of the grammar, or something in it is unsafe.
        """
        if len(text) > MAX_TEXT:
            raise WireError(f"candidate of {len(text)} characters, expected at most {MAX_TEXT}")
        fields = text.removeprefix("a=").removeprefix("candidate:").split(" ")
        if len(fields) < 8 or fields[6] != "typ":
            raise WireError(f"candidate {text[:64]!r}, expected six fields, 'typ' and a type")
        foundation, component, transport, priority, address, port, _, candidate_type = fields[:8]
        extensions = _pairs(fields[8:])
        related = [extensions.pop(0)[1] if extensions and extensions[0][0] == name else None for name in _RELATED]
        return cls(
            foundation=_match(_FOUNDATION, foundation, "foundation"),
            component=_number(component, 1, 256, "component"),
            transport=_match(_TOKEN, transport, "transport"),
            priority=_number(priority, 1, 2**32 - 1, "priority"),
            address=check_host(address),
            port=_number(port, 0, 65_535, "port"),
            type=_TYPES.get(candidate_type) or _match(_TOKEN, candidate_type, "candidate type"),
            related_address=None if related[0] is None else check_host(related[0]),
            related_port=None if related[1] is None else _number(related[1], 0, 65_535, "related port"),
            extensions=tuple(extensions),
        )

    def __str__(self) -> str:
        """The attribute's value with `candidate:` in front, as browsers pass it around."""
        where = f"{self.address} {self.port} typ {self.type}"
        parts = [f"candidate:{self.foundation} {self.component} {self.transport} {self.priority} {where}"]
        if self.related_address is not None:
            parts.append(f"raddr {self.related_address}")
        if self.related_port is not None:
            parts.append(f"rport {self.related_port}")
        parts += [f"{name} {value}" for name, value in self.extensions]
        return " ".join(parts)

    def extension(self, name: str) -> str | None:
        """The value of the first extension of that name: `ufrag`, `generation`, `network-id`, `network-cost`."""
        return next((value for key, value in self.extensions if key == name), None)

    @property
    def is_udp(self) -> bool:
        return self.transport.lower() == "udp"

    @property
    def tcp_type(self) -> TcpType | None:
        """Who opens the connection; None for other transports, and for a word we do not know."""
        return _TCP_TYPES.get(self.extension("tcptype") or "") if self.transport.lower() == "tcp" else None

    @property
    def is_name(self) -> bool:
        """Whether the address must be looked up before it is of use."""
        return ":" not in self.address and not _NUMERIC.fullmatch(self.address)

    @property
    def is_mdns(self) -> bool:
        """Whether the address is a name of multicast DNS (draft-ietf-mmusic-mdns-ice-candidates section 3.2.1)."""
        return self.is_name and self.address.lower().removesuffix(".").endswith(".local")

    @property
    def transport_address(self) -> Address:
        """Where to send; for a numeric address only. Equal addresses are equal texts."""
        return canonical(self.address), self.port


@functools.lru_cache(CACHED)
def canonical(host: str) -> str:
    """A numeric address as the kernel writes it."""
    return str(ipaddress.ip_address(host))


@functools.lru_cache(CACHED)
def check_host(text: str) -> str:
    """Return `text`, an address or a name in a candidate or resolved from one.

    Raises:
        WireError: neither, an address with a zone, or a name that a resolver could take for a number.
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        last = text.removesuffix(".").rpartition(".")[2]
        if _NAME.fullmatch(text) and not _NUMERIC_LABEL.fullmatch(last):
            return text
        raise WireError(f"address {text[:64]!r}, expected IPv4, IPv6 or a name") from None
    if "%" in text:
        raise WireError(f"address {text[:64]!r} with a zone, which means nothing elsewhere")
    return text


_RELATED: Final = ("raddr", "rport")
_TYPES: Final[dict[str, str]] = {kind.value: kind for kind in CandidateType}
_TCP_TYPES: Final = {kind.value: kind for kind in TcpType}


def _pairs(fields: list[str]) -> list[tuple[str, str]]:
    if len(fields) % 2 and fields[-1] == "":
        fields = fields[:-1]  # a blank at the end, as some phones write it
    if len(fields) % 2 or len(fields) > 2 * MAX_EXTENSIONS:
        raise WireError(f"{len(fields)} words after the candidate's type, expected names with values")
    names, values = fields[::2], fields[1::2]
    return [
        (_match(_TOKEN, name, "extension"), _match(_VISIBLE, value, f"value of {name[:32]!r}"))
        for name, value in zip(names, values, strict=True)
    ]


def _match(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise WireError(f"candidate with {what} {text[:64]!r}")
    return text


def _number(text: str, low: int, high: int, what: str) -> int:
    if not (1 <= len(text) <= 10 and text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise WireError(f"candidate with {what} {text[:32]!r}, expected {low} to {high}")
    return int(text)


def canonical_with_zone(host: str) -> str:
    """A local address as text that equals what sockets say; a zone stays.

    Raises:
        LocalProtocolError: not numeric.
    """
    numeric, separator, zone = host.partition("%")
    try:
        return canonical(numeric) + separator + zone
    except ValueError as error:
        raise LocalProtocolError(str(error)) from None
