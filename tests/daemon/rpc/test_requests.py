"""The list of requests: in hand and ended, bounded in number, size and age."""

from __future__ import annotations

import pytest

from zwerm.daemon.rpc import requests
from zwerm.daemon.rpc.requests import KEPT, Requests


def commands(of: Requests) -> list[str]:
    return [request.command for request in of.listed()]


def test_a_request_is_in_hand_until_its_context_ends() -> None:
    known = Requests()
    with known.entered("cat", ["a", "b"], {"offset": 7}) as request:
        assert known.listed() == [request]
        assert (request.arguments, request.options, request.ended) == (("a", "b"), {"offset": "7"}, None)
    assert known.listed() == [request]
    assert request.ended is not None
    assert request.ended >= request.began


def test_a_request_that_fails_has_ended_too() -> None:
    known = Requests()
    with pytest.raises(ValueError, match="it failed"), known.entered("cat", [], {}) as request:
        raise ValueError("it failed")
    assert request.ended is not None


def test_numbers_tell_requests_apart_and_grow() -> None:
    known = Requests()
    with known.entered("cat", [], {}) as first, known.entered("cat", [], {}) as second:
        assert first.number < second.number


def test_only_so_many_that_have_ended_are_kept_and_those_in_hand_always() -> None:
    known = Requests()
    with known.entered("in hand", [], {}):
        for number in range(KEPT + 5):
            with known.entered(str(number), [], {}):
                pass
        assert commands(known) == ["in hand", *map(str, range(5, KEPT + 5))]


def test_a_long_argument_is_kept_in_part() -> None:
    known = Requests()
    with known.entered("cat", ["x" * 5_000], {"message": "y" * 5_000}) as request:
        assert len(request.arguments[0]) == len(request.options["message"]) == 200


def test_those_that_have_ended_are_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(requests.time, "time", lambda: now[0])
    known = Requests()
    known.keep(60)
    with known.entered("old", [], {}):
        pass
    now[0] += 50
    with known.entered("new", [], {}):
        now[0] += 11
        assert commands(known) == ["new"]
    now[0] += 59
    assert commands(known) == ["new"]
    now[0] += 2
    assert commands(known) == []


def test_clearing_leaves_what_is_in_hand() -> None:
    known = Requests()
    with known.entered("ended", [], {}):
        pass
    with known.entered("in hand", [], {}):
        known.clear()
        assert commands(known) == ["in hand"]
