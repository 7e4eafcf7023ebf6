"""When names are put to the network again: every four hours, sooner after a failure, at once with a new network."""

from __future__ import annotations

import itertools

import pytest

from zwerm.core.random import seeded
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns.republisher import INTERVAL, Republish, Republisher, RepublisherConfig

NAMES = sorted(PeerId.of(PrivateKey.generate().public) for _ in range(6))
NAME = NAMES[0]


def machine(**config: float) -> Republisher:
    return Republisher(RepublisherConfig(**config), seeded("republisher"))  # type: ignore[arg-type]


def events(republisher: Republisher) -> list[PeerId]:
    found = []
    while (event := republisher.next_event()) is not None:
        assert isinstance(event, Republish)
        found.append(event.name)
    return found


def test_a_name_is_put_at_once_and_then_every_four_hours() -> None:
    republisher = machine()
    republisher.schedule(NAME, 0.0)
    puts, now = [], 0.0
    for _ in range(7):
        assert events(republisher) == [NAME]
        assert republisher.next_timeout() is None
        assert republisher.due(NAME) is None
        puts.append(now)
        republisher.done(NAME, now + 5.0, succeeded=True)
        due = republisher.next_timeout()
        assert due is not None
        assert due == republisher.due(NAME)
        republisher.handle_timeout(due - 0.1)
        assert events(republisher) == []
        now = due
        republisher.handle_timeout(now)
    waits = [later - earlier for earlier, later in itertools.pairwise(puts)]
    assert all(0.89 * INTERVAL < wait < 1.11 * INTERVAL for wait in waits)


def test_after_failures_it_waits_longer_each_time_and_never_longer_than_the_interval() -> None:
    republisher = machine()
    republisher.schedule(NAME, 0.0)
    now, waits = 0.0, []
    for _ in range(14):
        assert events(republisher) == [NAME]
        republisher.done(NAME, now, succeeded=False)
        due = republisher.next_timeout()
        assert due is not None
        waits.append(due - now)
        now = due
        republisher.handle_timeout(now)
    assert waits[:3] == pytest.approx([30, 60, 120], rel=0.11)
    assert max(waits) < INTERVAL * 1.11


def test_a_network_that_comes_makes_failed_names_due_at_once() -> None:
    republisher = machine()
    for name in NAMES[:2]:
        republisher.schedule(name, 0.0)
    assert events(republisher) == NAMES[:2]
    republisher.done(NAMES[0], 1.0, succeeded=False)
    republisher.done(NAMES[1], 1.0, succeeded=True)
    republisher.network_changed(2.0)
    assert events(republisher) == [NAMES[0]]


def test_a_name_published_while_it_is_put_is_put_again() -> None:
    republisher = machine()
    republisher.schedule(NAME, 0.0)
    assert events(republisher) == [NAME]
    republisher.schedule(NAME, 1.0)
    assert events(republisher) == []
    republisher.done(NAME, 2.0, succeeded=True)
    assert events(republisher) == [NAME]


def test_a_name_that_was_removed_is_put_no_more() -> None:
    republisher = machine()
    republisher.schedule(NAME, 0.0)
    assert events(republisher) == [NAME]
    republisher.remove(NAME)
    republisher.done(NAME, 1.0, succeeded=True)
    republisher.done(NAME, 1.0, succeeded=True)
    assert republisher.next_timeout() is None
    assert not republisher.names


def test_only_so_many_are_put_at_once() -> None:
    republisher = machine(max_busy=2)
    for name in NAMES:
        republisher.schedule(name, 0.0)
    under_way = events(republisher)
    put = list(under_way)
    assert len(under_way) == 2
    while under_way:
        republisher.done(under_way.pop(0), 1.0, succeeded=True)
        republisher.handle_timeout(1.0)
        under_way += (new := events(republisher))
        put += new
        assert len(under_way) <= 2
    assert sorted(put) == NAMES


def test_early_and_repeated_timeouts_change_nothing() -> None:
    republisher = machine()
    republisher.schedule(NAME, 10.0)
    events(republisher)
    republisher.done(NAME, 10.0, succeeded=True)
    due = republisher.next_timeout()
    republisher.handle_timeout(11.0)
    republisher.handle_timeout(11.0)
    assert republisher.next_timeout() == due
