"""The node among nodes: where it listens."""

from pathlib import Path

import pytest

from zwerm.core.errors import TransportError
from zwerm.node.network import listen_addresses
from zwerm.node.node import Node


def node_on(path: Path, swarm: list[str], port_offset: int = 0) -> Node:
    return Node(path, profile="test", overrides={"addresses.swarm": swarm}, port_offset=port_offset)


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
