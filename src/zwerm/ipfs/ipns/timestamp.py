"""Points in time as IPNS records write them: RFC 3339 with up to nine digits of a second.

A moment is an int, nanoseconds since 1970 in UTC: neither a float nor a `datetime` can hold nine digits.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError

SECOND: Final = 1_000_000_000  # nanoseconds

_FORM: Final = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:[Zz]|([+-])(\d\d):(\d\d))"
)
_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 -- arithmetic on days, always UTC
_DAY: Final = 86_400
_LAST: Final = 253_402_300_800 * SECOND  # the end of the year 9999


def parse(text: bytes) -> int:
    """Read a point in time from untrusted bytes; digits past the ninth are dropped.

    Raises:
        WireError: not RFC 3339, or a day that is on no calendar.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise WireError(f"time {text[:40]!r}, expected the form 2030-01-02T03:04:05.000000000Z")
    year, month, day, hour, minute, second = (int(match[number]) for number in range(1, 7))
    if hour > 23 or minute > 59 or second > 60 or (match[8] and (int(match[9]) > 23 or int(match[10]) > 59)):
        raise WireError(f"time {text[:40]!r} is on no clock")
    try:
        days = (dt.datetime(year, month, day) - _EPOCH).days  # noqa: DTZ001
    except ValueError:
        raise WireError(f"time {text[:40]!r} is on no calendar") from None
    seconds = days * _DAY + hour * 3600 + minute * 60 + second
    if match[8]:
        offset = int(match[9]) * 3600 + int(match[10]) * 60
        seconds += offset if match[8] == b"-" else -offset
    return seconds * SECOND + int((match[7] or b"0").ljust(9, b"0")[:9])


def serialize(moment: int) -> bytes:
    """Write a moment in UTC with all nine digits; a LocalProtocolError outside the years 1 to 9999."""
    seconds, nanoseconds = divmod(moment, SECOND)
    try:
        if moment >= _LAST:
            raise OverflowError
        date = _EPOCH + dt.timedelta(seconds=seconds)
    except OverflowError:
        raise LocalProtocolError(f"a moment {seconds} seconds from 1970 is past the year 9999") from None
    return f"{date.isoformat(timespec='seconds')}.{nanoseconds:09}Z".encode()
