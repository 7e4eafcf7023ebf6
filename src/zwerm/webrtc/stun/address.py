"""Transport addresses as STUN writes them (RFC 8489 sections 14.1 and 14.2).

        0        1        2                 4
    +--------+--------+-----------------+-------------------
    |    0   | family |       port      | 4 or 16 bytes ...
    +--------+--------+-----------------+-------------------

In the XOR form port and address are combined with the magic cookie and the transaction ID, so that translators which
rewrite every address they find in a payload leave these alone. Text is what the kernel would print (RFC 5952), so an
address from a message equals the same address from a socket. The same few addresses pass again and again: both
directions are cached.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Address

MAGIC_COOKIE: Final = bytes.fromhex("2112a442")  # RFC 8489 section 5
IPV4: Final = 0x01
IPV6: Final = 0x02

_CACHED: Final = 4_096  # addresses; about 200 bytes each
_PORT_MASK: Final = int.from_bytes(MAGIC_COOKIE[:2], "big")
_COOKIE_MASK: Final = int.from_bytes(MAGIC_COOKIE, "big")
_FAMILIES: Final = {4: IPV4, 16: IPV6}
_SIZES: Final = {IPV4: 4, IPV6: 16}
_MAPPED: Final = bytes(10) + b"\xff\xff"  # RFC 4291 section 2.5.5.2


@functools.lru_cache(_CACHED)
def pack_host(host: str) -> bytes:
    """Return the 4 or 16 bytes of a numeric address; a scope (`%eth0`) means nothing to others and is left out.

    Raises:
        LocalProtocolError: this is a name, or nothing at all.
    """
    try:
        return ipaddress.ip_address(host.partition("%")[0]).packed
    except ValueError:
        raise LocalProtocolError(f"{host!r} is not a numeric IP address") from None


@functools.lru_cache(_CACHED)
def host_text(packed: bytes) -> str:
    """Return 4 or 16 bytes as text."""
    if len(packed) == 4:
        return ".".join(map(str, packed))
    if packed.startswith(_MAPPED):
        return f"::ffff:{host_text(packed[12:])}"
    return ipaddress.IPv6Address(packed).compressed


def family_of(host: str) -> int:
    """`IPV4` or `IPV6`.

    Raises:
        LocalProtocolError: `host` is not a numeric address.
    """
    return _FAMILIES[len(pack_host(host))]


def serialize_address(address: Address) -> bytes:
    packed = pack_host(address[0])
    return bytes((0, _FAMILIES[len(packed)])) + address[1].to_bytes(2, "big") + packed


def parse_address(data: bytes) -> Address:
    """Read the plain form.

    Raises:
        WireError: a family we do not know, or a size that is not the family's.
    """
    return host_text(_host_of(data)), int.from_bytes(data[2:4], "big")


def serialize_xor_address(address: Address, transaction_id: bytes) -> bytes:
    packed = pack_host(address[0])
    port = address[1] ^ _PORT_MASK
    return bytes((0, _FAMILIES[len(packed)])) + port.to_bytes(2, "big") + _xor(packed, transaction_id)


def parse_xor_address(data: bytes, transaction_id: bytes) -> Address:
    """Read the XOR form.

    Raises:
        WireError: a family we do not know, or a size that is not the family's.
    """
    host = host_text(_xor(_host_of(data), transaction_id))
    return host, int.from_bytes(data[2:4], "big") ^ _PORT_MASK


def _host_of(data: bytes) -> bytes:
    size = _SIZES.get(data[1]) if len(data) >= 4 else None
    if size is None:
        raise WireError(f"address {data[:4].hex()}, expected family 1 or 2")
    if len(data) != 4 + size:
        raise WireError(f"address of {len(data)} bytes, expected {4 + size} for family {data[1]}")
    return data[4:]


def _xor(packed: bytes, transaction_id: bytes) -> bytes:
    if len(packed) == 4:
        return (int.from_bytes(packed, "big") ^ _COOKIE_MASK).to_bytes(4, "big")
    mask = int.from_bytes(MAGIC_COOKIE + transaction_id, "big")
    return (int.from_bytes(packed, "big") ^ mask).to_bytes(16, "big")
