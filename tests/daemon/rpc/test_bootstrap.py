"""`bootstrap/*`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import CommandError
from zwerm.node.node import Node

PEER = "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
OTHER = PEER.replace("192.0.2.7", "192.0.2.8")


async def test_peers_are_added_listed_and_removed(tmp_path: Path) -> None:
    async with Node(tmp_path / "repository", profile="default") as node:
        rpc = Rpc(node)
        assert await rpc.call("bootstrap/add", PEER, OTHER, PEER) == {"Peers": [PEER, OTHER, PEER]}
        assert await rpc.call("bootstrap/list") == await rpc.call("bootstrap") == {"Peers": [PEER, OTHER]}
        assert await rpc.call("bootstrap/rm", PEER) == {"Peers": [PEER]}
        assert await rpc.call("bootstrap/rm/all") == {"Peers": [OTHER]}
        await rpc.call("bootstrap/add", PEER)
        assert await rpc.call("bootstrap/rm", all=True) == {"Peers": [PEER]}


async def test_what_is_no_peer_is_refused(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="does not end in /p2p/ID"):
        await rpc.call("bootstrap/add", "/ip4/192.0.2.7/tcp/4001")
    with pytest.raises(CommandError, match="no peers given; zwerm has no default list"):
        await rpc.call("bootstrap/add")
    for word in ("default", "auto"):
        with pytest.raises(CommandError, match=r"^zwerm has no default list: name the peers"):
            await rpc.call("bootstrap/add", word)
    with pytest.raises(CommandError, match="--all removes every one"):
        await rpc.call("bootstrap/rm")
    with pytest.raises(Exception, match="the profile test joins nobody"):
        await rpc.call("bootstrap/add", PEER)
