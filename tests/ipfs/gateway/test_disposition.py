"""Path Gateway specification, "Content-Disposition" (RFC 6266, RFC 8187)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.gateway.disposition import content_disposition


def test_a_plain_name() -> None:
    assert content_disposition("attachment", "a b.pdf") == 'attachment; filename="a b.pdf"'


def test_a_name_outside_ascii_has_both_spellings() -> None:
    assert content_disposition("inline", "testтест.pdf") == (
        "inline; filename=\"test____.pdf\"; filename*=UTF-8''test%D1%82%D0%B5%D1%81%D1%82.pdf"
    )


def test_quotes_cannot_end_the_name() -> None:
    assert content_disposition("inline", 'a"; x="b\\') == 'inline; filename="a\\"; x=\\"b\\\\"'


@given(st.text(max_size=80))
def test_no_name_breaks_the_header(name: str) -> None:
    value = content_disposition("attachment", name)
    assert value.isascii()
    assert "\r" not in value
    assert "\n" not in value
