"""More of what `tools/defences.py` takes away: routers that are asked to map ports by UPnP."""

from __future__ import annotations

from typing import Final

_UPNP: Final = "mapping/upnp.py"
_TESTS: Final = "mapping/test_upnp.py"

ROWS: Final = (
    (
        "UPnP: answers of others than the gateway",
        _UPNP,
        "if source[0] != gateway or len(data) > 2_048:",
        "if len(data) > 2_048:",
        _TESTS,
    ),
    (
        "UPnP: giant answers to a search",
        _UPNP,
        "if source[0] != gateway or len(data) > 2_048:",
        "if source[0] != gateway:",
        _TESTS,
    ),
    (
        "UPnP: a description elsewhere",
        _UPNP,
        'is_there = parts.scheme == "http" and parts.hostname == gateway',
        "is_there = bool(parts)",
        _TESTS,
    ),
    (
        "UPnP: a flood of answers",
        _UPNP,
        "elif self._left <= 0:",
        "elif False:",
        _TESTS,
    ),
    (
        "UPnP: services without end",
        _UPNP,
        "if self.left < 0:",
        "if False:",
        _TESTS,
    ),
    (
        "UPnP: a giant description",
        _UPNP,
        "if len(body) > MAX_BODY:",
        "if False:",
        _TESTS,
    ),
)
