"""What waits for one device: numbered events, so that a device that comes back hears each of them once.

Numbers count up from 1 without a gap. The device says which it has (`ack`), and after a break where it was; it is then
told everything since. An event whose time has passed by then is replaced by `expired` with the same number, so that a
gap always means a loss.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.core.machine import Instant


class _Kept(NamedTuple):
    number: int
    text: str  # the event in JSON, without its number
    expires: Instant | None


class Mailbox:
    """The events of one session, from the first that was not acknowledged on."""

    __slots__ = ("_bytes", "_kept", "_limit", "_limit_bytes", "_numbered", "_unsent")

    def __init__(self, limit: int, limit_bytes: int) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._kept: deque[_Kept] = deque()
        self._bytes = 0
        self._numbered = 0  # the last number that was given
        self._unsent = 0  # how many of the last ones were not taken yet

    def put(self, text: str, expires: Instant | None = None) -> int:
        """Append an event, a JSON object without `seq`; return its number.

        Raises:
            ResourceLimitError: the device lets too much pile up. Nothing was changed.
        """
        if len(self._kept) >= self._limit or self._bytes + len(text) > self._limit_bytes:
            raise ResourceLimitError(f"{len(self._kept) + 1} events wait, {self._bytes + len(text)} bytes")
        self._numbered += 1
        self._kept.append(_Kept(self._numbered, text, expires))
        self._bytes += len(text)
        self._unsent += 1
        return self._numbered

    def acknowledge(self, number: int) -> None:
        """Forget the events up to `number`; those before are forgotten already.

        Raises:
            WireError: an event that was never sent.
        """
        if number > self._numbered - self._unsent:
            raise WireError(f"event {number} is acknowledged, the last one sent was {self._numbered - self._unsent}")
        while self._kept and self._kept[0].number <= number:
            self._bytes -= len(self._kept.popleft().text)

    def resume(self, number: int) -> bool:
        """Go back to after `number`, the last event that the device has; False when some of those are gone."""
        first = self._kept[0].number if self._kept else self._numbered + 1
        if not first - 1 <= number <= self._numbered:
            return False
        self._unsent = self._numbered - number
        self.acknowledge(number)
        return True

    def next_text(self, now: Instant) -> str | None:
        """The next event to send, with its number; None when all are sent. It stays until it is acknowledged."""
        if not self._unsent:
            return None
        number, text, expires = self._kept[-self._unsent]
        self._unsent -= 1
        if expires is not None and now >= expires:
            text = '{"type":"expired"}'
        return f'{{"seq":{number},{text[1:]}'

    def dump(self, now: Instant) -> list[list[Any]]:
        """All that is kept, for another process: number, text, and the seconds until it expires."""
        return [[each.number, each.text, None if each.expires is None else each.expires - now] for each in self._kept]

    def restore(self, kept: list[list[Any]], numbered: int, now: Instant) -> None:
        """Take what `dump` gave, all of it to be sent."""
        for number, text, left in kept:
            self._kept.append(_Kept(number, text, None if left is None else now + left))
            self._bytes += len(text)
        self._numbered = numbered
        self._unsent = len(self._kept)

    @property
    def numbered(self) -> int:
        """The number of the last event."""
        return self._numbered

    @property
    def has_unsent(self) -> bool:
        return self._unsent > 0

    def __len__(self) -> int:
        """How many events are kept."""
        return len(self._kept)
