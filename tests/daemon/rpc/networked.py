"""Two nodes on the loopback that are connected, to run commands about the network on."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.daemon.rpc.caller import Rpc
from zwerm.node.network import Network
from zwerm.node.node import Node


def network_of(node: Node) -> Network:
    assert node.network is not None
    return node.network


def address_of(node: Node) -> str:
    """Where the node is reached over TCP, with its ID."""
    addresses = network_of(node).swarm.listen_addresses
    return next(f"{address}/p2p/{node.identity}" for address in addresses if address.names[-1] == "tcp")


@contextlib.asynccontextmanager
async def two_nodes(folder: Path, *, connected: bool = True) -> AsyncIterator[tuple[Rpc, Rpc]]:
    async with (
        Node(folder / "ann", profile="test", online=True) as ann,
        Node(folder / "bob", profile="test", online=True) as bob,
    ):
        one, other = Rpc(ann), Rpc(bob)
        if connected:
            await one.call("swarm/connect", address_of(bob))
        yield one, other
