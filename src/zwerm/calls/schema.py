"""Checks of JSON values, made from the part of JSON Schema that `schema.json` uses (draft 2020-12).

The schema is the documentation and the decoder at once: each definition becomes a function that raises a `WireError`
naming the place. A keyword that is not known here is an error when the schema is read, never ignored.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from importlib import resources
from typing import Any, Final, TypeAlias

from zwerm.core.errors import LocalProtocolError, WireError

Check: TypeAlias = Callable[[Any, str], None]  # of a value, and where it stands

_NOTES: Final = frozenset({"$schema", "title", "description", "$defs"})
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


@functools.cache
def document() -> dict[str, Any]:
    """The schema as it is published."""
    return dict(json.loads(resources.files("zwerm.calls").joinpath("schema.json").read_text("utf-8")))


class Compiler:
    """Makes checks of the definitions of one schema."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self._made: dict[str, Check] = {}

    def definition(self, name: str) -> Check:
        """The check of `#/$defs/NAME`."""
        if name not in self._made:
            self._made[name] = self.check(self._definitions[name])
        return self._made[name]

    def check(self, schema: dict[str, Any]) -> Check:
        """Make one check of all keywords; a LocalProtocolError when one is not known."""
        checks = [self._keyword(word, schema) for word in schema if word not in (*_NOTES, *_WITH_OTHERS)]
        if len(checks) == 1:
            return checks[0]

        def check_all(value: Any, place: str) -> None:
            for check in checks:
                check(value, place)

        return check_all

    def _keyword(self, word: str, schema: dict[str, Any]) -> Check:
        wanted = schema[word]
        match word:
            case "$ref":
                return self.definition(wanted.removeprefix("#/$defs/"))
            case "type":
                return _type(wanted)
            case "const":
                return _one_of([wanted])
            case "enum":
                return _one_of(wanted)
            case "pattern":
                return _pattern(wanted)
            case "items":
                return self._items(wanted)
            case "properties":
                return self._properties(schema)
        if word in _BOUNDS:
            return _bound(word, wanted)
        raise LocalProtocolError(f"the schema says {word!r}, which nothing here checks")

    def _items(self, schema: dict[str, Any]) -> Check:
        each = self.check(schema)

        def check(value: Any, place: str) -> None:
            if isinstance(value, list):
                for item in value:
                    each(item, place)

        return check

    def _properties(self, schema: dict[str, Any]) -> Check:
        known = {name: self.check(inner) for name, inner in schema["properties"].items()}
        required = tuple(schema.get("required", ()))
        if schema.get("additionalProperties") is not False:
            raise LocalProtocolError("an object of the schema takes fields that it does not name")

        def check(value: Any, place: str) -> None:
            if not isinstance(value, dict):
                return
            for name in required:
                if name not in value:
                    raise WireError(f"{place}: {name} is missing")
            for name, inner in value.items():
                if (field := known.get(name)) is None:
                    raise WireError(f"{place}: there is no {name[:40]!r}")
                field(inner, name)

        return check


_WITH_OTHERS: Final = ("required", "additionalProperties")  # read where `properties` is
_BOUNDS: Final[dict[str, tuple[type, ...]]] = {
    "minimum": (int, float),
    "maximum": (int, float),
    "minLength": (str,),
    "maxLength": (str,),
    "maxItems": (list,),
}


def _type(wanted: str | list[str]) -> Check:
    names = [wanted] if isinstance(wanted, str) else wanted
    kinds = tuple(kind for name in names for kind in _TYPES[name])
    takes_boolean = bool in kinds
    text = " or ".join(names)

    def check(value: Any, place: str) -> None:
        if not isinstance(value, kinds) or (value is True or value is False) != takes_boolean:
            raise WireError(f"{place}: expected {text}")

    return check


def _one_of(values: list[Any]) -> Check:
    def check(value: Any, place: str) -> None:
        if value not in values or isinstance(value, bool):
            raise WireError(f"{place}: expected {' or '.join(map(str, values))}")

    return check


def _pattern(pattern: str) -> Check:
    # The `$` of ECMA-262 is the very end, that of Python stands before a last line break too.
    expression = re.compile(re.sub(r"\$$", r"\\Z", pattern))

    def check(value: Any, place: str) -> None:
        if isinstance(value, str) and not expression.search(value):
            raise WireError(f"{place}: has a form that is not allowed")

    return check


def _bound(word: str, limit: float) -> Check:
    kinds = _BOUNDS[word]

    def check(value: Any, place: str) -> None:
        if not isinstance(value, kinds) or isinstance(value, bool):
            return
        size: float = len(value) if isinstance(value, str | list) else value  # type: ignore[assignment]  # as `kinds`
        if (size < limit) if word.startswith("min") else (size > limit):
            raise WireError(f"{place}: {size:.6g} is beyond {word} {limit:g}")

    return check
