"""RFC 8445 section 6.1.2: which pairs there are, and in which order they are checked."""

from __future__ import annotations

import dataclasses

import pytest

from zwerm.webrtc.ice.candidate import Candidate, CandidateType, TcpType
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate, Pair, PairState, RemoteCandidate

HOST = Candidate("1", 1, "udp", 2_130_706_431, "192.0.2.1", 5_000, CandidateType.HOST)


def local(host: str = "192.0.2.1", **changes) -> LocalCandidate:
    tcp_type = changes.pop("tcp_type", None)
    kind = BaseKind.TCP if tcp_type else BaseKind.UDP
    return LocalCandidate(
        dataclasses.replace(HOST, address=host, **changes), Base((host, 5_000), kind, tcp_type=tcp_type), (host, 5_000)
    )


def remote(host: str = "203.0.113.1", priority: int = 1_000, **changes) -> RemoteCandidate:
    candidate = dataclasses.replace(HOST, address=host, priority=priority, **changes)
    return RemoteCandidate(candidate, (host, candidate.port), priority)


def tcp(tcp_type: TcpType) -> RemoteCandidate:
    return remote(transport="tcp", extensions=(("tcptype", tcp_type.value),))


def new(limit: int = 100) -> Checklist:
    return Checklist(Role.CONTROLLING, limit)


@pytest.mark.parametrize(
    ("ours", "theirs", "go_together"),
    [
        (local(), remote(), True),
        (local(), remote("2001:db8::1"), False),
        (local("2001:db8::2"), remote("2001:db8::1"), True),
        (local("fe80::2"), remote("2001:db8::1"), False),
        (local("fe80::2"), remote("fe80::1"), True),
        (local(), remote(component=2), False),
        (local(), tcp(TcpType.PASSIVE), False),
        (local(tcp_type=TcpType.ACTIVE), tcp(TcpType.PASSIVE), True),
        (local(tcp_type=TcpType.ACTIVE), tcp(TcpType.ACTIVE), False),
        (local(tcp_type=TcpType.PASSIVE), tcp(TcpType.ACTIVE), False),
        (local(tcp_type=TcpType.SIMULTANEOUS_OPEN), tcp(TcpType.SIMULTANEOUS_OPEN), True),
        (local(tcp_type=TcpType.ACTIVE), remote(), False),
    ],
    ids=["v4", "v4 v6", "v6", "scopes", "link-local", "component", "udp tcp", "a-p", "a-a", "p-a", "so-so", "tcp udp"],
)
def test_only_candidates_that_speak_alike_are_paired(
    ours: LocalCandidate, theirs: RemoteCandidate, go_together: bool
) -> None:
    """Section 6.1.2.2, and RFC 6544 section 6.2."""
    assert (new().pair_up(ours, theirs) is not None) is go_together


def test_pairs_are_checked_by_priority() -> None:
    checklist, ours = new(), local()
    for priority in (5, 9, 7):
        checklist.pair_up(ours, remote(f"203.0.113.{priority}", priority, foundation=str(priority)))
    order = []
    while (pair := checklist.next_pair()) is not None:
        pair.state = PairState.IN_PROGRESS
        order.append(pair.remote.priority)
    assert order == [9, 7, 5]


def test_of_one_foundation_the_best_waits_and_the_others_are_frozen() -> None:
    """Section 6.1.2.6; when it succeeds the others thaw (section 7.2.5.3.3)."""
    checklist, ours = new(), local()
    pairs = [checklist.pair_up(ours, remote(f"203.0.113.{n}", n)) for n in (1, 3, 2)]
    states = [pair.state for pair in pairs if pair is not None]
    assert states == [PairState.FROZEN, PairState.WAITING, PairState.FROZEN]
    best = checklist.next_pair()
    assert best is pairs[1]
    assert best is not None
    best.state = PairState.SUCCEEDED
    checklist.unfreeze(best.foundation)
    assert [pair.state for pair in pairs if pair is not None] == [
        PairState.WAITING,
        PairState.SUCCEEDED,
        PairState.WAITING,
    ]


