"""The table of checks in flight: limits, cancelled ones, and when each is due."""

from __future__ import annotations

from tests.webrtc.ice.test_checklist import local, remote
from zwerm.webrtc.ice.check import Check, CheckKind
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.pair import Pair
from zwerm.webrtc.ice.transactions import Transactions

PAIR = Pair(local(), remote())


def check(due: float = 0.1, expires_at: float = 12.0, pair: Pair = PAIR) -> Check:
    return Check(pair, CheckKind.CONNECTIVITY, b"", Role.CONTROLLED, False, 0.0, due, expires_at, 0.1)  # noqa: FBT003


def test_the_earliest_decides_and_what_ran_out_is_gone() -> None:
    table = Transactions(10)
    assert table.next_timeout() is None
    early, late = check(0.1), check(0.5, expires_at=0.5)
    table.add(b"early", early)
    table.add(b"late", late)
    assert table.next_timeout() == 0.1
    assert table.pop_due(0.5) == ([early], [late])
    assert table.find(b"late") is None
    assert len(table) == 1


def test_repetitions_double_up_to_a_limit_and_end_with_the_check() -> None:
    repeated, moments = check(), []
    while repeated.due < repeated.expires_at:
        moments.append(round(repeated.due, 3))
        repeated.repeat_at(repeated.due, rto_limit=1.6)
    assert moments == [0.1, 0.3, 0.7, 1.5, 3.1, 4.7, 6.3, 7.9, 9.5, 11.1]
    assert repeated.sends == 11


def test_a_cancelled_check_is_not_repeated_and_makes_room_first() -> None:
    other = Pair(local(), remote("203.0.113.2"))
    table = Transactions(3)
    table.add(b"1", check())
    table.add(b"2", check(pair=other))
    table.add(b"3", check())
    table.cancel(other)
    assert table.pop_due(1.0)[0] == [table.find(b"1"), table.find(b"3")]
    table.add(b"4", check())
    assert table.find(b"2") is None
    table.add(b"5", check())
    assert table.find(b"1") is None  # nothing cancelled is left: the oldest goes
    assert len(list(table)) == 3


def test_forgetting_a_pair_forgets_its_checks() -> None:
    table = Transactions(3)
    table.add(b"1", check())
    table.forget(PAIR)
    assert table.of(PAIR) == []
    table.add(b"1", check())
    table.clear()
    assert len(table) == 0
