"""Which addresses a DHT lives on: the public one, a local network's, or any (ipfs specs, "IPFS LAN DHTs").

Also which group of addresses one belongs to, for the limit on how many peers of one owner a routing table holds (ipfs
specs, "IP Diversity Filter"). Addresses are multiaddrs in binary; only their first component is read.
"""

from __future__ import annotations

import enum
import functools
import ipaddress
from collections.abc import Iterable
from typing import Final

_IP4: Final = 0x04
_IP6: Final = 0x29
_DNS: Final = frozenset((53, 54, 55, 56))  # dns, dns4, dns6, dnsaddr
_CIRCUIT: Final = b"\xa2\x02"  # p2p-circuit: through a relay

# Class A blocks that one organisation got whole (IANA, "IPv4 Address Space Registry", legacy rows).
_LEGACY_CLASS_A: Final = frozenset((12, 17, 19, 38, 48, 53, 56, 73))


class Scope(enum.Enum):
    """Whose addresses count."""

    PUBLIC = "addresses that the whole internet reaches"
    PRIVATE = "addresses of this machine and its local networks"
    ANY = "every address, for tests and private swarms"


def in_scope(address: bytes, scope: Scope, *, relayed: bool = False) -> bool:
    """Whether an untrusted multiaddr counts in a DHT of this scope.

    A server that is only reached through a relay is none; a provider is, so for those `relayed` addresses count too.
    """
    if scope is Scope.ANY:
        return len(address) > 2
    if _CIRCUIT in address and not relayed:
        return False
    ip = _ip_untrusted(address)
    if ip is None:
        return scope is Scope.PUBLIC and address[:1] != b"" and address[0] in _DNS
    return _is_public(ip) == (scope is Scope.PUBLIC)


def filter_addresses(addresses: Iterable[bytes], scope: Scope, *, relayed: bool = False) -> tuple[bytes, ...]:
    """Return those that count, in their order."""
    return tuple(address for address in addresses if in_scope(address, scope, relayed=relayed))


def group_of(address: bytes) -> str | None:
    """Return the group of an untrusted multiaddr: /16 of IPv4, /8 where that is one owner's, /32 of IPv6.

    The specification groups IPv6 by number of the autonomous system. A /32 is what a registry gives to one, and needs
    no table of the internet. None: no IP address.
    """
    ip = _ip_untrusted(address)
    if ip is None:
        return None
    if len(ip) == 16:
        return ip[:4].hex()
    return str(ip[0]) if ip[0] in _LEGACY_CLASS_A else f"{ip[0]}.{ip[1]}"


def _ip_untrusted(address: bytes) -> bytes | None:
    if len(address) >= 5 and address[0] == _IP4:
        return address[1:5]
    if len(address) >= 17 and address[0] == _IP6:
        return address[1:17]
    return None


@functools.lru_cache(4_096)
def _is_public(ip: bytes) -> bool:
    parsed = ipaddress.ip_address(ip)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_global
    return parsed.is_global and not parsed.is_multicast
