"""Which address is tried first."""

from zwerm.libp2p.swarm.ranking import ranked
from zwerm.multiformats.multiaddr import Multiaddr

RELAY = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"


def texts(*addresses: str) -> list[str]:
    return [str(address) for address in ranked(map(Multiaddr.from_text, addresses))]


def test_direct_before_relayed_and_cheap_before_dear() -> None:
    relayed = f"/ip4/192.0.2.1/tcp/1/p2p/{RELAY}/p2p-circuit"
    tcp, quic, ws = "/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/192.0.2.1/tcp/2/ws"
    assert texts(relayed, ws, tcp, quic, tcp) == [tcp, quic, ws, relayed]


def test_families_take_turns() -> None:
    fours = [f"/ip4/192.0.2.{number}/tcp/1" for number in (1, 2, 3)]
    sixes = [f"/ip6/2001:db8::{number}/tcp/1" for number in (1,)]
    assert texts(*fours, *sixes) == [sixes[0], *fours]
    assert texts() == []
