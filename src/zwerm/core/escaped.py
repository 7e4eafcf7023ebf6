"""Names that are bytes, kept in text: what is no UTF-8 stands there as lone surrogates (PEP 383).

File names on Linux and names in UnixFS are bytes. Inside they are text whose surrogates carry the bytes, so that each
name comes out as it went in. JSON and pages cannot hold them: there each such byte becomes U+FFFD, as Go writes it; or,
in a path that is to come back, a code point for private use.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BASE: Final = 0x10FE00  # a byte that is no UTF-8 is this and its value: within Unicode's plane 16, for private use
_STANDS_FOR_BYTE: Final = re.compile("[\U0010fe80-\U0010feff]")


def legible(text: str) -> str:
    """Return text that UTF-8 can carry: each byte that was no UTF-8 becomes U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def legible_value(value: Any) -> Any:
    """Return a JSON value with every text in it made `legible`."""
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, list):
        return [legible_value(part) for part in value]
    if isinstance(value, dict):
        return {legible(name): legible_value(part) for name, part in value.items()}
    return value


def json_bytes(value: Any) -> bytes:
    """Return `value` as JSON without spaces, in UTF-8 always: see `legible` for its texts."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text).encode()


def portable(text: str) -> str:
    """Return text that UTF-8 can carry and that `from_portable` turns back into the same.

    A code point that stands for a byte here, and is meant as itself, is written byte by byte.
    """
    if text.isascii():
        return text
    text = _STANDS_FOR_BYTE.sub(lambda found: found[0].encode().decode("ascii", "surrogateescape"), text)
    return _SURROGATE.sub(lambda found: chr(_BASE + (ord(found[0]) & 0xFF)), text)


def from_portable(text: str) -> str:
    """Return the text that `portable` was given."""
    if _STANDS_FOR_BYTE.search(text) is None:
        return text
    escaped = _STANDS_FOR_BYTE.sub(lambda found: chr(0xDC00 + (ord(found[0]) & 0xFF)), text)
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
