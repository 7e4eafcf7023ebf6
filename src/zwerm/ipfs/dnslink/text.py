"""What a TXT record says about content: `dnslink=/ipfs/CID/path`, `dnslink=/ipns/NAME` (dnslink.dev, "Record Format").

A domain's TXT records serve many purposes, so whatever is no link of ours is passed over and never an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.path import ContentPath

PREFIX: Final = "dnslink="
SUBDOMAIN: Final = "_dnslink."


def parse(text: str) -> ContentPath | None:
    """Read one untrusted TXT record; None when it is no link to content."""
    link = text.removeprefix(PREFIX)
    if link == text or not link.startswith(("/ipfs/", "/ipns/")):
        return None
    try:
        return ContentPath.from_text(link.rstrip())
    except WireError:
        return None


def choose(texts: Iterable[str]) -> ContentPath | None:
    """Return the link of a domain; None when it has none.

    Servers shuffle their records, so of several the first by text is taken: everybody sees the same one, at every look.
    """
    links = [link for text in texts if (link := parse(text)) is not None]
    return min(links, key=str, default=None)


def is_domain(name: str) -> bool:
    """Whether a name can be looked up: two labels or more, of at most 63 letters, digits, hyphens and underscores."""
    labels = name.rstrip(".").split(".")
    return (
        len(labels) > 1
        and len(name) <= 253 - len(SUBDOMAIN)
        and all(
            0 < len(label) <= 63 and label.isascii() and label.replace("-", "").replace("_", "").isalnum()
            for label in labels
        )
    )
