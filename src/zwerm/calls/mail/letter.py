"""What the mails say, in English and Dutch.

Every text of a person is text: it is cut, stands in one line, and is escaped where there is HTML. A mail holds one link
and nothing that is loaded.
"""

from __future__ import annotations

import html
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from typing import Final

_TEXTS: Final[dict[str, dict[str, tuple[str, str, str]]]] = {  # language -> kind -> subject, text, words of the link
    "en": {
        "confirm": (
            "Confirm your address for {name}",
            (
                "Somebody, you we hope, gave this address for the name {name}. Open the link to confirm it. "
                "If it was not you, do nothing."
            ),
            "Confirm",
        ),
        "sign-in": (
            "Sign in as {name}",
            (
                "Open the link on the device that you want to sign in. It works once, for a quarter of an hour. "
                "If you did not ask for it, do nothing: nobody gets in without it."
            ),
            "Sign in",
        ),
        "call": (
            "{caller} wants to talk to you",
            "{caller} is calling you, {name}. Open the link to answer, or to call back.",
            "Talk to {caller}",
        ),
    },
    "nl": {
        "confirm": (
            "Bevestig je adres voor {name}",
            (
                "Iemand, hopelijk jij, gaf dit adres op voor de naam {name}. Open de link om het te bevestigen. "
                "Was jij het niet, doe dan niets."
            ),
            "Bevestigen",
        ),
        "sign-in": (
            "Aanmelden als {name}",
            (
                "Open de link op het apparaat waarmee je je wilt aanmelden. Hij werkt één keer, een kwartier lang. "
                "Heb je er niet om gevraagd, doe dan niets: zonder de link komt niemand binnen."
            ),
            "Aanmelden",
        ),
        "call": (
            "{caller} wil met je praten",
            "{caller} belt je, {name}. Open de link om op te nemen of om terug te bellen.",
            "Praten met {caller}",
        ),
    },
}

KINDS: Final = frozenset(_TEXTS["en"])
LANGUAGES: Final = tuple(_TEXTS)


def write(kind: str, language: str, sender: str, to: str, url: str, *, name: str, caller: str = "") -> EmailMessage:
    """Return a mail.

    Args:
        kind: one of `KINDS`.
        language: one of `LANGUAGES`; English for any other.
        sender: the address of the service.
        to: the address of the account.
        url: the one link.
        name: of the account.
        caller: who rings, if the mail is about that.
    """
    words = {"name": _one_line(name), "caller": _one_line(caller)}
    subject, text, link = (part.format(**words) for part in _TEXTS.get(language, _TEXTS["en"])[kind])
    letter = EmailMessage()
    letter["Subject"] = subject
    letter["From"] = Address("zwerm", addr_spec=sender)
    letter["To"] = Address(addr_spec=to)
    letter["Date"] = format_datetime(localtime())
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine is to answer
    letter.set_content(f"{text}\n\n{url}\n")
    letter.add_alternative(
        f'<!doctype html><html lang="{language}"><body style="font:16px system-ui,sans-serif">'
        f'<p>{html.escape(text)}</p><p><a href="{html.escape(url)}">{html.escape(link)}</a></p></body></html>\n',
        subtype="html",
    )
    return letter


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:64]
