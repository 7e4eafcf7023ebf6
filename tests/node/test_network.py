"""The node among nodes: where it listens, and what it gives and gets."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of
from zwerm.core.errors import TransportError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.exchange.failure import FetchFailed
from zwerm.multiformats.cid import CID
from zwerm.node.network import listen_addresses
from zwerm.node.node import Node


def node_on(path: Path, swarm: list[str], port_offset: int = 0, *, online: bool = False) -> Node:
    return Node(path, profile="test", overrides={"addresses.swarm": swarm}, port_offset=port_offset, online=online)


async def test_it_listens_where_the_configuration_says_with_the_port_offset_of_the_run(tmp_path: Path) -> None:
    swarm = ["/ip4/127.0.0.1/tcp/4001", "/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/4001/quic-v1"]
    async with node_on(tmp_path, swarm, port_offset=100) as node:
        assert [str(address) for address in listen_addresses(node)] == [
            "/ip4/127.0.0.1/tcp/4101",
            "/ip4/127.0.0.1/tcp/0",
            "/ip4/127.0.0.1/udp/4101/quic-v1",
        ]


async def test_an_address_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    async with node_on(tmp_path, ["/ip4/300.0.0.1/tcp/4001"]) as node:
        with pytest.raises(TransportError, match=r"addresses.swarm: /ip4/300"):
            listen_addresses(node)


async def test_two_nodes_connect_and_one_gives_the_other_what_it_has(tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    async with (
        Node(tmp_path / "ann", profile="test", online=True) as ann,
        Node(tmp_path / "bob", profile="test", online=True) as bob,
    ):
        assert ann.network is not None
        assert bob.network is not None
        cid = await ann.add(content)
        await bob.network.swarm.connect(ann.identity, ann.network.swarm.listen_addresses)
        assert b"".join([chunk async for chunk in bob.cat(cid)]) == content
        await bob.pin(cid)
        assert await bob.pins.check(cid) is not None
        await bob.get(cid, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == content
    assert ann.network is None


async def test_a_file_is_added_while_somebody_waits_for_it(tmp_path: Path) -> None:
    async with (
        Node(tmp_path / "ann", profile="test", online=True) as ann,
        Node(tmp_path / "bob", profile="test", online=True) as bob,
    ):
        assert ann.network is not None
        assert bob.network is not None
        cid = await ann.add(b"soon" * 1_000, only_hash=True)
        await bob.network.swarm.connect(ann.identity, ann.network.swarm.listen_addresses)
        waiting = asyncio.create_task(bob.source.get(cid))
        async with asyncio.timeout(10):
            while not ann.network.bitswap.server.waited_for:  # noqa: ASYNC110 -- what is waited for tells nobody
                await asyncio.sleep(0.005)
        await ann.add(b"soon" * 1_000)
        assert await waiting == b"soon" * 1_000


async def test_a_node_that_is_offline_has_no_network_and_says_at_once_what_is_not_here(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test") as node:
        assert node.network is None
        with pytest.raises(BlockNotFound):
            await node.source.get(CID.of(b"nowhere"))


async def test_a_node_that_knows_nobody_says_at_once_that_it_can_ask_nobody(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test", online=True) as node:
        with pytest.raises(FetchFailed, match="connected to nobody"):
            await node.source.get(CID.of(b"nowhere"))


async def test_a_taken_address_is_named(tmp_path: Path) -> None:
    async with Node(tmp_path / "ann", profile="test", online=True) as ann:
        assert ann.network is not None
        address, *_ = ann.network.swarm.listen_addresses
        with pytest.raises(TransportError, match=str(address)):
            await node_on(tmp_path / "bob", [str(address)], online=True).open()


@pytest.mark.parametrize("key", ["network.download", "network.upload"])
async def test_a_cap_on_bandwidth_holds_between_real_nodes(tmp_path: Path, key: str) -> None:
    """A second's worth may go at once; the rest waits for its turn, so that it cannot have come sooner."""
    capped = {key: "300kB"}
    content = os.urandom(1_000_000)
    async with (
        Node(tmp_path / "ann", profile="test", overrides=capped if key.endswith("upload") else {}, online=True) as ann,
        Node(
            tmp_path / "bob", profile="test", overrides=capped if key.endswith("download") else {}, online=True
        ) as bob,
    ):
        await network_of(bob).swarm.connect(ann.identity, network_of(ann).swarm.listen_addresses)
        cid = await ann.add(content)
        clock = asyncio.get_running_loop().time
        began = clock()
        assert b"".join([chunk async for chunk in bob.cat(cid)]) == content
        assert clock() - began >= 1.5  # (1,000 - 300) / 300 seconds, less the last piece, which may overdraw


async def test_a_changed_cap_takes_effect_without_a_new_start(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test", online=True) as node:
        bandwidth = network_of(node).swarm.bandwidth
        assert (bandwidth.upload.bytes_per_second, bandwidth.download.bytes_per_second) == (None, None)
        node.config.set("network.upload", "1MB")
        await asyncio.sleep(0)
        assert (bandwidth.upload.bytes_per_second, bandwidth.download.bytes_per_second) == (1_000_000, None)
        node.config.unset("network.upload")
        await asyncio.sleep(0)
        assert bandwidth.upload.bytes_per_second is None


async def test_limits_on_connections_follow_their_setting(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test", overrides={"network.connections": 40}, online=True) as node:
        limits = network_of(node).swarm.limits
        assert (limits.connections, limits.high_water, limits.low_water) == (160, 40, 25)
