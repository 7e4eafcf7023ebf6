"""The IPLD data model as Python has it (ipld.io/docs/data-model/kinds): what can be said of any value.

None, bool, int of 64 bits, finite float, str without lone surrogates, bytes, list, dict with str keys, and `CID`.
"""

from __future__ import annotations

from typing import Any

from zwerm.multiformats.cid import CID


def links_in(value: Any) -> list[CID]:
    """Return the links inside a value, in order."""
    found: list[CID] = []
    values = [value]
    while values:
        value = values.pop()
        if isinstance(value, CID):
            found.append(value)
        elif isinstance(value, list):
            values += reversed(value)
        elif isinstance(value, dict):
            values += reversed(value.values())
    return found
