"""RFC 3339 with nine digits, as IPNS records write the end of their life."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipns import timestamp
from zwerm.ipfs.ipns.timestamp import SECOND


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"1970-01-01T00:00:00.000000001Z", 1),
        (b"1970-01-01T00:00:00Z", 0),
        (b"1970-01-01t00:00:00z", 0),
        (b"2030-01-02T03:04:05.5Z", 1_893_553_445 * SECOND + SECOND // 2),
        (b"2030-01-02T03:04:05+01:30", (1_893_553_445 - 5_400) * SECOND),
        (b"2030-01-02T03:04:05-01:30", (1_893_553_445 + 5_400) * SECOND),
        (b"1969-12-31T23:59:59.999999999999Z", -1),
        (b"2016-12-31T23:59:60Z", 1_483_228_800 * SECOND),
    ],
    ids=["one nanosecond", "no fraction", "lower case", "half a second", "east", "west", "before 1970", "leap second"],
)
def test_times_are_read_to_the_nanosecond(text: bytes, moment: int) -> None:
    assert timestamp.parse(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"2030-01-02",
        b"2030-01-02T03:04:05",
        b"2030-02-30T00:00:00Z",
        b"2030-01-02T24:00:00Z",
        b"2030-01-02T03:04:05.Z",
        b"2030-01-02T03:04:05+24:00",
        b"0000-01-01T00:00:00Z",
        b"x" * 100,
        b"\xff",
    ],
)
def test_what_is_no_time_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        timestamp.parse(text)


def test_times_are_written_with_nine_digits() -> None:
    assert timestamp.serialize(1_893_553_445 * SECOND + 50) == b"2030-01-02T03:04:05.000000050Z"


@pytest.mark.parametrize("moment", [253_402_300_800 * SECOND, 10**30, -(10**20)])
def test_a_moment_on_no_calendar_cannot_be_written(moment: int) -> None:
    with pytest.raises(LocalProtocolError):
        timestamp.serialize(moment)


@given(st.integers(-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1))
def test_what_is_written_reads_as_the_same_moment(moment: int) -> None:
    assert timestamp.parse(timestamp.serialize(moment)) == moment
