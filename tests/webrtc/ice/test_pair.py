"""Pairs: their path, their rank and their priority."""

from __future__ import annotations

import pytest

from zwerm.webrtc.ice.candidate import Candidate, TcpType
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate, Pair, PairState, RemoteCandidate

HOST, PEER = ("192.0.2.1", 5_000), ("192.0.2.2", 6_000)


def candidate(kind: str, address: tuple[str, int], priority: int = 100, transport: str = "udp") -> Candidate:
    tcp = " tcptype passive" if transport == "tcp" else ""
    text = f"candidate:1 1 {transport} {priority} {address[0]} {address[1]} typ {kind}{tcp}"
    return Candidate.from_text(text)


def pair(local: str = "host", remote: str = "host", *, tcp: bool = False, priorities: tuple[int, int] = (1, 2)) -> Pair:
    kind = BaseKind.TCP if tcp else BaseKind.RELAY if local == "relay" else BaseKind.UDP
    base = Base(HOST, kind, tcp_type=TcpType.PASSIVE if tcp else None, host=HOST[0])
    transport = "tcp" if tcp else "udp"
    ours, theirs = candidate(local, HOST, priorities[0], transport), candidate(remote, PEER, priorities[1], transport)
    return Pair(LocalCandidate(ours, base, HOST), RemoteCandidate(theirs, PEER, priorities[1]))


@pytest.mark.parametrize(
    ("made", "rank"),
    [
        (pair(), 3),
        (pair("host", "prflx"), 3),
        (pair("host", "srflx"), 2),
        (pair("srflx"), 2),
        (pair(tcp=True), 1),
        (pair("relay"), 0),
        (pair("host", "relay"), 0),
    ],
    ids=["host", "learned", "reflexive", "ours reflexive", "tcp", "our relay", "their relay"],
)
def test_the_kind_of_path_decides_the_rank(made: Pair, rank: int) -> None:
    assert made.rank == rank
    assert made.is_relayed is (rank == 0)


def test_what_the_other_side_sees_counts_for_the_rank() -> None:
    made = pair()
    made.mapped = LocalCandidate(candidate("srflx", ("203.0.113.1", 9)), made.local.base, ("203.0.113.1", 9))
    assert made.rank == 2
    assert made.local_candidate.address == "203.0.113.1"


def test_a_path_is_two_addresses_or_a_connection() -> None:
    assert pair().path == (HOST, PEER)
    made = pair(tcp=True)
    assert made.path == (("tcp 192.0.2.1", 5_000), PEER)
    made.stream = 7
    assert made.path == 7


def test_both_sides_reckon_the_same_priority() -> None:
    """RFC 8445 section 6.1.2.3."""
    here, there = pair(priorities=(5, 9)), pair(priorities=(9, 5))
    assert here.priority(Role.CONTROLLING) == there.priority(Role.CONTROLLED) == 5 << 32 | 18
    assert here.priority(Role.CONTROLLED) == there.priority(Role.CONTROLLING) == 5 << 32 | 19


@pytest.mark.parametrize("state", PairState)
def test_states_are_finished_or_not_and_one_is_valid(state: PairState) -> None:
    made = pair()
    made.state = state
    assert made.is_valid is (state is PairState.SUCCEEDED)
    assert made.is_unfinished is (state not in (PairState.SUCCEEDED, PairState.FAILED))
