"""A multiaddr is refused with WireError, or it survives bytes and text."""

import contextlib

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.multiformats.multiaddr import Multiaddr

_PEER = "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"
_TEXTS = [
    f"/ip4/192.0.2.1/tcp/4001/p2p/{_PEER}",
    "/ip6zone/eth0/ip6/fe80::1/udp/4001/quic-v1/webtransport",
    "/dns4/example.com/tcp/443/tls/sni/example.com/http/http-path/api%2Fv0",
    "/unix/run/zwerm.sock",
    "/memory/4",
    "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234",
    "/ip4/192.0.2.1/udp/1/webrtc-direct/certhash/uEiDDq4_xNyDorZBH3TlGyzJxOWlwMUo4NYvnpjDXx_0ICA",
]
SEEDS = [*map(str.encode, _TEXTS), *(bytes(Multiaddr.from_text(address)) for address in _TEXTS)]


def fuzz(data: bytes) -> None:
    try:
        address = Multiaddr.parse(data)
        assert bytes(Multiaddr(address.components)) == data
        _same(address)
    except WireError:
        pass
    with contextlib.suppress(WireError):
        _same(Multiaddr.from_text(text(data)))


def _same(address: Multiaddr) -> None:
    assert Multiaddr.parse(bytes(address)) == address
    assert Multiaddr.from_text(str(address)) == address
