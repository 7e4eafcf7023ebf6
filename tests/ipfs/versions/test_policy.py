"""Which versions a policy drops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.versions.policy import Dated, Policy

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
NOW = 20_000 * DAY + 12 * HOUR


def kept(policy: Policy, ages: list[int], now: int = NOW) -> list[int]:
    """The ages that stay, of versions given by age, newest first."""
    versions = [Dated(len(ages) - index, now - age) for index, age in enumerate(ages)]
    dropped = set(policy.dropped(versions, now))
    return [now - version.time for version in versions if version not in dropped]


def test_all_keeps_all() -> None:
    ages = [0, DAY, 400 * DAY]
    assert kept(Policy(), ages) == ages


def test_last_keeps_so_many() -> None:
    assert kept(Policy(last=2), [0, 1, 2, 3]) == [0, 1]
    assert kept(Policy(last=9), [0, 1]) == [0, 1]
    assert kept(Policy(last=1), []) == []


def test_thin_keeps_every_version_of_a_day() -> None:
    ages = list(range(0, DAY, HOUR // 4))
    assert kept(Policy(by_age=True), ages) == ages


def test_thin_keeps_one_an_hour_one_a_day_one_a_week() -> None:
    ages = list(range(0, 100 * DAY, HOUR // 2))
    stay = kept(Policy(by_age=True), ages)
    assert len([age for age in stay if DAY <= age < 7 * DAY]) in (144, 145)
    assert len([age for age in stay if 7 * DAY <= age < 31 * DAY]) in (24, 25)
    assert len([age for age in stay if age >= 31 * DAY]) in (10, 11)


def test_of_each_span_the_newest_stays() -> None:
    start = 8 * DAY + 12 * HOUR  # the beginning of a day in UTC, a week ago
    assert kept(Policy(by_age=True), [0, start - 3 * HOUR, start - 2 * HOUR, start - HOUR, start]) == [
        0,
        start - 3 * HOUR,
    ]


def test_the_newest_stays_however_old_and_counts_for_its_span() -> None:
    assert kept(Policy(by_age=True), [100 * DAY, 100 * DAY + SECOND]) == [100 * DAY]


def test_a_version_from_the_future_is_new() -> None:
    assert kept(Policy(by_age=True), [-5 * DAY, -6 * DAY, 0]) == [-5 * DAY, -6 * DAY, 0]


@given(st.lists(st.integers(0, 200 * DAY), max_size=60), st.integers(0, 40 * DAY))
def test_thinning_again_drops_nothing_and_later_it_only_gets_thinner(ages: list[int], later: int) -> None:
    policy = Policy(by_age=True)
    once = kept(policy, sorted(ages))
    assert kept(policy, once) == once
    times = [NOW - age for age in once]
    again = kept(policy, [NOW + later - time for time in times], NOW + later)
    assert set(again) <= {NOW + later - time for time in times}
    assert again[:1] == [NOW + later - time for time in times][:1]


@pytest.mark.parametrize("text", ["all", "thin", "last 1", "last 500"])
def test_a_policy_reads_and_shows_itself(text: str) -> None:
    assert str(Policy.from_text(text)) == text


@pytest.mark.parametrize("text", ["", "none", "last", "last 0", "last -1", "last 1000000000", "thin "])
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="expected all, thin, or last N"):
        Policy.from_text(text)
