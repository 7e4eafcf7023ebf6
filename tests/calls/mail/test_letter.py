"""Mails: both languages whole, one link, and no text of a person can become anything but text."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from zwerm.calls.mail.letter import KINDS, LANGUAGES, write

URL = "https://calls.example/#/calls/link/abc"


def sent(letter: EmailMessage) -> EmailMessage:
    """As it arrives."""
    return message_from_bytes(bytes(letter), policy=default)  # type: ignore[return-value]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_mail_has_a_subject_the_link_in_both_forms_and_nothing_else_to_load(kind: str, language: str) -> None:
    mail = sent(write(kind, language, "calls@example.org", "bob@example.org", URL, name="bob", caller="ann"))
    assert "{" not in mail["Subject"]
    assert (mail["To"], mail["Auto-Submitted"]) == ("bob@example.org", "auto-generated")
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().count(URL) == page.get_content().count(URL) == 1
    assert not any(word in page.get_content() for word in ("src=", "<img", "<script", "http-equiv"))
    if kind == "call":
        assert "ann" in mail["Subject"]


def test_both_languages_say_different_things() -> None:
    subjects = {
        sent(write("call", each, "a@b.c", "d@e.f", URL, name="bob", caller="ann"))["Subject"] for each in LANGUAGES
    }
    assert len(subjects) == len(LANGUAGES)


def test_hostile_names_stay_text() -> None:
    evil = 'ann\r\nBcc: all@example.org\r\n\r\n<script>alert("x")</script>\u202e' + "x" * 500
    mail = sent(write("call", "en", "a@b.c", "d@e.f", URL, name=evil, caller=evil))
    assert mail["Bcc"] is None
    page = mail.get_body(("html",))
    assert page is not None
    assert "<script>" not in page.get_content()
    assert "&lt;script&gt;" in page.get_content()
    assert len(str(mail["Subject"])) < 120


def test_a_language_that_is_not_there_is_english() -> None:
    assert write("call", "xx", "a@b.c", "d@e.f", URL, name="bob", caller="ann")["Subject"] == "ann wants to talk to you"
