"""Which connections go when there are too many: none that is protected or young, the least useful first.

Two marks keep it from happening all the time: past the higher one connections are closed until the lower one is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from zwerm.core.machine import Instant

ConnectionT = TypeVar("ConnectionT")


class Worth(NamedTuple):
    """What speaks for keeping a connection; the smallest goes first."""

    is_only: bool  # with its peer
    is_direct: bool  # not through a relay
    streams: int
    is_outbound: bool  # we wanted it
    used: Instant  # when a stream was last opened on it


class Candidate(NamedTuple):
    """A connection as this looks at it."""

    worth: Worth
    opened: Instant
    is_protected: bool


def excess(
    candidates: Iterable[tuple[ConnectionT, Candidate]], *, high: int, low: int, grace: float, now: Instant
) -> list[ConnectionT]:
    """Return the connections to close so that `low` are left, when there are more than `high`.

    Fewer, when the others are protected or opened within the last `grace` seconds.
    """
    everything = list(candidates)
    if len(everything) <= high:
        return []
    free = [
        (candidate.worth, connection)
        for connection, candidate in everything
        if not candidate.is_protected and now - candidate.opened >= grace
    ]
    free.sort(key=lambda entry: entry[0])
    return [connection for _, connection in free[: len(everything) - low]]
