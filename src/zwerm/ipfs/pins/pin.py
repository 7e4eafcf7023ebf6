"""Pins as values: kinds, what a listing shows, what can be wrong with one."""

from __future__ import annotations

import enum
from typing import NamedTuple

from zwerm.core.errors import LocalProtocolError, NotFoundError
from zwerm.multiformats.cid import CID


class PinKind(enum.Enum):
    """How a block is kept; the values are Kubo's names."""

    RECURSIVE = "recursive"  # it and everything below it
    DIRECT = "direct"  # it alone
    INDIRECT = "indirect"  # by a recursive pin above it


class Pin(NamedTuple):
    """A kept block."""

    cid: CID  # as it was pinned
    kind: PinKind
    name: str = ""
    via: CID | None = None  # of an indirect one: a recursive pin above it


class BadNode(NamedTuple):
    """A block that breaks a pin."""

    cid: CID
    error: str


class PinStatus(NamedTuple):
    """Whether everything below a recursive pin is here and intact."""

    cid: CID
    bad: list[BadNode]

    @property
    def ok(self) -> bool:
        return not self.bad


class NotPinned(NotFoundError):
    """There is no such pin."""


class PinConflict(LocalProtocolError):
    """A pin of another kind stands in the way."""
