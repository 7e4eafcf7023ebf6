"""Addresses of QUIC: `/ip4/192.0.2.1/udp/4001/quic-v1` (libp2p specs, "addressing/README.md")."""

from __future__ import annotations

from typing import Final

from zwerm.core.machine import Address
from zwerm.multiformats.multiaddr import Multiaddr

PROTOCOL: Final = "quic-v1"


def matches(address: Multiaddr) -> bool:
    """Whether it is one to dial or to listen on."""
    names = [name for name in address.names if name != "p2p"]
    return len(names) == 3 and names[0] in ("ip4", "ip6") and names[1:] == ["udp", PROTOCOL]


def socket_address(address: Multiaddr) -> Address:
    """The host and the port of an address that `matches`."""
    host, port = address.components[0], address.components[1]
    return host.text, int(port.text)


def multiaddr_of(address: Address) -> Multiaddr:
    host, port = address
    return Multiaddr.from_text(f"/ip{6 if ':' in host else 4}/{host}/udp/{port}/{PROTOCOL}")
