"""Peers that were met: what is written down of them, what is not, and how a node finds back by it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of
from tests.libp2p.hosts import hosts
from tests.node.test_peering import until
from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node import remembered
from zwerm.node.node import Node
from zwerm.node.remembered import (
    EXPIRY,
    MAX_ADDRESSES,
    MAX_FAILURES,
    MAX_PEERS,
    MAX_SIZE,
    NAME,
    PeerMemory,
    RememberedPeers,
    keeps,
)

NOW = 1_000_000_000.0
ADDRESS = Multiaddr.from_text("/ip4/1.2.3.4/tcp/4001")


def someone() -> PeerId:
    return PeerId.of(PrivateKey.generate().public)


def test_who_was_met_comes_back_from_the_file() -> None:
    peers, one, other = RememberedPeers(), someone(), someone()
    peers.meet(one, ADDRESS, NOW)
    peers.meet(other, Multiaddr.from_text("/dns4/node.example/tcp/443/wss"), NOW + 1)
    again = RememberedPeers()
    again.load(peers.serialize(), NOW + 2)
    assert again.candidates() == peers.candidates()
    assert [peer for peer, _ in again.candidates()] == [other, one]


def test_the_file_is_bounded_in_peers_and_addresses() -> None:
    peers = RememberedPeers()
    first = someone()
    for number in range(MAX_ADDRESSES + 1):
        peers.meet(first, Multiaddr.from_text(f"/ip4/1.2.3.4/tcp/{number + 1}"), NOW)
    ((_, addresses),) = peers.candidates()
    assert [str(each) for each in addresses] == [f"/ip4/1.2.3.4/tcp/{number}" for number in (5, 4, 3, 2)]
    for _ in range(MAX_PEERS):
        peers.meet(someone(), ADDRESS, NOW)
    assert len(peers) == MAX_PEERS
    assert first not in dict(peers.candidates())
    assert len(peers.serialize()) < MAX_SIZE


def test_what_is_old_or_from_the_future_is_left_out() -> None:
    peers, old, alive = RememberedPeers(), someone(), someone()
    peers.meet(old, ADDRESS, NOW)
    peers.meet(alive, ADDRESS, NOW + 1)
    later = RememberedPeers()
    later.load(peers.serialize(), NOW + EXPIRY)
    assert [peer for peer, _ in later.candidates()] == [alive]
    earlier = RememberedPeers()
    earlier.load(peers.serialize(), NOW - 1)
    assert len(earlier) == 0


def test_who_fails_again_and_again_is_forgotten_and_one_meeting_makes_up_for_it() -> None:
    peers, one, other = RememberedPeers(), someone(), someone()
    peers.meet(other, ADDRESS, NOW)
    peers.meet(one, ADDRESS, NOW + 1)
    peers.fail(one)
    assert [peer for peer, _ in peers.candidates()] == [other, one]
    peers.meet(one, ADDRESS, NOW + 2)
    for _ in range(MAX_FAILURES):
        assert one in dict(peers.candidates())
        peers.fail(one)
    assert [peer for peer, _ in peers.candidates()] == [other]
    peers.fail(one)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": 2, "peers": []}', b'{"version": 1}', b"[" * 100_000])
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        RememberedPeers().load(data, NOW)


def test_a_broken_row_costs_only_itself() -> None:
    peers = RememberedPeers()
    peers.meet(someone(), ADDRESS, NOW)
    document = json.loads(peers.serialize())
    good = document["peers"][0]
    document["peers"] += [
        None,
        {},
        {**good, "id": "zzz"},
        {**good, "addresses": ["nowhere"]},
        {**good, "addresses": []},
        {**good, "seen": "soon"},
        {**good, "failures": -1},
        {**good, "failures": "x"},
    ]
    again = RememberedPeers()
    again.load(json.dumps(document).encode(), NOW)
    assert again.candidates() == peers.candidates()


@pytest.mark.parametrize(
    ("address", "profiles"),
    [
        ("/ip4/1.2.3.4/tcp/4001", ["default", "server", "lan", "test"]),
        ("/dns4/node.example/tcp/4001", ["default", "server", "lan", "test"]),
        ("/ip4/192.168.1.2/tcp/4001", ["lan", "test"]),
        ("/ip4/127.0.0.1/tcp/4001", ["test"]),
        ("/ip6/fe80::1/tcp/4001", ["test"]),
        (
            f"/ip4/1.2.3.4/tcp/4001/p2p/{PeerId.from_text('12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA')}/p2p-circuit",
            [],
        ),
    ],
    ids=["public", "a name", "a home network", "this machine", "link-local", "through a relay"],
)
def test_addresses_that_mean_another_machine_elsewhere_are_not_written(address: str, profiles: list[str]) -> None:
    kept = [profile for profile in ("default", "server", "lan", "test") if keeps(profile)(Multiaddr.from_text(address))]
    assert kept == profiles


async def test_only_who_was_dialled_is_remembered(tmp_path: Path) -> None:
    async with hosts(2) as (ann, bob):
        of_ann = PeerMemory(ann, tmp_path / "ann", lambda _: True, lambda: NOW)
        of_bob = PeerMemory(bob, tmp_path / "bob", lambda _: True, lambda: NOW)
        await of_ann.open()
        await of_bob.open()
        connection = await ann.connect(bob.peer_id, bob.listen_addresses)
        await until(lambda: bob.connections_to(ann.peer_id))
        assert of_ann.peers.candidates() == [(bob.peer_id, [connection.remote_address])]
        assert len(of_bob.peers) == 0
        await of_ann.close()
        await of_bob.close()
        assert (tmp_path / "ann").stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / "bob").exists()


async def test_what_may_not_be_written_is_not(tmp_path: Path) -> None:
    async with hosts(2) as (ann, bob):
        memory = PeerMemory(ann, tmp_path / "peers", lambda _: False, lambda: NOW)
        await memory.open()
        await ann.connect(bob.peer_id, bob.listen_addresses)
        await memory.close()
        assert not (tmp_path / "peers").exists()


@pytest.mark.parametrize("data", [b"half a fi", b"x" * (MAX_SIZE + 1)], ids=["broken", "too large"])
async def test_a_file_that_cannot_be_read_is_as_none(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "peers").write_bytes(data)
    async with hosts(1) as (ann,):
        memory = PeerMemory(ann, tmp_path / "peers", lambda _: True, lambda: NOW)
        await memory.open()
        assert len(memory.peers) == 0
        assert "is left out" in caplog.text
        await memory.close()


async def test_changes_are_written_as_they_gather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "SAVE_AFTER", 0.0)
    async with hosts(2) as (ann, bob):
        memory = PeerMemory(ann, tmp_path / "peers", lambda _: True, lambda: NOW)
        await memory.open()
        running = asyncio.create_task(memory.run())
        await ann.connect(bob.peer_id, bob.listen_addresses)
        await until((tmp_path / "peers").exists)
        running.cancel()
        await asyncio.wait([running])
        await memory.close()


async def test_who_is_gone_counts_as_failed_once_a_run_and_only_while_others_are_reached(tmp_path: Path) -> None:
    async with hosts(3) as (ann, bob, carol):
        memory = PeerMemory(ann, tmp_path / "peers", lambda _: True, lambda: NOW)
        gone, addresses = carol.peer_id, carol.listen_addresses
        memory.peers.meet(gone, addresses[0], NOW)
        await carol.close()
        await memory.open()
        await memory._dial(gone, addresses)
        assert memory.peers._peers[gone].failures == 0
        await ann.connect(bob.peer_id, bob.listen_addresses)
        for _ in range(2):
            await memory._dial(gone, addresses)
            assert memory.peers._peers[gone].failures == 1
        await memory.close()


@pytest.mark.slow
async def test_a_node_without_bootstrap_finds_back_to_whom_it_knew(tmp_path: Path) -> None:
    remember = {"network.remember": True}
    async with Node(tmp_path / "bob", profile="test", online=True) as bob:
        async with Node(tmp_path / "ann", profile="test", overrides=remember, online=True) as ann:
            address = next(each for each in network_of(bob).swarm.listen_addresses if each.names[-1] == "tcp")
            await network_of(ann).swarm.connect(bob.identity, [address])
        assert str(bob.identity) in (tmp_path / "ann" / NAME).read_text()
        async with Node(tmp_path / "ann", profile="test", overrides=remember, online=True) as ann:
            await until(lambda: network_of(ann).swarm.connections_to(bob.identity))


@pytest.mark.slow
async def test_a_node_of_the_profile_test_writes_nobody_down(tmp_path: Path) -> None:
    async with (
        Node(tmp_path / "ann", profile="test", online=True) as ann,
        Node(tmp_path / "bob", profile="test", online=True) as bob,
    ):
        await network_of(ann).swarm.connect(bob.identity, network_of(bob).swarm.listen_addresses)
    assert not (tmp_path / "ann" / NAME).exists()
