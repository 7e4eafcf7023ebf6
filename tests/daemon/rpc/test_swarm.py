"""`swarm/*`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.daemon.rpc.networked import address_of, network_of, two_nodes
from zwerm.daemon.rpc.errors import CommandError

NOBODY = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"


async def test_peers_are_connected_listed_and_disconnected(tmp_path: Path) -> None:
    async with two_nodes(tmp_path, connected=False) as (ann, bob):
        peer = str(bob.node.identity)
        assert await ann.call("swarm/peers") == {"Peers": []}
        assert await ann.call("swarm/connect", address_of(bob.node)) == {"Strings": [f"connect {peer} success"]}
        (row,) = (await ann.call("swarm/peers"))["Peers"]
        assert row == {"Addr": address_of(bob.node).rpartition("/p2p/")[0], "Peer": peer, "Identify": {}}
        (row,) = (await ann.call("swarm/peers", verbose=True))["Peers"]
        assert (row["Direction"], row["Muxer"], row["Identify"]["ID"]) == (2, "/yamux/1.0.0", peer)
        (row,) = (await bob.call("swarm/peers", direction=True))["Peers"]
        assert row["Direction"] == 1
        assert await ann.call("swarm/disconnect", f"/p2p/{peer}") == {"Strings": [f"disconnect {peer} success"]}
        assert await ann.call("swarm/peers") == {"Peers": []}
        with pytest.raises(CommandError, match="conn not found"):
            await ann.call("swarm/disconnect", f"/p2p/{peer}")


async def test_a_peer_that_is_not_there_is_a_failure_that_names_it(tmp_path: Path) -> None:
    async with two_nodes(tmp_path, connected=False) as (ann, _):
        with pytest.raises(CommandError, match=r"connect 12D3KooWD3eckif.* failure: .*/ip4/127.0.0.1/tcp/1"):
            await ann.call("swarm/connect", NOBODY)
        for text in ("/ip4/127.0.0.1/tcp/1", "nobody", "/nothing"):
            with pytest.raises(CommandError, match="invalid peer"):
                await ann.call("swarm/connect", text)


async def test_addresses_of_this_node_and_of_others_are_listed(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        swarm = network_of(ann.node).swarm
        listens = [str(address) for address in swarm.listen_addresses]
        assert await ann.call("swarm/addrs/listen") == {"Strings": listens}
        assert address_of(ann.node) in (await ann.call("swarm/addrs/local", id=True))["Strings"]
        assert (await ann.call("swarm/addrs/local"))["Strings"] == [str(address) for address in swarm.addresses]
        known = (await ann.call("swarm/addrs"))["Addrs"]
        assert address_of(bob.node).rpartition("/p2p/")[0] in known[str(bob.node.identity)]


async def test_peers_to_stay_connected_with_are_kept_in_a_list(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        peer, address = str(bob.node.identity), address_of(bob.node)
        with pytest.raises(CommandError, match="the peer is this node"):
            await ann.items("swarm/peering/add", str(ann.node.identity))
        assert await ann.items("swarm/peering/add", address) == [{"ID": peer, "Status": "success"}]
        assert await ann.call("swarm/peering/ls") == {
            "Peers": [{"ID": peer, "Addrs": [address.rpartition("/p2p/")[0]]}]
        }
        assert await ann.items("swarm/peering/rm", peer) == [{"ID": peer, "Status": "success"}]
        assert await ann.call("swarm/peering/ls") == {"Peers": []}


async def test_offline_there_is_no_network_to_ask_about(rpc: Rpc) -> None:
    for path in ("swarm/peers", "swarm/addrs", "swarm/addrs/local", "bitswap/stat", "bitswap/wantlist"):
        with pytest.raises(CommandError, match="must be run in online mode"):
            await rpc.call(path)
