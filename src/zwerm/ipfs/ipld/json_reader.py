"""Reading JSON text as values of the IPLD data model (RFC 8259; ipld.io/specs/codecs/dag-json/spec).

Python's own parser does the work; around it stands what it lets through: duplicate keys, NaN, numbers past 64 bits,
lone surrogates, and nesting or numbers of containers that cost more memory than the text is worth.

A number with a point or an exponent is a float, any other an integer, so that both survive a round trip.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable
from typing import Any, Final

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.cbor_reader import MAX_DEPTH, MAX_ENTRIES

Pairs = list[tuple[str, Any]]

MAX_INTEGER: Final = 2**64 - 1  # as dag-cbor; the smallest integer is one further below zero
_MAX_DIGITS: Final = 20

# A string is taken whole even when it is never closed, so that the scan stays linear.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b"[]{}:")
_NESTING: Final = [(byte in b"[{") - (byte in b"]}") for byte in range(256)]
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def decode(data: bytes, build: Callable[[Pairs], Any]) -> Any:
    """Read the one value that the untrusted text holds; `build` makes what each object stands for.

    Raises:
        WireError: not JSON in UTF-8, or past a limit.
    """
    try:
        text = data.decode()
        _check_structure(data)
        value = json.loads(
            text, object_pairs_hook=build, parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
    except WireError:
        raise
    except UnicodeDecodeError:
        raise WireError("JSON that is not UTF-8") from None
    except ValueError as error:
        raise WireError(f"not JSON: {error}") from None
    except RecursionError:
        raise WireError("JSON nested too deep for the stack that is left") from None
    if _SURROGATE.search(text):
        _refuse_surrogates(value)
    return value


def unique(pairs: Pairs) -> dict[str, Any]:
    """Return the pairs as a map; WireError when a key is there twice."""
    built = dict(pairs)
    if len(built) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise WireError(f"JSON key {twice[:64]!r} is there twice")
    return built


def _check_structure(data: bytes) -> None:
    """Hold the limits before anything is built."""
    if data.count(b"[") + data.count(b"{") + data.count(b":") <= MAX_DEPTH:
        return
    structure = _STRING.sub(b"", data).translate(None, _NOT_STRUCTURE)
    entries = structure.count(b"[") + structure.count(b"{") + structure.count(b":")
    if entries > MAX_ENTRIES:
        raise WireError(f"JSON with more than {MAX_ENTRIES} lists, maps and map entries")
    if max(itertools.accumulate(map(_NESTING.__getitem__, structure)), default=0) > MAX_DEPTH:
        raise WireError(f"JSON nested deeper than {MAX_DEPTH}")


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _MAX_DIGITS + 1 else MAX_INTEGER + 2
    if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        raise WireError(f"JSON integer {text[:64]}, expected at most 64 bits")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise WireError(f"JSON number {text[:64]} is more than a float can be")
    return value


def _constant(text: str) -> Any:
    raise WireError(f"JSON has no {text}")


def _refuse_surrogates(value: Any) -> None:
    values = [value]
    while values:
        value = values.pop()
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise WireError(f"JSON text {value[:64]!r} has lone surrogates, which UTF-8 has not") from None
        elif isinstance(value, list):
            values += value
        elif isinstance(value, dict):
            values += [*value, *value.values()]
