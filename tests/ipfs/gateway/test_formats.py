"""Path Gateway specification: Accept and format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.ipfs.gateway.formats import Format, negotiate, parse_accept

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize("form", list(Format))
def test_every_format_by_word_and_by_media_type(form: Format) -> None:
    assert negotiate(form.word, "").format is form
    wish = negotiate(None, form.media_type)
    assert wish.format is form
    assert wish.from_accept


def test_format_in_the_url_wins_over_accept() -> None:
    wish = negotiate("raw", "application/vnd.ipld.car")
    assert wish.format is Format.RAW
    assert wish.from_accept


def test_a_browser_gets_the_content_as_it_is() -> None:
    wish = negotiate(None, BROWSER)
    assert wish.format is None
    assert wish.html


def test_parameters_of_the_accepted_car_are_kept() -> None:
    wish = negotiate(None, 'application/vnd.ipld.car; version=1; order="dfs"; dups=y')
    assert wish.parameters == {"version": "1", "order": "dfs", "dups": "y"}


def test_quality_decides_between_two() -> None:
    assert negotiate(None, "application/vnd.ipld.raw;q=0.1, application/vnd.ipld.car;q=0.9").format is Format.CAR


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(WireError, match="expected one of raw"):
        negotiate("zip", "")


@given(st.text(max_size=200))
def test_any_accept_header_is_read_or_passed_over(header: str) -> None:
    negotiate(None, header)
    assert all(0 < element.quality <= 1 for element in parse_accept(header))
