"""Dials for others are limited for each peer and in all, in any minute."""

from __future__ import annotations

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.autonat.rates import RateLimit, Rates

A, B, C = (PeerId.of(seeded_key(number).public) for number in range(3))


def test_one_peer_gets_no_more_than_its_share_and_the_others_theirs() -> None:
    limit = RateLimit(Rates(in_all=3, per_peer=2))
    assert [limit.take(A, 0.0), limit.take(A, 1.0), limit.take(A, 2.0)] == [True, True, False]
    assert limit.take(B, 3.0)
    assert not limit.take(C, 4.0), "three in all"


def test_a_minute_later_there_is_room_again() -> None:
    limit = RateLimit(Rates(in_all=2, per_peer=2))
    limit.take(A, 0.0)
    limit.take(A, 30.0)
    assert not limit.take(A, 59.9)
    assert limit.take(A, 60.0)
    assert not limit.take(A, 60.1)