def test_a_pair_that_comes_after_its_foundation_succeeded_waits_at_once() -> None:
    """RFC 8838 section 12."""
    checklist, ours = new(), local()
    first = checklist.pair_up(ours, remote("203.0.113.1"))
    assert first is not None
    first.state = PairState.SUCCEEDED
    second = checklist.pair_up(ours, remote("203.0.113.2"))
    assert second is not None
    assert second.state is PairState.WAITING


def test_frozen_pairs_are_taken_when_nothing_waits() -> None:
    """Section 6.1.4.2: of each foundation one at a time."""
    checklist, ours = new(), local()
    for number in (1, 2, 3):
        checklist.pair_up(ours, remote(f"203.0.113.{number}", number))
    first = checklist.next_pair()
    assert first is not None
    first.state = PairState.FAILED
    second = checklist.next_pair()
    assert second is not None
    assert second.remote.priority == 2
    second.state = PairState.IN_PROGRESS
    assert checklist.next_pair() is None
    assert checklist.has_work()


def test_of_two_candidates_with_one_path_the_higher_stays_unless_it_is_too_late() -> None:
    """Section 6.1.2.4, RFC 8838 section 12."""
    checklist, ours = new(), local()
    low = checklist.pair_up(ours, remote(priority=1))
    high = checklist.pair_up(ours, remote(priority=2))
    assert high is not None
    assert list(checklist) == [high]
    assert low is not high
    high.state = PairState.IN_PROGRESS
    assert checklist.pair_up(ours, remote(priority=3)) is None
    assert checklist.pair_up(ours, remote(priority=1)) is None


def test_triggered_checks_come_first_and_once() -> None:
    checklist, ours = new(), local()
    pairs = [checklist.pair_up(ours, remote(f"203.0.113.{n}", n, foundation=str(n))) for n in (3, 2, 1)]
    low = pairs[2]
    assert low is not None
    checklist.trigger(low)
    checklist.trigger(low)
    assert checklist.is_triggered
    assert checklist.next_pair() is low
    assert not checklist.is_triggered
    low.state = PairState.FAILED
    assert checklist.next_pair() is pairs[0]


def test_a_removed_pair_leaves_the_queue() -> None:
    checklist = new()
    pair = checklist.pair_up(local(), remote())
    assert pair is not None
    checklist.trigger(pair)
    checklist.remove(pair)
    assert checklist.next_pair() is None
    assert len(checklist) == 0


def test_the_limit_drops_what_failed_then_what_is_lowest_and_never_what_is_under_way() -> None:
    checklist, ours = new(2), local()
    busy = checklist.pair_up(ours, remote("203.0.113.1", 1, foundation="a"))
    idle = checklist.pair_up(ours, remote("203.0.113.2", 2, foundation="b"))
    assert busy is not None
    assert idle is not None
    busy.state = PairState.IN_PROGRESS
    assert checklist.pair_up(ours, remote("203.0.113.3", 1, foundation="c")) is None
    better = checklist.pair_up(ours, remote("203.0.113.4", 9, foundation="d"))
    assert set(checklist) == {busy, better}
    busy.state = PairState.FAILED
    assert checklist.insert(Pair(ours, remote("203.0.113.5", 1)))
    assert busy not in set(checklist)


def test_a_connection_gives_its_pair_another_path() -> None:
    checklist = new()
    pair = checklist.pair_up(local(tcp_type=TcpType.ACTIVE), tcp(TcpType.PASSIVE))
    assert pair is not None
    before = pair.path
    checklist.set_stream(pair, 7)
    assert checklist.find(7) is pair
    assert checklist.find(before) is None
    checklist.set_stream(pair, None)
    assert checklist.find(before) is pair


def test_what_is_frozen_behind_a_check_under_way_is_work_that_cannot_be_done_yet() -> None:
    checklist, ours = new(), local()
    first = checklist.pair_up(ours, remote("203.0.113.1", 2))
    assert checklist.pair_up(ours, remote("203.0.113.2", 1))
    assert first is not None
    first.state = PairState.IN_PROGRESS
    assert checklist.has_work()
    assert checklist.next_pair() is None
