"""Packages whose names are imported when they are used, so that a short command loads only what it needs (PEP 562)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def attributes(package: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package.

    Args:
        package: its `__name__`.
        places: what it offers, and the module of the package in which that is; `module:name` when it has another
            name there.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 -- that is what it becomes
        place = places.get(name)
        if place is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, attribute = place.partition(":")
        return getattr(importlib.import_module(f"{package}.{module}"), attribute or name)

    return __getattr__
