"""ETag comparison and Cache-Control."""

from __future__ import annotations

import pytest

from zwerm.ipfs.gateway import caching


@pytest.mark.parametrize("header", ['"a"', 'W/"a"', '"x", "a"', "*", ' "x",W/"a" '])
def test_the_client_has_it_already(header: str) -> None:
    assert caching.if_none_match(header, '"a"')
    assert caching.if_none_match(header, 'W/"a"')


@pytest.mark.parametrize("header", ["", '"b"', "a", '"ab"'])
def test_the_client_has_something_else(header: str) -> None:
    assert not caching.if_none_match(header, '"a"')


def test_a_range_is_honoured_for_the_same_strong_etag_only() -> None:
    assert caching.if_range("", '"a"')
    assert caching.if_range('"a"', '"a"')
    assert not caching.if_range('"b"', '"a"')
    assert not caching.if_range('W/"a"', 'W/"a"')


def test_an_unknown_lifetime_says_nothing() -> None:
    assert caching.max_age(None) is None
    assert caching.max_age(60.9) == "public, max-age=60"
