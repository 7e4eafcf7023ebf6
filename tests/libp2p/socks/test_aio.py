"""Swarms that dial through a proxy: addresses, names that only the proxy knows, onion services, and refusals."""

from __future__ import annotations

import asyncio

import pytest

from tests.libp2p.hosts import seeded_key
from tests.libp2p.socks.server import socks_server
from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.pnet.network_key import NetworkKey
from zwerm.libp2p.socks.aio import destination_of
from zwerm.libp2p.socks.client import Proxy
from zwerm.libp2p.stream import Stream
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.tcp import TcpTransport
from zwerm.multiformats.multiaddr import Multiaddr

ONION = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd"


def through(proxy: Proxy, *, network: NetworkKey | None = None) -> Swarm:
    key = seeded_key(7)
    return Swarm(key, [TcpTransport(Upgrade(securities(key), network=network), proxy=proxy)])


async def echo(stream: Stream) -> None:
    await stream.write(await stream.read())


async def talk(swarm: Swarm, bob: Swarm, address: Multiaddr) -> None:
    connection = await swarm.connect(bob.peer_id, [address])
    assert connection.remote_address == address
    async with await swarm.open_stream(bob.peer_id, ["/echo"]) as stream:
        await stream.write(b"hello")
        assert await stream.read() == b"hello"


@pytest.mark.parametrize("network", [None, NetworkKey(bytes(32))], ids=["public", "private, where both speak first"])
async def test_an_address_is_dialled_through_the_proxy(network: NetworkKey | None) -> None:
    async with asyncio.timeout(30), tcp_host(1, network=network) as bob, socks_server() as proxy:
        bob.handle("/echo", echo)
        await bob.listen([LOOPBACK])
        async with through(Proxy("127.0.0.1", proxy.port), network=network) as swarm:
            await talk(swarm, bob, bob.addresses[0])
            assert proxy.asked == [("127.0.0.1", int(bob.addresses[0].components[1].text))]


@pytest.mark.parametrize(
    ("address", "name", "port"),
    [(f"/onion3/{ONION}:4001", f"{ONION}.onion", 4_001), ("/dns4/node.example/tcp/4001", "node.example", 4_001)],
    ids=["onion service", "name"],
)
async def test_names_are_resolved_by_the_proxy(address: str, name: str, port: int) -> None:
    async with asyncio.timeout(30), tcp_host(1) as bob:
        bob.handle("/echo", echo)
        await bob.listen([LOOPBACK])
        there = ("127.0.0.1", int(bob.addresses[0].components[1].text))
        async with socks_server({name: there}) as proxy, through(Proxy("127.0.0.1", proxy.port)) as swarm:
            await talk(swarm, bob, Multiaddr.from_text(address))
            assert proxy.asked == [(name, port)]


async def test_a_user_logs_in() -> None:
    async with asyncio.timeout(30), tcp_host(1) as bob, socks_server(users={"user": "secret"}) as proxy:
        bob.handle("/echo", echo)
        await bob.listen([LOOPBACK])
        async with through(Proxy("127.0.0.1", proxy.port, "user", "secret")) as swarm:
            await talk(swarm, bob, bob.addresses[0])
        assert proxy.logged_in == ["user"]
        async with through(Proxy("127.0.0.1", proxy.port, "user", "wrong")) as swarm:
            with pytest.raises(DialFailed, match="proxy: the proxy refuses the user name and password"):
                await swarm.connect(bob.peer_id, bob.addresses)


async def test_what_the_proxy_cannot_reach_is_said() -> None:
    async with asyncio.timeout(30), tcp_host(1) as bob, socks_server() as proxy:
        async with through(Proxy("127.0.0.1", proxy.port)) as swarm:
            with pytest.raises(DialFailed, match="proxy: the host is unreachable"):
                await swarm.connect(bob.peer_id, [Multiaddr.from_text(f"/onion3/{ONION}:1")])
        async with socks_server() as gone:
            port = gone.port
        async with through(Proxy("127.0.0.1", port)) as swarm:
            with pytest.raises(DialFailed, match="proxy: "):
                await swarm.connect(bob.peer_id, [LOOPBACK])


async def test_without_a_proxy_names_and_onions_are_not_for_tcp() -> None:
    transport = TcpTransport(Upgrade(securities(seeded_key(7))))
    assert not transport.can_dial(Multiaddr.from_text(f"/onion3/{ONION}:1"))
    assert not transport.can_dial(Multiaddr.from_text("/dns/node.example/tcp/1"))
    assert transport.can_dial(LOOPBACK)
    await transport.close()


@pytest.mark.parametrize("text", ["/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/192.0.2.1/tcp/1/ws", "/memory/1"])
def test_what_a_proxy_cannot_carry_has_no_destination(text: str) -> None:
    assert destination_of(Multiaddr.from_text(text)) is None
