"""Provider records: their clocks and their limits."""

import dataclasses

import pytest

from tests.sim.dht import peer_of
from zwerm.core.errors import ResourceLimitError
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.config import WAN
from zwerm.libp2p.kad.message import Peer
from zwerm.libp2p.kad.provider_store import ProviderStore

HOUR = 3600.0
ADDRESS = b"\x04\x08\x08\x08\x08\x06\x0f\xa1"


def peers(count: int) -> list[PeerId]:
    random = seeded("providers")
    return [peer_of(random) for _ in range(count)]


ALICE, BOB = peers(2)


def test_a_record_holds_48_hours_and_its_addresses_24() -> None:
    store = ProviderStore(WAN)
    store.add(b"key", Peer(ALICE, (ADDRESS,)), 0.0)
    assert store.providers(b"key", 23 * HOUR) == [Peer(ALICE, (ADDRESS,))]
    assert store.providers(b"key", 25 * HOUR) == [Peer(ALICE)]
    assert store.providers(b"key", 48 * HOUR) == []
    store.sweep(48 * HOUR)
    assert len(store) == store.keys == 0


def test_saying_it_again_prolongs_it() -> None:
    store = ProviderStore(WAN)
    store.add(b"key", Peer(ALICE), 0.0)
    store.add(b"key", Peer(ALICE, (ADDRESS,)), 22 * HOUR)
    store.sweep(49 * HOUR)
    assert store.providers(b"key", 49 * HOUR) == [Peer(ALICE)]
    assert len(store) == 1


def test_saying_it_all_the_time_fills_nothing() -> None:
    store = ProviderStore(WAN)
    for second in range(1_000):
        store.add(b"key", Peer(ALICE), float(second))
    assert len(store) == 1
    assert len(store._queue) == 1


@pytest.mark.parametrize(
    ("limit", "keys", "providers", "message"),
    [
        ("max_provider_records", 4, 1, "provider records"),
        ("max_provider_records_per_peer", 4, 1, "provider records of one peer"),
        ("max_providers_per_key", 1, 4, "providers of one key"),
    ],
)
def test_every_limit_refuses_and_names_itself(limit: str, keys: int, providers: int, message: str) -> None:
    store = ProviderStore(dataclasses.replace(WAN, **{limit: 3}))
    records = [(b"%d" % key, Peer(peer)) for key in range(keys) for peer in peers(providers)]
    for key, provider in records[:3]:
        store.add(key, provider, 0.0)
    with pytest.raises(ResourceLimitError, match=f"^4 {message}, the limit is 3$"):
        store.add(*records[3], 0.0)
    assert len(store) == 3
    store.add(b"0", Peer(ALICE), 1.0)  # what is here may still be prolonged


def test_a_flood_of_one_leaves_room_for_others() -> None:
    store = ProviderStore(dataclasses.replace(WAN, max_provider_records=10, max_provider_records_per_peer=5))
    for number in range(5):
        store.add(b"%d" % number, Peer(ALICE), 0.0)
    with pytest.raises(ResourceLimitError):
        store.add(b"6", Peer(ALICE), 0.0)
    store.add(b"6", Peer(BOB), 0.0)
    assert [provider.peer for provider in store.providers(b"6", 1.0)] == [BOB]


def test_room_comes_back_when_records_expire() -> None:
    store = ProviderStore(dataclasses.replace(WAN, max_provider_records=1))
    store.add(b"old", Peer(ALICE), 0.0)
    store.add(b"new", Peer(ALICE), 48 * HOUR)
    assert store.providers(b"old", 48 * HOUR) == []
