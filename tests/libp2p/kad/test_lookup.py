"""The walk: whom it asks, whom it believes, when it ends."""

from tests.sim.dht import address_of, peer_of
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.key import key_of
from zwerm.libp2p.kad.lookup import DISTRUST, Lookup

LOCAL = PeerId(b"\x12\x20" + bytes(32))
TARGET = key_of(b"target")


def peers(count: int, seed: int = 0) -> list[tuple[PeerId, tuple[bytes, ...]]]:
    """So many peers, the nearest to the target first."""
    random = seeded(seed, "peers")
    drawn = [peer_of(random) for _ in range(count)]
    drawn.sort(key=lambda peer: key_of(peer.multihash) ^ TARGET)
    return [(peer, (address_of(number),)) for number, peer in enumerate(drawn)]


def asked(lookup: Lookup) -> list[PeerId]:
    found = []
    while (candidate := lookup.next_peer()) is not None:
        found.append(candidate.peer)
    return found


def names(named: list[tuple[PeerId, tuple[bytes, ...]]]) -> list[PeerId]:
    return [peer for peer, _ in named]


def test_the_nearest_are_asked_first_and_alpha_at_a_time() -> None:
    lookup = Lookup(TARGET, LOCAL, k=5, alpha=3)
    lookup.seed(peers(10))
    assert asked(lookup) == names(peers(10))[:3]
    lookup.answered(peers(10)[0][0], [])
    assert asked(lookup) == [names(peers(10))[3]]


def test_it_ends_when_the_k_nearest_that_live_have_answered() -> None:
    lookup = Lookup(TARGET, LOCAL, k=3, alpha=10)
    lookup.seed(peers(6))
    first = asked(lookup)
    assert len(first) == 3
    lookup.failed(first[0])
    assert len(asked(lookup)) == 1
    for peer in names(peers(6))[1:4]:
        assert not lookup.is_over
        lookup.answered(peer, [])
    assert lookup.is_over
    assert [candidate.peer for candidate in lookup.closest()] == names(peers(6))[1:4]


def test_nobody_to_ask_is_an_end() -> None:
    lookup = Lookup(TARGET, LOCAL)
    lookup.seed([])
    assert lookup.is_over
    assert lookup.closest() == []


def test_nearer_peers_that_are_named_are_asked_before() -> None:
    everybody = peers(30)
    lookup = Lookup(TARGET, LOCAL, k=4, alpha=1)
    lookup.seed(everybody[20:])
    lookup.answered(asked(lookup)[0], everybody[:3])
    assert asked(lookup) == [everybody[0][0]]


def test_we_are_never_asked() -> None:
    lookup = Lookup(TARGET, LOCAL)
    lookup.seed([(LOCAL, (b"x",))])
    assert lookup.is_over


def test_of_one_answer_k_peers_are_taken() -> None:
    everybody = peers(40)
    lookup = Lookup(TARGET, LOCAL, k=5, alpha=1)
    lookup.seed(everybody[39:])
    lookup.answered(asked(lookup)[0], list(reversed(everybody[:39])))
    assert sum(lookup.candidate(peer) is not None for peer, _ in everybody) == 6


def test_candidates_have_a_limit_and_the_farthest_go() -> None:
    everybody = peers(40)
    lookup = Lookup(TARGET, LOCAL, k=20, alpha=1, max_candidates=10)
    lookup.seed(everybody[20:30])
    lookup.answered(asked(lookup)[0], everybody[:20])
    kept = [peer for peer, _ in everybody if lookup.candidate(peer) is not None]
    assert len(kept) == 10
    assert kept[:9] == names(everybody)[:9]


def test_paths_share_nobody_and_each_ends_by_itself() -> None:
    everybody = peers(40)
    lookup = Lookup(TARGET, LOCAL, k=20, alpha=4, resilience=1, paths=2)
    lookup.seed(everybody[38:])
    left, right = asked(lookup)
    lookup.answered(left, everybody[:10])
    lookup.answered(right, everybody[:20])
    paths = {peer: lookup.candidate(peer).path for peer, _ in everybody[:20]}
    assert set(list(paths.values())[:10]) == {0}
    assert set(list(paths.values())[10:]) == {1}


def test_the_second_phase_asks_who_is_left_of_the_nearest() -> None:
    everybody = peers(8)
    lookup = Lookup(TARGET, LOCAL, k=8, alpha=8, resilience=1, paths=2)
    lookup.seed(everybody)
    first = asked(lookup)
    assert len(first) == 8  # each path has a share of alpha
    for peer in names(everybody):
        lookup.answered(peer, [])
    assert lookup.is_over


def test_who_named_only_the_dead_is_not_believed() -> None:
    everybody = peers(40)
    lookup = Lookup(TARGET, LOCAL, k=20, alpha=1)
    lookup.seed(everybody[38:])
    liar = asked(lookup)[0]
    lookup.answered(liar, everybody[:20])
    for _ in range(DISTRUST):
        lookup.failed(asked(lookup)[0])
    assert asked(lookup) == [everybody[39][0]]


def test_whom_two_have_named_is_asked_whoever_they_are() -> None:
    everybody = peers(40)
    lookup = Lookup(TARGET, LOCAL, k=20, alpha=2)
    lookup.seed(everybody[38:])
    liar, honest = asked(lookup)
    lookup.answered(liar, everybody[:20])
    lookup.answered(honest, everybody[10:20])
    for _ in range(DISTRUST):
        lookup.failed(asked(lookup)[0])
    lookup.failed(everybody[1][0])
    assert asked(lookup)[-1] in names(everybody[10:20])


def test_a_slow_peer_is_passed_over_and_counts_if_it_answers() -> None:
    everybody = peers(3)
    lookup = Lookup(TARGET, LOCAL, k=2, alpha=1)
    lookup.seed(everybody)
    slow = asked(lookup)[0]
    lookup.slow(slow)
    second = asked(lookup)[0]
    assert second == everybody[1][0]
    lookup.answered(second, [])
    lookup.answered(slow, [])
    assert lookup.is_over
    assert [candidate.peer for candidate in lookup.closest()] == names(everybody[:2])


def test_answers_nobody_asked_for_change_nothing() -> None:
    everybody = peers(4)
    lookup = Lookup(TARGET, LOCAL, k=2, alpha=1)
    lookup.seed(everybody[:2])
    lookup.answered(everybody[3][0], everybody[2:])
    lookup.failed(everybody[1][0])
    lookup.slow(everybody[1][0])
    assert lookup.candidate(everybody[2][0]) is None
    assert len(asked(lookup)) == 1


def test_hops_count_the_requests_in_a_row() -> None:
    everybody = peers(3)
    lookup = Lookup(TARGET, LOCAL, k=3, alpha=1)
    lookup.seed(everybody[2:])
    lookup.answered(asked(lookup)[0], everybody[1:2])
    lookup.answered(asked(lookup)[0], everybody[:1])
    lookup.answered(asked(lookup)[0], [])
    assert [candidate.depth for candidate in lookup.closest()] == [3, 2, 1]


def test_a_stopped_walk_asks_nobody() -> None:
    lookup = Lookup(TARGET, LOCAL)
    lookup.seed(peers(5))
    lookup.stop()
    assert asked(lookup) == []
