"""ETag, If-None-Match and Cache-Control (RFC 9110 section 8.8.3 and 13.1.2; Path Gateway specification)."""

from __future__ import annotations

import re
from typing import Final

IMMUTABLE: Final = "public, max-age=29030400, immutable"
MADE_PAGE: Final = "public, max-age=604800, stale-while-revalidate=2678400"  # our HTML may look better next week

_MAX_HEADER: Final = 8_192  # characters of If-None-Match that are looked at
_ETAG: Final = re.compile(r'(?:W/)?"([^"]*)"')


def if_none_match(header: str, etag: str) -> bool:
    """Whether the client already has what `etag` names; compared weakly, as RFC 9110 section 13.1.2 asks."""
    if header.strip() == "*":
        return True
    ours = _ETAG.fullmatch(etag)
    return ours is not None and any(match[1] == ours[1] for match in _ETAG.finditer(header[:_MAX_HEADER]))


def if_range(header: str, etag: str) -> bool:
    """Whether a Range may be honoured (RFC 9110 section 13.1.5): no If-Range, or the same strong ETag."""
    return not header or (header == etag and not etag.startswith("W/"))


def max_age(time_to_live: float | None) -> str | None:
    """Cache-Control for what a mutable name points at; None when nothing is known."""
    return None if time_to_live is None else f"public, max-age={int(time_to_live)}"
