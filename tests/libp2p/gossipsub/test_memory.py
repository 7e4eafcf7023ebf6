"""What a router remembers of messages, and for how long."""

from __future__ import annotations

from tests.libp2p.hosts import seeded_key
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.memory import MessageCache, Promises, SeenCache
from zwerm.libp2p.gossipsub.signing import anonymous

ALICE, BOB = (PeerId.of(seeded_key(number).public) for number in range(2))


def test_messages_are_told_of_for_three_heartbeats_and_given_for_five() -> None:
    cache = MessageCache(5, 3, 10_000)
    cache.put(b"1", anonymous("t", b"data"))
    cache.put(b"1", anonymous("t", b"data"))
    cache.put(b"2", anonymous("other", b"data"))
    told, given = [], []
    for _ in range(6):
        told.append(cache.gossip_ids("t"))
        given.append(cache.find(b"1") is not None)
        cache.shift()
    assert told == [[b"1"]] * 3 + [[]] * 3
    assert given == [True] * 5 + [False]
    assert (len(cache), cache.size) == (0, 0)


def test_old_messages_make_room_for_new_ones() -> None:
    cache = MessageCache(5, 3, 1_000)
    for number in range(10):
        cache.put(b"%d" % number, anonymous("t", bytes(300)))
    assert cache.size <= 1_000
    assert [cache.find(b"%d" % number) is not None for number in range(10)] == [False] * 7 + [True] * 3
    assert cache.gossip_ids("t") == [b"7", b"8", b"9"]


def test_how_often_each_peer_asked_is_counted() -> None:
    cache = MessageCache(5, 3, 1_000)
    cache.put(b"1", anonymous("t", b"data"))
    counts = [found[1] for peer in (ALICE, ALICE, BOB) if (found := cache.give(b"1", peer)) is not None]
    assert counts == [1, 2, 1]
    assert cache.give(b"2", ALICE) is None


def test_ids_are_seen_for_a_time_and_at_most_so_many() -> None:
    seen = SeenCache(120.0, 3)
    assert seen.add(b"1", 0.0)
    assert not seen.add(b"1", 60.0)
    seen.expire(119.0)
    assert b"1" in seen
    seen.expire(120.0)
    assert b"1" not in seen
    for number in range(5):
        seen.add(b"%d" % number, 200.0)
    assert len(seen) == 3


def test_a_promise_is_kept_by_whoever_brings_the_message_and_broken_by_time() -> None:
    promises = Promises(3.0, seeded(1))
    promises.add(ALICE, [b"1"], 0.0)
    promises.add(BOB, [b"1"], 1.0)
    promises.add(BOB, [b"2"], 1.0)
    assert promises.broken(2.9) == {}
    promises.kept(b"2")
    assert promises.broken(3.0) == {ALICE: 1}
    promises.forget(BOB)
    assert promises.broken(9.0) == {}
    assert len(promises) == 0
