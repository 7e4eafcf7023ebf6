"""The messages of PCP (RFC 6887) and NAT-PMP (RFC 6886) that ask for one mapping. Both are told apart by their version.

Only what a client needs: it writes requests and reads answers. What is no answer is refused with `WireError`; an answer
that says no is a result.
"""

from __future__ import annotations

import enum
import ipaddress
import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError

PORT: Final = 5_351  # of the gateway, for both
MAX_MESSAGE: Final = 1_100  # bytes, RFC 6887 section 7
NONCE_SIZE: Final = 12  # bytes, RFC 6887 section 11.1

_PCP: Final = 2
_NAT_PMP: Final = 0
_RESPONSE: Final = 0x80
_MAP: Final = 1
_HEADER: Final = struct.Struct("!BBxBI")  # of an answer: version, opcode, result, lifetime
_MAP_BODY: Final = struct.Struct("!12sB3xHH16s")  # nonce, protocol, internal port, external port, external address


class Transport(enum.Enum):
    """What a mapped port carries: its number in PCP (that of IP) and in NAT-PMP."""

    TCP = (6, 2)
    UDP = (17, 1)

    @property
    def pcp(self) -> int:
        return self.value[0]

    @property
    def nat_pmp(self) -> int:
        return self.value[1]


class Answer(NamedTuple):
    """What a gateway says of one mapping."""

    result: int  # 0: it is there; otherwise the code of the protocol
    lifetime: int  # seconds that it lasts, or that the same error is to be expected
    external: str  # address outside; empty in NAT-PMP, which is asked for it separately
    port: int  # outside


def pcp_map(transport: Transport, port: int, *, client: str, nonce: bytes, lifetime: int, suggested: int) -> bytes:
    """Ask for a mapping of `port`; `suggested` is the port wanted outside, 0 for any. Lifetime 0 removes it."""
    mapped = ipaddress.ip_address(client)
    packed = mapped.packed if mapped.version == 6 else b"\0" * 10 + b"\xff\xff" + mapped.packed
    nowhere = b"\0" * 16 if mapped.version == 6 else b"\0" * 10 + b"\xff\xff" + b"\0" * 4
    header = struct.pack("!BBHI", _PCP, _MAP, 0, lifetime) + packed
    return header + _MAP_BODY.pack(nonce, transport.pcp, port, suggested, nowhere)


def parse_pcp(data: bytes, transport: Transport, port: int, nonce: bytes) -> Answer | None:
    """Read an untrusted answer; None when it answers something else.

    Raises:
        WireError: no answer of PCP.
    """
    if not 24 <= len(data) <= MAX_MESSAGE or len(data) % 4:
        raise WireError(f"PCP answer of {len(data)} bytes, expected 24 to {MAX_MESSAGE} and whole words")
    version, opcode, result, lifetime = _HEADER.unpack_from(data)
    if version != _PCP or opcode != _RESPONSE | _MAP:
        raise WireError(f"PCP answer of version {version} and opcode {opcode:#x}, expected 2 and 0x81")
    if len(data) < 24 + _MAP_BODY.size:
        raise WireError(f"PCP answer about a mapping of {len(data)} bytes, expected {24 + _MAP_BODY.size}")
    theirs, number, internal, external, address = _MAP_BODY.unpack_from(data, 24)
    if (theirs, number, internal) != (nonce, transport.pcp, port):
        return None
    return Answer(result, lifetime, _text(address), external)


def nat_pmp_map(transport: Transport, port: int, *, lifetime: int, suggested: int) -> bytes:
    """Ask for a mapping of `port`. Lifetime 0, with 0 suggested, removes it."""
    return struct.pack("!BBHHHI", _NAT_PMP, transport.nat_pmp, 0, port, suggested, lifetime)


def nat_pmp_address() -> bytes:
    """Ask for the address outside."""
    return bytes((_NAT_PMP, 0))


def parse_nat_pmp(data: bytes, transport: Transport, port: int) -> Answer | None:
    """Read an untrusted answer about a mapping; None when it answers something else.

    Raises:
        WireError: no answer of NAT-PMP.
    """
    opcode, result = _nat_pmp_head_untrusted(data)
    if opcode != _RESPONSE | transport.nat_pmp:
        return None
    if result:
        return Answer(result, 0, "", 0)
    if len(data) != 16:
        raise WireError(f"NAT-PMP answer about a mapping of {len(data)} bytes, expected 16")
    internal, external, lifetime = struct.unpack_from("!HHI", data, 8)
    return Answer(0, lifetime, "", external) if internal == port else None


def parse_nat_pmp_address(data: bytes) -> str | None:
    """Read an untrusted answer about the address outside; None when it answers something else, or there is none.

    Raises:
        WireError: no answer of NAT-PMP.
    """
    opcode, result = _nat_pmp_head_untrusted(data)
    if opcode != _RESPONSE or result:
        return None
    if len(data) != 12:
        raise WireError(f"NAT-PMP answer about an address of {len(data)} bytes, expected 12")
    return str(ipaddress.IPv4Address(data[8:12]))


def is_only_nat_pmp(data: bytes) -> bool:
    """Whether a box answers a request of PCP by saying that it speaks version 0 alone (RFC 6886 section 3.5)."""
    return len(data) >= 4 and data[0] == _NAT_PMP and data[2:4] == b"\0\x01"


def _nat_pmp_head_untrusted(data: bytes) -> tuple[int, int]:
    if not 8 <= len(data) <= 16:
        raise WireError(f"NAT-PMP answer of {len(data)} bytes, expected 8 to 16")
    version, opcode, result = struct.unpack_from("!BBH", data)
    if version != _NAT_PMP or opcode < _RESPONSE:
        raise WireError(f"NAT-PMP answer of version {version} and opcode {opcode:#x}, expected 0 and at least 0x80")
    return opcode, result


def _text(address: bytes) -> str:
    found = ipaddress.IPv6Address(address)
    return str(found.ipv4_mapped or found)
