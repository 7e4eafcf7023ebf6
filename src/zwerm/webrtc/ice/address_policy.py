"""Which addresses of a remote description are not checked at all.

A description is written by the other side, and every candidate in it is an address to which we will send datagrams.
A check proves nothing of ours and says little, but services that answer to anything on loopback, to the cloud's
metadata address or to a whole multicast group must not see even that. An address is judged by what it stands for, so
those that carry an IPv4 address inside (mapped, compatible, 6to4, Teredo, NAT64) are judged by it too.

Private addresses are allowed: they are how two hosts of one home find each other.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator
from typing import Final, TypeAlias

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

CACHED: Final = 256  # addresses; each is asked for several times

LOOPBACK: Final[tuple[Network, ...]] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

_METADATA: Final = frozenset(
    ipaddress.ip_address(host)
    for host in (
        "169.254.169.254",  # AWS, Azure, Google, and most others
        "169.254.170.2",  # AWS container credentials
        "fd00:ec2::254",  # AWS by IPv6
        "fd20:ce::254",  # Google by IPv6
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's host agent
        "192.0.0.192",  # Oracle
    )
)
_NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_THIS_NETWORK: Final = ipaddress.ip_network("0.0.0.0/8")


@functools.lru_cache(CACHED)
def refusal(host: str, allowed: tuple[Network, ...] = ()) -> str | None:
    """Say what is wrong with sending to `host`; None when nothing is.

    Args:
        host: a numeric address.
        allowed: networks that are good in spite of what is said here.
    """
    address = ipaddress.ip_address(host)
    if any(address.version == network.version and address in network for network in allowed):
        return None
    for meant in (address, *_embedded(address)):
        if reason := _judge(meant):
            return reason if meant == address else f"{reason} ({meant}) inside an IPv6 address"
    return None


def _judge(address: IPAddress) -> str | None:
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "unspecified"
    if address in _METADATA:
        return "a metadata service"
    if address.is_loopback:
        return "loopback"
    if address.is_multicast:
        return "multicast"
    if address.version == 4 and address.is_reserved:
        return "broadcast or reserved"
    if address.version == 6 and address.is_link_local:
        return "link-local without a zone"
    return None


def _embedded(address: IPAddress) -> Iterator[IPAddress]:
    if not isinstance(address, ipaddress.IPv6Address):
        return
    for inside in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
        if inside is not None:
            yield inside
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 0xFFFF):
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
