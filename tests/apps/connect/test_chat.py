"""What programs say beside files: every kind survives, unknown kinds are passed over, the rest is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.apps.connect.chat import MAX_MESSAGE, MAX_TEXT, Bye, Hello, Play, Saying, Text, Writing, parse
from zwerm.core.errors import WireError


@pytest.mark.parametrize(
    "saying",
    [Hello("zwerm 0.7.0"), Text('é 🐦 "\n'), Text(""), Writing(is_writing=True), Play(is_playing=False), Bye()],
    ids=["hello", "text", "empty text", "writing", "play", "bye"],
)
def test_every_kind_survives(saying: Saying) -> None:
    assert parse(str(saying)) == saying


def test_what_newer_programs_say_is_passed_over() -> None:
    assert parse('{"type":"wave","at":"you"}') is None
    assert parse('{"type":"text","text":"hi","colour":"red"}') == Text("hi")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "[]",
        '{"text":"hi"}',
        '{"type":1}',
        '{"type":"text"}',
        '{"type":"text","text":5}',
        '{"type":"writing","writing":1}',
        '{"type":"hello","program":"' + "x" * 101 + '"}',
        '{"type":"text","text":"' + "x" * (MAX_TEXT + 1) + '"}',
        " " * (MAX_MESSAGE + 1),
        "[" * 60_000,
    ],
    ids=range(12),
)
def test_what_nobody_says_is_refused(message: str) -> None:
    with pytest.raises(WireError):
        parse(message)


@given(st.text(max_size=MAX_TEXT))
def test_any_text_can_be_said(text: str) -> None:
    assert parse(str(Text(text))) == Text(text)


def test_half_a_surrogate_pair_does_no_harm() -> None:
    assert parse('{"type":"text","text":"\\ud83d"}') == Text("?")
