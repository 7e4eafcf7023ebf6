"""Peers that the node stays connected with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.libp2p.hosts import hosts
from zwerm.core.errors import WireError
from zwerm.libp2p.host import HostEvent, PeerConnected
from zwerm.node import peering
from zwerm.node.peering import Peering, join_through, parse_peer_address

ID = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- what is waited for tells nobody
            await asyncio.sleep(0.005)


def test_an_address_with_a_peer_is_taken_apart() -> None:
    peer, address = parse_peer_address(f"/ip4/127.0.0.1/tcp/4001/p2p/{ID}")
    assert (str(peer), str(address)) == (ID, "/ip4/127.0.0.1/tcp/4001")
    assert parse_peer_address(f"/ip4/127.0.0.1/tcp/4001/ipfs/{ID}") == (peer, address)
    assert parse_peer_address(f"/p2p/{ID}") == (peer, None)


@pytest.mark.parametrize("text", ["/ip4/127.0.0.1/tcp/4001", "nothing", "", "/p2p/zzz"])
def test_an_address_without_a_peer_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        parse_peer_address(text)


async def test_a_peer_that_is_lost_is_dialled_again_until_it_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peering, "_FIRST", 0.01)
    async with hosts(2) as (ann, bob):
        met: list[HostEvent] = []
        ann.subscribe(lambda event: met.append(event) if isinstance(event, PeerConnected) else None)
        kept = Peering(ann)
        kept.add(bob.peer_id, bob.listen_addresses)
        await until(lambda: len(met) == 1 and bob.connections_to(ann.peer_id))
        await bob.disconnect(ann.peer_id)
        await until(lambda: len(met) == 2 and bob.connections_to(ann.peer_id))
        assert kept.remove(bob.peer_id)
        assert not kept.remove(bob.peer_id)
        await bob.disconnect(ann.peer_id)
        await until(lambda: not ann.connections_to(bob.peer_id))
        assert kept.peers == {}
        await kept.close()
        await kept.close()


async def test_a_node_that_knows_nobody_goes_to_its_bootstrap_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peering, "_FIRST", 0.01)
    async with hosts(2) as (ann, bob):
        addresses = ["nothing", f"/memory/99/p2p/{ID}", f"{bob.listen_addresses[0]}/p2p/{bob.peer_id}"]
        joining = asyncio.create_task(join_through(ann, addresses))
        await until(lambda: ann.connections_to(bob.peer_id))
        joining.cancel()
        await asyncio.wait([joining])
