"""Writing the IPLD data model as JSON in one form: no spaces, keys sorted by their UTF-8 bytes.

Floats are written as JavaScript writes them (ECMA-262, "Number::toString"), with a point added where that leaves an
integer, since dag-json tells the two apart by it.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.ipld.cbor_reader import MAX_DEPTH
from zwerm.ipfs.ipld.json_reader import MAX_INTEGER

_CONSTANTS: Final = {None: "null", True: "true", False: "false"}


def encode(value: Any, special: Callable[[Any], str | None]) -> bytes:
    """Write `value`; `special` gives the text of what JSON has no form for, and may object to a map.

    Raises:
        LocalProtocolError: something that has no form here, an integer of more than 64 bits, nesting deeper than
            `MAX_DEPTH`.
    """
    pieces: list[str] = []
    _write(value, pieces, special, 0)
    try:
        return "".join(pieces).encode()
    except UnicodeEncodeError:
        raise LocalProtocolError("text with lone surrogates, which UTF-8 has not") from None


def _write(value: Any, pieces: list[str], special: Callable[[Any], str | None], depth: int) -> None:
    if isinstance(value, str):
        pieces.append(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        pieces.append(_CONSTANTS[value])
    elif isinstance(value, int):
        if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
            raise LocalProtocolError(f"integer of {value.bit_length()} bits, expected at most 64")
        pieces.append(str(value))
    elif isinstance(value, float):
        pieces.append(float_text(value))
    elif (text := special(value)) is not None:
        pieces.append(text)
    elif depth >= MAX_DEPTH:
        raise LocalProtocolError(f"value nested deeper than {MAX_DEPTH}")
    elif isinstance(value, list):
        separator = "["
        for entry in value:
            pieces.append(separator)
            separator = ","
            _write(entry, pieces, special, depth + 1)
        pieces.append("]" if value else "[]")
    elif isinstance(value, dict):
        separator = "{"
        for key in sorted_keys(value):
            pieces.append(f"{separator}{encode_basestring(key)}:")
            separator = ","
            _write(value[key], pieces, special, depth + 1)
        pieces.append("}" if value else "{}")
    else:
        raise LocalProtocolError(f"{type(value).__name__} has no place in the IPLD data model")


def sorted_keys(value: dict[str, Any]) -> list[str]:
    """Return the keys in the order they are written: that of their code points, which is that of their UTF-8 bytes."""
    for key in value:
        if not isinstance(key, str):
            raise LocalProtocolError(f"map key of type {type(key).__name__}, expected str")
    return sorted(value)


def float_text(value: float) -> str:
    """Return the shortest text that reads back as `value`, always with a point or an exponent."""
    if value - value != 0.0:
        raise LocalProtocolError(f"float {value} has no place in the IPLD data model")
    text = repr(value)
    mantissa, has_exponent, exponent_text = text.partition("e")
    if not has_exponent:
        return text
    exponent = int(exponent_text)
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "")
    if exponent > 20 or exponent < -6:
        return f"{mantissa}e{exponent:+d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    return f"{sign}{digits.ljust(exponent + 1, '0')}.0"
