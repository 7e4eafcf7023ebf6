"""What kinds of values a setting has: how each is read from TOML or a command line, checked and shown.

A kind turns a TOML value, or the text a person typed, into the canonical TOML value (`check`), and that into what the
program works with (`value`). Sizes and durations stay text in the file (`"10GB"`, `"1h"`), as
people write them.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.node.address import Address

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?", re.IGNORECASE)
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.IGNORECASE)
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TOO_MUCH: Final = 2.0**63  # bytes or seconds


class SettingError(LocalProtocolError):
    """A configuration key or value that cannot be; nothing was changed."""


def parse_size(text: str) -> int:
    """Read `10GB` (powers of 1000), `10GiB` (powers of 1024) or plain bytes; a LocalProtocolError when it is none."""
    match = _SIZE.fullmatch(text.strip())
    if not match or (match[3] and not match[2]):
        raise LocalProtocolError(f"{text!r} is not a size; expected a form like 500MB or 10GiB")
    unit = 1024 if match[3] else 1000
    size = float(match[1]) * math.pow(unit, " kmgtp".index(match[2].lower() or " "))
    if size >= _TOO_MUCH:
        raise LocalProtocolError(f"{text[:40]!r} is a size beyond every disk")
    return math.floor(size)


def parse_duration(text: str) -> float:
    """Read `90s`, `1h30m`, `7d` as seconds; a LocalProtocolError when it is none."""
    text = text.strip()
    parts = list(_DURATION.finditer(text))
    if text == "0":
        return 0.0
    if not parts or "".join(part[0] for part in parts) != text:
        raise LocalProtocolError(f"{text!r} is not a duration; expected a form like 30s, 1h30m or 7d")
    seconds = sum(float(part[1]) * _SECONDS[part[2].lower()] for part in parts)
    if seconds >= _TOO_MUCH:
        raise LocalProtocolError(f"{text[:40]!r} is a duration beyond every lifetime")
    return seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value."""

    name: str  # what the settings page calls it
    check: Callable[[Any], Any]  # TOML value or typed text -> canonical TOML value, LocalProtocolError when it is none
    value: Callable[[Any], Any]  # canonical TOML value -> what the program works with
    choices: tuple[str, ...] | None = None


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise LocalProtocolError(f"{given!r} is not text")
    if not given.isprintable():
        raise LocalProtocolError(f"{given!r} holds characters that cannot be shown")
    return given


def _integer(low: int, high: int) -> Callable[[object], int]:
    def check(given: object) -> int:
        if isinstance(given, str) and re.fullmatch(r"-?\d{1,18}", given.strip()):
            given = int(given)
        if not isinstance(given, int) or isinstance(given, bool) or not low <= given <= high:
            raise LocalProtocolError(f"{given!r} is not a whole number from {low} to {high}")
        return given

    return check


def _boolean(given: object) -> bool:
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    if not isinstance(given, bool):
        raise LocalProtocolError(f"{given!r} is neither true nor false")
    return given


def _size(given: object) -> str | int:
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    parse_size(_text(given))
    return _text(given)


def _duration(given: object) -> str:
    text = "0" if given == 0 else _text(given)
    parse_duration(text)
    return text


def _list(item: Callable[[object], str]) -> Callable[[object], list[str]]:
    def check(given: object) -> list[str]:
        if isinstance(given, str):
            if given.lstrip().startswith("["):
                try:
                    import json

                    given = json.loads(given)
                except ValueError:
                    raise LocalProtocolError(
                        f"{given!r} is not a list; expected a form like a,b or a JSON list"
                    ) from None
            else:
                given = [part.strip() for part in given.split(",") if part.strip()]
        if not isinstance(given, list):
            raise LocalProtocolError(f"{given!r} is not a list")
        return [item(part) for part in given]

    return check


def _address(given: object) -> str:
    text = _text(given)
    return str(Address.from_text(text)) if text else ""


def _choice(choices: tuple[str, ...]) -> Callable[[object], str]:
    def check(given: object) -> str:
        if given not in choices:
            raise LocalProtocolError(f"{given!r} is not one of {', '.join(choices)}")
        return str(given)

    return check


def _same(value: Any) -> Any:
    return value


TEXT: Final = Kind("text", _text, _same)
BOOLEAN: Final = Kind("boolean", _boolean, _same)
SIZE: Final = Kind("size", _size, lambda value: value if isinstance(value, int) else parse_size(value))
DURATION: Final = Kind("duration", _duration, parse_duration)
LIST: Final = Kind("list", _list(_text), tuple)
ADDRESS: Final = Kind("address", _address, lambda value: Address.from_text(value) if value else None)


def integer(low: int, high: int) -> Kind:
    """Whole numbers from `low` to `high`."""
    return Kind("integer", _integer(low, high), _same)


def choice(*choices: str) -> Kind:
    """One of the words."""
    return Kind("choice", _choice(choices), _same, choices)


def checked_text(check: Callable[[str], object]) -> Kind:
    """Text that `check` accepts; it raises a LocalProtocolError or ValueError otherwise."""

    def checked(given: object) -> str:
        text = _text(given)
        try:
            check(text)
        except ValueError as error:
            raise LocalProtocolError(str(error)) from None
        return text

    return Kind("text", checked, _same)


def checked_list(check: Callable[[str], object]) -> Kind:
    """A list of texts that `check` accepts each."""
    item = checked_text(check)
    return Kind("list", _list(item.check), tuple)


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One configuration key."""

    key: str  # dotted: table and name
    kind: Kind
    default: Any  # the canonical TOML value
    doc: str  # one sentence
    restart: bool = True  # whether a change takes effect at the next start only

    def check(self, given: object) -> Any:
        """Return the canonical TOML value; a SettingError naming the key when `given` cannot be one."""
        try:
            return self.kind.check(given)
        except LocalProtocolError as error:
            raise SettingError(f"{self.key}: {error}") from None
