"""Option values as text: Kubo's truth values, numbers and Go durations."""

from __future__ import annotations

from typing import Final

from zwerm.daemon.rpc.errors import UsageError

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_bool(text: str) -> bool:
    """Read a truth value as Kubo does over HTTP, where a bare `?recursive` counts as true."""
    lower = text.lower()
    if lower in ("", "1", "t", "true"):
        return True
    if lower in ("0", "f", "false"):
        return False
    raise ValueError(text)


def parse_int(text: str) -> int:
    """Read a decimal number, one with the prefix 0x, 0o or 0b, or as Go an octal one that begins with 0."""
    digits = text.lstrip("+-")
    if digits.isdecimal():
        return int(text, 8 if len(digits) > 1 and digits[0] == "0" else 10)
    return int(text, 0)


def parse_unsigned(text: str) -> int:
    value = parse_int(text)
    if value < 0:
        raise ValueError(text)
    return value


def parse_duration(text: str) -> float:
    """Read a Go duration (`1h15m30.5s`) as seconds.

    Raises:
        UsageError: it is none.
    """
    import re

    rest, total = text.strip(), 0.0
    while rest:
        match = re.match(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)", rest)
        if match is None:
            break
        total += float(match[1]) * _UNITS[match[2]]
        rest = rest[match.end() :]
    if rest or not text.strip():
        raise UsageError(f"duration {text!r}, expected for example 300ms, 1.5s, 2m or 1h30m")
    return total
