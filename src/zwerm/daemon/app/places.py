"""JSON for the pages, in which paths of any bytes can be sent back (`docs/app-api.md`, "Conventions").

A name is for people: a byte that is no UTF-8 is U+FFFD there. A path is for the next request, so each such byte keeps
its value.
"""

from __future__ import annotations

import json
from typing import Any, Final

from zwerm.core.escaped import legible, portable

_PLACES: Final = frozenset({"path", "paths", "source"})  # fields that hold files paths


def place_bytes(value: Any) -> bytes:
    """Return a document in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isascii() or text == portable(text):
        return text.encode()
    return json.dumps(_carried(value, for_people=True), ensure_ascii=False, separators=(",", ":")).encode()


def _carried(value: Any, *, for_people: bool) -> Any:
    if isinstance(value, str):
        return legible(value) if for_people else portable(value)
    if isinstance(value, list):
        return [_carried(part, for_people=for_people) for part in value]
    if isinstance(value, dict):
        return {legible(name): _carried(part, for_people=name not in _PLACES) for name, part in value.items()}
    return value
