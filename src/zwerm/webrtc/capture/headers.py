"""The headers of IP and UDP that a datagram had on its way, made up: sockets show neither (RFC 791, 8200, 768).

What is not known is what most senders write: no fragments, 64 hops. Addresses, ports, lengths and checksums are right.
"""

from __future__ import annotations

import functools
import ipaddress
import struct
from typing import Final

from zwerm.core.machine import Address

UDP: Final = 17  # protocol numbers of IANA
SCTP: Final = 132

_HOPS: Final = 64
_DO_NOT_FRAGMENT: Final = 0x4000
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_IPV6: Final = struct.Struct("!IHBB16s16s")
_UDP: Final = struct.Struct("!HHHH")


def udp_packet(source: Address, destination: Address, data: bytes) -> bytes:
    """A datagram with its headers."""
    ours, theirs = _addresses(source[0], destination[0])
    length = _UDP.size + len(data)
    pseudo = ours + theirs + struct.pack("!HH", UDP, length)
    bare = _UDP.pack(source[1], destination[1], length, 0)
    checksum = _checksum(pseudo + bare + data) or 0xFFFF  # zero would say that there is none
    return _ip_header(ours, theirs, UDP, length) + _UDP.pack(source[1], destination[1], length, checksum) + data


def sctp_packet(source: str, destination: str, data: bytes) -> bytes:
    """A packet of SCTP as if it had gone over IP itself."""
    ours, theirs = _addresses(source, destination)
    return _ip_header(ours, theirs, SCTP, len(data)) + data


def _ip_header(source: bytes, destination: bytes, protocol: int, size: int) -> bytes:
    if len(source) == 16:
        return _IPV6.pack(6 << 28, size, protocol, _HOPS, source, destination)
    fields = (0x45, 0, _IPV4.size + size, 0, _DO_NOT_FRAGMENT, _HOPS, protocol)
    checksum = _checksum(_IPV4.pack(*fields, 0, source, destination))
    return _IPV4.pack(*fields, checksum, source, destination)


def _checksum(data: bytes) -> int:
    """RFC 1071: the complement of the sum of 16-bit words, which is the number modulo 65535."""
    if len(data) % 2:
        data += b"\0"
    rest = int.from_bytes(data, "big") % 0xFFFF
    return 0xFFFF - rest


@functools.lru_cache(maxsize=256)
def _addresses(source: str, destination: str) -> tuple[bytes, bytes]:
    """Both as bytes of one family; a name, which a header cannot carry, is the unspecified address."""
    ours, theirs = _numeric(source), _numeric(destination)
    if ours.version == theirs.version:
        return ours.packed, theirs.packed
    return _mapped(ours), _mapped(theirs)


def _numeric(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ipaddress.IPv4Address(0)


def _mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
