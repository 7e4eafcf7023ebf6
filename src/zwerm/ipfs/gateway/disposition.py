"""Content-Disposition (RFC 6266) with a name in two spellings: ASCII, and UTF-8 in RFC 8187 form."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

MAX_NAME: Final = 1_024  # characters of a requested file name that are kept


def content_disposition(kind: str, name: str) -> str:
    """Return the header's value; `kind` is "inline" or "attachment", `name` untrusted and possibly empty."""
    name = "".join(character if character.isprintable() else "_" for character in name[:MAX_NAME])
    if not name:
        return kind
    plain = "".join(character if character.isascii() else "_" for character in name)
    plain = plain.replace("\\", "\\\\").replace('"', '\\"')
    value = f'{kind}; filename="{plain}"'
    if not name.isascii():
        value += f"; filename*=UTF-8''{quote(name, safe='')}"
    return value
