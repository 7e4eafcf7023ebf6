"""Private nodes by swarm.key, and nodes that go through a proxy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.libp2p.socks.server import socks_server
from zwerm.core.errors import LocalProtocolError, StorageError
from zwerm.core.random import seeded
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.pnet.network_key import NetworkKey
from zwerm.libp2p.socks.client import Proxy
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.access import KEY_NAME, network_key, parse_proxy
from zwerm.node.node import Node

KEY = NetworkKey.generate(seeded("private nodes"))
ADDRESSES = {
    "tcp": "/ip4/127.0.0.1/tcp/0",
    "websocket": "/ip4/127.0.0.1/tcp/0/ws",
    "webrtc": "/ip4/127.0.0.1/udp/0/webrtc-direct",
    "quic": "/ip4/127.0.0.1/udp/0/quic-v1",
}


@contextlib.asynccontextmanager
async def node_in(
    path: Path, key: NetworkKey | None, listening: str = "tcp", **overrides: object
) -> AsyncIterator[Node]:
    async with Node(path, profile="test"):
        if key is not None:
            (path / KEY_NAME).write_bytes(key.serialize())
    settings = {"addresses.swarm": [ADDRESSES[listening]], **overrides}
    async with Node(path, profile="test", overrides=settings, online=True) as node:
        yield node


async def test_a_private_node_dials_nothing_that_would_be_public(tmp_path: Path) -> None:
    async with node_in(tmp_path / "ann", None, "quic") as ann, node_in(tmp_path / "bob", KEY) as bob:
        assert ann.network is not None
        assert bob.network is not None
        with pytest.raises(DialFailed, match="no transport"):
            await bob.network.swarm.connect(ann.identity, ann.network.swarm.listen_addresses)


async def test_webrtc_and_quic_share_a_port(tmp_path: Path) -> None:
    async with node_in(tmp_path / "ann", None, "quic") as ann:
        assert ann.network is not None
        swarm = ann.network.swarm
        port = swarm.listen_addresses[0].value("udp")
        await swarm.listen([Multiaddr.from_text(f"/ip4/127.0.0.1/udp/{port}/webrtc-direct")])
        assert {address.value("udp") for address in swarm.listen_addresses} == {port}
        async with node_in(tmp_path / "bob", None, "quic") as bob:
            assert bob.network is not None
            for address in swarm.listen_addresses:
                connection = await bob.network.swarm.connect(ann.identity, [address])
                await connection.close()


@pytest.mark.parametrize("listening", ["tcp", "websocket"])
async def test_nodes_with_the_same_key_are_among_themselves(listening: str, tmp_path: Path) -> None:
    async with (
        asyncio.timeout(60),
        node_in(tmp_path / "ann", KEY, listening) as ann,
        node_in(tmp_path / "bob", KEY) as bob,
    ):
        assert ann.network is not None
        assert bob.network is not None
        cid = await ann.add(b"among ourselves")
        await bob.network.swarm.connect(ann.identity, ann.network.swarm.listen_addresses)
        assert b"".join([chunk async for chunk in bob.cat(cid)]) == b"among ourselves"


@pytest.mark.parametrize("listening", ["webrtc", "quic"])
async def test_a_private_node_listens_on_nothing_that_would_be_public(listening: str, tmp_path: Path) -> None:
    async with node_in(tmp_path / "ann", KEY, listening) as ann:
        assert ann.network is not None
        assert ann.network.swarm.listen_addresses == ()
    async with node_in(tmp_path / "bob", None, listening) as bob:
        assert bob.network is not None
        assert len(bob.network.swarm.listen_addresses) == 1


async def test_a_key_that_is_none_keeps_the_node_from_going_public(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test") as node:
        assert network_key(node) is None
        (tmp_path / KEY_NAME).write_bytes(b"not a key")
        with pytest.raises(StorageError, match=r"swarm\.key.* begins with b'not a key'"):
            network_key(node)
        (tmp_path / KEY_NAME).unlink()
        (tmp_path / KEY_NAME).mkdir()
        with pytest.raises(StorageError, match="cannot read"):
            network_key(node)


async def test_a_node_with_a_proxy_dials_through_it_alone(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(60),
        socks_server() as proxy,
        node_in(tmp_path / "ann", None) as ann,
        node_in(tmp_path / "bob", None, "webrtc", **{"network.proxy": f"socks5://127.0.0.1:{proxy.port}"}) as bob,
    ):
        assert ann.network is not None
        assert bob.network is not None
        await bob.network.swarm.connect(ann.identity, ann.network.swarm.listen_addresses)
        assert [host for host, _ in proxy.asked] == ["127.0.0.1"]
        assert bob.network.swarm.listen_addresses == ()


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("", None),
        ("socks5://127.0.0.1:9050", Proxy("127.0.0.1", 9_050)),
        ("socks5h://[::1]:9050", Proxy("::1", 9_050)),
        ("socks5://user:p%40ss@proxy.example:1080", Proxy("proxy.example", 1_080, "user", "p@ss")),
    ],
)
def test_addresses_of_proxies(text: str, proxy: Proxy | None) -> None:
    assert parse_proxy(text) == proxy


@pytest.mark.parametrize(
    "text", ["127.0.0.1:9050", "http://127.0.0.1:9050", "socks5://127.0.0.1", "socks5://:secret@", "socks5://h:x", "x"]
)
def test_what_is_no_proxy_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="not an address of a proxy") as refused:
        parse_proxy(text)
    assert "secret" not in str(refused.value)
