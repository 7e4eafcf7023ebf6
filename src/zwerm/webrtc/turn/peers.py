"""Which addresses a relay sends to: the public internet, and nothing on this side of it (RFC 8656 section 21.2).

A relay stands where its clients do not: beside databases, routers and the metadata service of a cloud, which trust
whoever reaches them. So every range that is not public is refused, in whichever family and spelling it comes:

* as an IPv4 address, as the same in IPv6 (`::ffff:127.0.0.1`, `::127.0.0.1`), as what a NAT64 would translate back
  (`64:ff9b::7f00:1`), and as what tunnels would unwrap (6to4, Teredo);
* what is neither plain public IPv4 nor global unicast IPv6 is refused for that reason alone.

`allow` opens ranges again, for a relay whose purpose is to lead into a private network.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from typing import Final, TypeAlias

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.address import pack_host

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

REFUSED_IPV4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host, this network (RFC 1122 section 3.2.1.3); Linux takes 0.0.0.0 for itself
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598), and metadata of Alibaba Cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # the host behind every machine of Azure
        "169.254.0.0/16",  # link-local (RFC 3927), and metadata of most clouds
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890), and metadata of Oracle's cloud
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
REFUSED_IPV6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo (RFC 4380), benchmarks, ORCHID
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4 (RFC 3056): wraps any IPv4 address
        "3fff::/20",  # documentation (RFC 9637)
    )
)
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052; 64:ff9b:1::/48 is private, and refused

_CACHED: Final = 4_096  # verdicts


class PeerPolicy:
    """Says of an address whether a relay may send to it."""

    def __init__(self, allow: Iterable[Network] = (), deny: Iterable[Network] = ()) -> None:
        """`allow` opens what is refused otherwise; `deny` closes more, and is stronger."""
        self._allow = tuple(allow)
        self._deny = tuple(deny)
        self.allows = functools.lru_cache(_CACHED)(self._allows)

    def opens(self, host: str) -> bool:
        """Whether `allow` names this address."""
        address = ipaddress.ip_address(pack_host(host))
        return self.allows(host) and any(address in network for network in self._allow)

    def _allows(self, host: str) -> bool:
        address = ipaddress.ip_address(pack_host(host))
        spellings = spellings_of(address)
        if any(spelling in network for spelling in spellings for network in self._deny):
            return False
        if any(address in network for network in self._allow):
            return True
        return all(is_public(spelling) for spelling in spellings)


def spellings_of(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    """The address, and the IPv4 address that others would take it for."""
    if isinstance(address, ipaddress.IPv6Address) and address in NAT64:
        return address, ipaddress.IPv4Address(address.packed[12:])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address, address.ipv4_mapped
    return (address,)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in REFUSED_IPV4)
    if address in NAT64:
        return True  # as far as its IPv4 address is
    return address in GLOBAL_UNICAST and not any(address in network for network in REFUSED_IPV6)


def parse_network(text: str) -> Network:
    """Read an address or a range from a configuration.

    Only the one usual spelling is taken: `127.1`, `2130706433`, `0x7f000001` and `010.0.0.1` mean different things to
    different programs.

    Raises:
        LocalProtocolError: not an address, or a range with bits set beside its prefix.
    """
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise LocalProtocolError(f"{text!r} is no range of addresses: {error}") from None
