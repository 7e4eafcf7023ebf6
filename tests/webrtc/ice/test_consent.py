"""RFC 7675 section 5.1: when it is asked, when it is doubted, when it is over."""

from __future__ import annotations

import pytest

from zwerm.core.random import seeded
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.consent import Consent

CONFIG = Config()


def consent(round_trip_time: float | None = None, seed: int = 0) -> Consent:
    return Consent(CONFIG, seeded(seed), answered_at=0.0, round_trip_time=round_trip_time, now=0.0)


def test_checks_are_spread_around_five_seconds() -> None:
    moments = [consent(seed=seed).next_check_at for seed in range(200)]
    assert all(4.0 <= moment <= 6.0 for moment in moments)
    assert max(moments) - min(moments) > 1.5


def test_an_unanswered_check_is_followed_by_others_until_one_is_answered() -> None:
    asked = consent()
    asked.asked(5.0)
    assert asked.next_check_at == 5.5
    assert not asked.is_probing(5.4)
    assert asked.is_probing(5.5)
    assert not asked.is_suspect(7.9)
    assert asked.is_suspect(8.0)
    asked.answered(8.1)
    assert not asked.is_probing(8.1)
    assert not asked.is_suspect(8.1)
    assert 12.1 <= asked.next_check_at <= 14.1
    assert asked.expires_at == 38.1


def test_a_long_path_is_given_two_round_trips() -> None:
    asked = consent(round_trip_time=0.8)
    asked.asked(5.0)
    assert not asked.is_probing(6.5)
    assert asked.is_probing(6.6)
    assert not asked.is_suspect(9.7)
    assert asked.is_suspect(9.8)


def test_nothing_brings_back_what_has_expired() -> None:
    asked = consent()
    assert not asked.is_expired(29.9)
    assert asked.is_expired(30.0)
    asked.answered(30.0)
    assert asked.is_expired(30.1)


def test_a_doubt_asks_at_once() -> None:
    asked = consent()
    asked.ask_now(1.0)
    assert asked.next_check_at == 1.0
    asked.ask_now(2.0)
    assert asked.next_check_at == 1.0


def test_two_sides_that_make_each_other_doubt_do_not_ask_without_end() -> None:
    """Each has selected another pair, and takes the other's check on it for a sign that its own is lost."""
    left, right = consent(seed=1), consent(seed=2)
    asked, now = 0, 0.0
    while (now := min(left.next_check_at, right.next_check_at)) < 60.0:
        for here, there in ((left, right), (right, left)):
            if here.next_check_at <= now:
                asked += 1
                here.asked(now)
                there.ask_now(now)
                here.answered(now)
    assert asked <= 122


@pytest.mark.parametrize("now", [5.0, 5.2, 5.5, 6.0, 8.0, 29.0])
def test_the_next_timeout_lies_ahead_or_is_a_check_that_is_due(now: float) -> None:
    asked = consent()
    asked.asked(5.0)
    while asked.next_check_at <= now:
        asked.asked(asked.next_check_at)
    assert now < asked.next_timeout(now) <= 30.0
