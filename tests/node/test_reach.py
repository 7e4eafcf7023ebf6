"""How a node is reached: through a relay, and knowing whether its addresses lead to it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.net.sockets import until
from zwerm.libp2p.host import HostEvent, ReachabilityChanged
from zwerm.libp2p.identify import aio as identify
from zwerm.libp2p.swarm import Swarm
from zwerm.node.network import Network
from zwerm.node.node import Node


@contextlib.asynccontextmanager
async def joined(path: Path, **overrides: object) -> AsyncIterator[tuple[Node, Network, Swarm]]:
    settings = {name.replace("__", "."): value for name, value in overrides.items()}
    async with Node(path, profile="test", overrides=settings, online=True) as node:
        assert node.network is not None
        yield node, node.network, node.network.swarm


async def test_a_node_that_listens_nowhere_is_reached_through_its_relay(tmp_path: Path) -> None:
    async with joined(tmp_path / "relay", relay__serve=True) as (relay, at_relay, relaying):
        by_tcp = next(address for address in relaying.listen_addresses if address.names == ("ip4", "tcp"))
        through = f"{by_tcp}/p2p/{relay.identity}"
        async with (
            joined(tmp_path / "hidden", addresses__swarm=[], relay__through=[through]) as (hidden, _, hiding),
            joined(tmp_path / "caller") as (_, _, calling),
        ):
            await until(lambda: any("p2p-circuit" in address.names for address in hiding.addresses))
            connection = await calling.connect(hidden.identity, hiding.addresses)
            assert connection.is_limited
            assert connection.security == "/noise" or connection.security.startswith("/tls")
            relay_server = at_relay.reach.relay
            assert relay_server is not None
            await until(lambda: relay_server.circuits == 1)  # another, by the relay's other address, was dialled beside


async def test_a_relay_that_comes_later_is_found_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.node.reach.RETRY_RELAY", (0.05,))
    async with joined(tmp_path / "relay") as (relay, _, relaying):
        address = next(address for address in relaying.listen_addresses if address.names == ("ip4", "tcp"))
        through = [f"{address}/p2p/{relay.identity}"]
        async with joined(tmp_path / "hidden", addresses__swarm=[], relay__through=through) as (_, _, hiding):
            await until(lambda: hiding.connections)
            assert list(hiding.addresses) == []
            from zwerm.libp2p.relay.aio import RelayServer

            server = RelayServer(relaying)
            server.start()
            await until(lambda: hiding.addresses)


async def test_a_node_learns_that_it_is_reached_from_those_who_dial_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify, "is_public", lambda address: "tcp" in address.names)  # the loopback, for this once
    monkeypatch.setattr("zwerm.node.reach.SETTLE", 0.01)
    heard: list[HostEvent] = []
    async with contextlib.AsyncExitStack() as stack:
        _, network, swarm = await stack.enter_async_context(joined(tmp_path / "asker"))
        swarm.subscribe(heard.append)
        for number in range(3):
            _, _, server = await stack.enter_async_context(joined(tmp_path / f"server-{number}"))
            await swarm.connect(server.peer_id, server.listen_addresses)
        await until(lambda: ReachabilityChanged(is_public=True) in heard)
        assert network.reach.reachability.is_public is True
