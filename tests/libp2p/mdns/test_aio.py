"""Two nodes on one cable and nothing else: they find each other and connect."""

from __future__ import annotations

import time

import pytest

from tests.libp2p.hosts import seeded_key
from tests.net.mdns.test_aio import LEFT, LEFT6, RIGHT, RIGHT6, neighbours
from tests.net.sockets import until
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.mdns.aio import LanDiscovery, lan_hosts, link_addresses
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.tcp import TcpTransport
from zwerm.multiformats.multiaddr import Multiaddr


class Node:
    """A swarm that listens everywhere and looks for others."""

    def __init__(self, number: int) -> None:
        self.key = seeded_key(number)
        self.peer = PeerId.of(self.key.public)
        self.began = 0.0

    async def start(self, listen: str) -> None:
        self.swarm = Swarm(self.key, [TcpTransport(Upgrade(securities(self.key)))])
        await self.swarm.listen([Multiaddr.from_text(listen)])
        self.discovery = LanDiscovery(self.swarm)
        await self.discovery.__aenter__()
        self.began = time.monotonic()

    async def meet(self, other: PeerId) -> float:
        await until(lambda: self.swarm.connections_to(other))
        return time.monotonic() - self.began

    async def stop(self) -> None:
        await self.discovery.__aexit__(None, None, None)
        await self.swarm.close()


@pytest.mark.parametrize(("left", "right"), [(LEFT, RIGHT), (LEFT6, RIGHT6)], ids=["IPv4", "IPv6"])
async def test_two_nodes_on_a_link_find_each_other_and_connect(left: str, right: str) -> None:
    family = "ip6" if ":" in left else "ip4"
    one, other = Node(0), Node(1)
    with neighbours() as (here, there):
        try:
            await here.do(one.start(f"/{family}/{left}/tcp/0"))
            await there.do(other.start(f"/{family}/{right}/tcp/0"))
            await there.do(other.meet(one.peer))
            await here.do(one.meet(other.peer))
            assert right in str(one.discovery.found[other.peer][0])
        finally:
            await here.do(one.stop())
            await there.do(other.stop())


def test_only_what_a_neighbour_can_dial_is_told() -> None:
    texts = [
        "/ip4/192.0.2.1/tcp/1",
        "/ip4/127.0.0.1/tcp/1",
        "/ip4/0.0.0.0/tcp/1",
        "/ip6/::1/tcp/1",
        "/ip6/fe80::1/tcp/1",
        "/dns4/example.org/tcp/1",
        f"/ip4/192.0.2.1/tcp/1/p2p/{Node(0).peer}/p2p-circuit",
    ]
    told = [str(address) for address in link_addresses(map(Multiaddr.from_text, texts))]
    assert told == ["/ip4/192.0.2.1/tcp/1", "/ip6/fe80::1/tcp/1"]


async def test_the_loopback_is_no_network() -> None:
    with neighbours() as (here, _):

        async def hosts() -> list[str]:
            return lan_hosts()

        found = await here.do(hosts())
    assert LEFT in found
    assert "127.0.0.1" not in found
