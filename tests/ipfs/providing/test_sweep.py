"""The sweep: what a look-up covers, who is told, and the pace."""

import itertools

from tests.sim.dht import peer_of
from zwerm.core.random import seeded
from zwerm.ipfs.providing.ledger import KeyLedger
from zwerm.ipfs.providing.sweep import Sweep, Zone, assign, parts_of, zone_of
from zwerm.libp2p.kad.key import KEY_LIMIT, key_of
from zwerm.libp2p.kad.message import Peer

K = 20


def servers(count: int) -> list[Peer]:
    random = seeded("servers")
    return [Peer(peer_of(random)) for _ in range(count)]


def nearest(peers: list[Peer], target: int, count: int) -> list[Peer]:
    return sorted(peers, key=lambda peer: key_of(peer.peer.multihash) ^ target)[:count]


def ledger_of(count: int) -> KeyLedger:
    random, ledger = seeded("keys"), KeyLedger()
    for _ in range(count):
        ledger.add(b"\x12\x20" + random.randbytes(32))
    return ledger


def test_of_a_zone_every_server_is_known() -> None:
    everybody = servers(2_000)
    for number in range(50):
        target = key_of(b"%d" % number)
        found = nearest(everybody, target, 2 * K)
        zone = zone_of(target, found, 2 * K)
        assert zone.start <= target < zone.end
        inside = {peer.peer for peer in everybody if zone.start <= key_of(peer.peer.multihash) < zone.end}
        assert inside <= {peer.peer for peer in found}


def test_a_zone_is_cut_into_parts_that_join() -> None:
    zone = Zone(KEY_LIMIT // 3, KEY_LIMIT // 2 + 5)
    parts = list(parts_of(zone))
    assert parts[0].start == zone.start
    assert parts[-1].end == zone.end
    assert all(one.end == other.start for one, other in itertools.pairwise(parts))
    assert len(list(parts_of(Zone(0, KEY_LIMIT)))) == 4_096


def test_a_small_network_is_one_zone() -> None:
    assert zone_of(5, servers(39), 40) == Zone(0, KEY_LIMIT)


def test_nearly_all_records_lie_at_the_nearest_after_a_round() -> None:
    """What is told to another than the k nearest costs a record its 20th copy, not its being found."""
    everybody, ledger = servers(600), ledger_of(1_000)
    sweep, lookups, copies = Sweep(ledger, 22 * 3_600.0, 0.0), 0, []
    while (target := sweep.next_target(22 * 3_600.0 - 1.0)) is not None:
        lookups += 1
        found = nearest(everybody, target[0], 2 * K)
        zone = zone_of(target[0], found, 2 * K)
        keys = ledger.between(*zone)
        told = assign(keys, found, K)
        for key, multihash in keys:
            right = {peer.peer for peer in nearest(everybody, key, K)}
            given = {peer for peer, multihashes in told.items() if multihash in multihashes}
            assert len(given) == K
            copies.append(len(right & given))
        sweep.done(zone)
        if sweep.rounds or sweep.cursor >= KEY_LIMIT:
            break
    assert len(copies) == len(ledger)
    assert lookups < 600 / 10
    assert min(copies) >= K // 2
    assert sum(copies) / len(copies) > 0.97 * K


def test_the_pace_is_steady_and_empty_stretches_cost_nothing() -> None:
    ledger = ledger_of(1)
    ((key, multihash),) = ledger.between(0, KEY_LIMIT)
    sweep = Sweep(ledger, 1_000.0, 0.0)
    due = 1_000.0 * key / KEY_LIMIT
    assert sweep.next_due() == due
    assert sweep.next_target(due - 0.001) is None
    assert sweep.next_target(due) == (key, multihash)
    sweep.done(Zone(0, KEY_LIMIT))
    assert sweep.next_due() == 1_000.0
    assert sweep.next_target(1_000.0) is None
    assert sweep.rounds == 1
    assert sweep.next_due() == 1_000.0 + due


def test_nothing_to_tell_is_never_due() -> None:
    sweep = Sweep(KeyLedger(), 1_000.0, 0.0)
    assert sweep.next_due() is None
    assert sweep.next_target(5_000.0) is None


def test_a_sleep_of_days_is_made_up_for_by_one_round_at_once() -> None:
    ledger = ledger_of(10)
    sweep = Sweep(ledger, 1_000.0, 0.0)
    told = 0
    while sweep.next_target(100_000.0) is not None and told < 1_000:
        target = sweep.next_target(100_000.0)
        sweep.done(Zone(target[0], target[0] + 1))
        told += 1
    assert 10 <= told <= 30
