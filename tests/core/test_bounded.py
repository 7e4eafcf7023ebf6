"""Bounded containers: they fill up to the limit, say its name, and are unchanged by what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.bounded import BoundedDict, BoundedQueue, LruCache
from zwerm.core.errors import LocalProtocolError, ResourceLimitError


def test_a_dict_refuses_one_key_too_many_and_says_of_what() -> None:
    streams: BoundedDict[int, str] = BoundedDict(2, "open streams")
    streams[1], streams[2] = "a", "b"
    with pytest.raises(ResourceLimitError, match="3 open streams, the limit is 2"):
        streams[3] = "c"
    assert dict(streams) == {1: "a", 2: "b"}
    assert streams.is_full


def test_a_full_dict_still_replaces_and_takes_again_after_a_removal() -> None:
    streams: BoundedDict[int, str] = BoundedDict(1, "open streams")
    streams[1] = "a"
    streams[1] = "b"
    assert streams.pop(1) == "b"
    assert not streams.is_full
    streams[2] = "c"
    assert 2 in streams
    assert 1 not in streams


def test_no_way_into_a_dict_passes_the_limit() -> None:
    streams: BoundedDict[int, str] = BoundedDict(1, "open streams")
    streams[0] = ""
    with pytest.raises(ResourceLimitError):
        streams.update({1: ""})
    with pytest.raises(ResourceLimitError):
        streams.setdefault(1, "")
    assert list(streams) == [0]
    assert repr(streams) == "BoundedDict(1 of 1 open streams)"


def test_a_queue_of_items() -> None:
    queue: BoundedQueue[str] = BoundedQueue(2, "waiting calls")
    queue.put("a")
    queue.put("b")
    with pytest.raises(ResourceLimitError, match="3 waiting calls, the limit is 2"):
        queue.put("c")
    assert list(queue) == ["a", "b"]
    assert queue.peek() == "a"
    assert [queue.take(), queue.take(), queue.take()] == ["a", "b", None]
    assert queue.peek() is None


def test_a_queue_of_bytes_counts_bytes() -> None:
    queue: BoundedQueue[bytes] = BoundedQueue(10, "bytes waiting to be sent")
    queue.put(b"12345678", 8)
    with pytest.raises(ResourceLimitError, match="11 bytes"):
        queue.put(b"123", 3)
    queue.put(b"12", 2)
    assert (queue.size, len(queue)) == (10, 2)
    assert repr(queue) == "BoundedQueue(10 of 10 bytes waiting to be sent)"
    queue.take()
    assert queue.size == 2
    queue.clear()
    assert (queue.size, len(queue)) == (0, 0)


def test_a_cache_forgets_what_was_not_used_for_longest() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.find("a") == 1
    cache.put("c", 3)
    assert list(cache) == ["a", "c"]
    assert cache.find("b") is None
    cache.put("a", 4)
    assert list(cache) == ["c", "a"]


def test_a_cache_of_bytes_weighs_its_values() -> None:
    cache: LruCache[str, bytes] = LruCache(10, weigh=len)
    cache.put("a", b"12345")
    cache.put("b", b"12345")
    cache.put("c", b"1")
    assert (list(cache), cache.size) == (["b", "c"], 6)
    cache.put("huge", b"12345678901")
    assert (list(cache), cache.size) == (["b", "c"], 6)
    cache.put("b", b"12345678901")  # what it replaces is gone all the same: it is not the value of "b" any more
    assert (list(cache), cache.size) == (["c"], 1)
    cache.remove("c")
    cache.remove("c")
    assert (len(cache), cache.size) == (0, 0)


def test_what_weighs_nothing_takes_room_all_the_same() -> None:
    queue: BoundedQueue[bytes] = BoundedQueue(3, "bytes waiting to be sent")
    cache: LruCache[int, bytes] = LruCache(3, weigh=len)
    for number in range(3):
        queue.put(b"", 0)
        cache.put(number, b"")
    with pytest.raises(ResourceLimitError):
        queue.put(b"", 0)
    cache.put(3, b"")
    assert list(cache) == [1, 2, 3]


def test_a_cleared_cache_is_empty() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache.put("a", 1)
    cache.clear()
    assert (cache.size, "a" in cache) == (0, False)


def test_a_cache_of_nothing_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        LruCache(0)


@given(st.lists(st.tuples(st.integers(0, 6), st.binary(max_size=5)), max_size=40))
def test_a_cache_never_outgrows_its_limit_and_never_lies(puts: list[tuple[int, bytes]]) -> None:
    cache: LruCache[int, bytes] = LruCache(9, weigh=len)
    last: dict[int, bytes] = {}
    for key, value in puts:
        cache.put(key, value)
        last[key] = value
        assert cache.size == sum(len(last[held]) for held in cache) <= 9
        assert all(cache.find(held) == last[held] for held in list(cache))
