"""What is remembered of peers, how long, and how much of it."""

from __future__ import annotations

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.swarm.limits import Limits
from zwerm.libp2p.swarm.peer_store import MemoryPeerStore, own_addresses
from zwerm.multiformats.multiaddr import Multiaddr

ALICE, BOB = (PeerId.of(seeded_key(number).public) for number in range(2))


def address(number: int, behind: str = "") -> Multiaddr:
    return Multiaddr.from_text(f"/ip4/192.0.2.{number}/tcp/4001{behind}")


class Clock:
    """A time that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_addresses_live_as_long_as_was_said_and_the_freshest_lead() -> None:
    clock = Clock()
    store = MemoryPeerStore(Limits(), clock)
    store.add_addresses(ALICE, [address(1)], 10.0)
    store.add_addresses(ALICE, [address(2)], 20.0)
    store.add_addresses(ALICE, [address(2)], 5.0)  # a longer life that is left is kept
    assert store.addresses(ALICE) == [address(2), address(1)]
    clock.now += 10.0
    assert store.addresses(ALICE) == [address(2)]
    clock.now += 10.0
    assert store.addresses(ALICE) == []
    assert store.addresses(BOB) == ()


def test_the_name_of_the_peer_is_no_part_of_its_address_and_another_peers_address_is_not_its() -> None:
    relayed = address(3, f"/p2p/{BOB}/p2p-circuit")
    given = [
        address(1, f"/p2p/{ALICE}"),
        address(2, f"/p2p/{BOB}"),
        Multiaddr((*relayed, *address(1, f"/p2p/{ALICE}").components[-1:])),
    ]
    assert list(own_addresses(given, ALICE)) == [address(1), relayed]
    assert list(own_addresses([Multiaddr.from_text(f"/p2p/{ALICE}")], ALICE)) == []


def test_a_peer_has_so_many_addresses_and_those_that_end_first_go() -> None:
    store = MemoryPeerStore(Limits(addresses_per_peer=2), Clock())
    store.add_addresses(ALICE, [address(1)], 30.0)
    store.add_addresses(ALICE, [address(2), address(3), address(4)], 20.0)
    assert len(store.addresses(ALICE)) == 2
    assert store.addresses(ALICE)[0] == address(1)
    store.remove_addresses(ALICE)
    assert store.addresses(ALICE) == []


def test_a_peer_may_name_so_many_protocols() -> None:
    store = MemoryPeerStore(Limits(protocols_per_peer=3), Clock())
    store.set_protocols(ALICE, [f"/{number}" for number in range(10)])
    assert store.protocols(ALICE) == {"/0", "/1", "/2"}
    assert store.protocols(BOB) == frozenset()


def test_so_many_peers_are_remembered_and_the_least_used_is_forgotten() -> None:
    store = MemoryPeerStore(Limits(peers_remembered=2), Clock())
    carol = PeerId.of(seeded_key(2).public)
    store.set_agent(ALICE, "a")
    store.set_agent(BOB, "b")
    assert store.agent(ALICE) == "a"
    store.set_agent(carol, "c")
    assert (ALICE in store, BOB in store, len(store)) == (True, False, 2)
    assert set(store) == {ALICE, carol}


def test_a_record_gives_way_to_newer_ones_only() -> None:
    store = MemoryPeerStore(Limits(), Clock())
    assert store.signed_record(ALICE) is None
    assert store.set_signed_record(ALICE, b"five", 5)
    assert not store.set_signed_record(ALICE, b"other five", 5)
    assert not store.set_signed_record(ALICE, b"four", 4)
    assert store.signed_record(ALICE) == b"five"
    assert store.set_signed_record(ALICE, b"six", 6)
    assert store.signed_record(ALICE) == b"six"
