"""Addresses of QUIC, and what looks like them."""

from __future__ import annotations

import pytest

from zwerm.libp2p.transports.quic.address import matches, multiaddr_of, socket_address
from zwerm.multiformats.multiaddr import Multiaddr

PEER = "/p2p/12D3KooWNv8AKkeLaTsXq2ZU9YkwDKejZGHW4fesnSNzCBp9TD9h"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/ip4/192.0.2.1/udp/4001/quic-v1", True),
        ("/ip6/2001:db8::1/udp/4001/quic-v1", True),
        (f"/ip4/192.0.2.1/udp/4001/quic-v1{PEER}", True),
        ("/ip4/192.0.2.1/udp/4001/quic", False),
        ("/ip4/192.0.2.1/udp/4001/quic-v1/webtransport", False),
        ("/ip4/192.0.2.1/tcp/4001", False),
        ("/dns4/example.org/udp/4001/quic-v1", False),
        (f"/ip4/192.0.2.1/udp/4001/quic-v1{PEER}/p2p-circuit", False),
    ],
)
def test_what_is_dialled(text: str, *, expected: bool) -> None:
    assert matches(Multiaddr.from_text(text)) is expected


@pytest.mark.parametrize("address", [("192.0.2.1", 4_001), ("2001:db8::1", 1)], ids=["IPv4", "IPv6"])
def test_addresses_of_sockets_and_back(address: tuple[str, int]) -> None:
    assert socket_address(multiaddr_of(address)) == address
