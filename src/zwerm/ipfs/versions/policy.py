"""Which versions are kept: all, the last N, or fewer the older they are.

Dropping a version changes no block: its content is no longer kept from the collector. What is left of it is its commit,
which is small and still says who did what and when; commits older than the oldest version that is kept go too.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

from zwerm.core.errors import LocalProtocolError

_HOUR: Final = 3_600_000  # milliseconds
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY
_MONTH: Final = 31 * _DAY

# Up to which age, one version is kept for each span of how long; 0: every version.
_STEPS: Final = ((_DAY, 0), (_WEEK, _HOUR), (_MONTH, _DAY))
_THEREAFTER: Final = _WEEK


class Dated(NamedTuple):
    """A version as a policy sees it."""

    sequence: int
    time: int  # milliseconds since 1970


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """A rule. `str()` gives the text that `from_text` reads."""

    last: int | None = None  # keep so many of the newest versions
    by_age: bool = False  # all of a day, one an hour for a week, one a day for a month, one a week for ever

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read `all`, `last N` or `thin`.

        Raises:
            LocalProtocolError: none of these.
        """
        if text == "all":
            return cls()
        if text == "thin":
            return cls(by_age=True)
        if match := re.fullmatch(r"last ([1-9]\d{0,8})", text):
            return cls(last=int(match[1]))
        raise LocalProtocolError(f"{text!r} is not a policy; expected all, thin, or last N")

    def __str__(self) -> str:
        return "thin" if self.by_age else "all" if self.last is None else f"last {self.last}"

    def dropped(self, versions: Iterable[Dated], now: int) -> Iterator[Dated]:
        """Yield, of versions from the newest to the oldest, those that are not to be kept.

        Ages are by the clock of whoever made the version; one from the future counts as new. The newest version
        always stays, and of each span of time the newest in it.
        """
        before: tuple[int, int] | None = None  # the span that the version before fell into
        for index, version in enumerate(versions):
            span = _span(version.time, now) if self.by_age else None
            repeated = span is not None and span == before
            before = span
            if index and (repeated or (self.last is not None and index >= self.last)):
                yield version


def _span(time: int, now: int) -> tuple[int, int] | None:
    """Return the span of time that keeps one version, or None where all are kept."""
    age = now - time
    for limit, length in _STEPS:
        if age < limit:
            return None if not length else (length, time // length)
    return _THEREAFTER, time // _THEREAFTER
