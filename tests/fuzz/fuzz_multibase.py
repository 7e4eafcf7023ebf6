"""Multibase text is refused with WireError, or it is the one text of its value, but for the case of letters."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.multiformats import multibase

SEEDS = [multibase.encode(b"\0yes mani !", base).encode() for base in multibase.BASES]
_NAMES = {row.prefix: name for name, row in multibase.BASES.items()}


def fuzz(data: bytes) -> None:
    given = text(data)
    try:
        value = multibase.decode(given)
    except WireError:
        return
    if len(value) <= multibase.MAX_NUMBER:
        assert multibase.encode(value, _NAMES[given[0]])[1:].lower() == given[1:].lower()
