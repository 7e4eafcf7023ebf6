"""Answers about names are kept as long as their publisher allows."""

from __future__ import annotations

from zwerm.ipfs.ipns.cache import MAX_KEPT, NameCache


def test_an_answer_is_good_for_its_lifetime() -> None:
    cache: NameCache[str] = NameCache()
    cache.put("a", "here", 60.0, 100.0)
    assert cache.find("a", 130.0) == ("here", 30.0)
    assert cache.find("a", 160.0) is None
    assert len(cache) == 0


def test_that_there_is_none_is_an_answer_too() -> None:
    cache: NameCache[str] = NameCache()
    assert cache.find("a", 0.0) is None
    cache.put("a", None, 10.0, 0.0)
    assert cache.find("a", 1.0) == (None, 9.0)


def test_an_answer_for_no_time_takes_the_old_one_away() -> None:
    cache: NameCache[str] = NameCache()
    cache.put("a", "old", 60.0, 0.0)
    cache.put("a", "new", 0.0, 1.0)
    assert cache.find("a", 1.0) is None


def test_nothing_is_kept_for_longer_than_a_day() -> None:
    cache: NameCache[str] = NameCache()
    cache.put("a", "here", 1e18, 0.0)
    assert cache.find("a", 0.0) == ("here", MAX_KEPT)


def test_the_answer_used_longest_ago_goes_first() -> None:
    cache: NameCache[str] = NameCache(limit=2)
    for name in "abc":
        cache.put(name, name, 60.0, 0.0)
    assert [cache.find(name, 1.0) is None for name in "abc"] == [True, False, False]
    cache.remove("b")
    cache.clear()
    assert len(cache) == 0
