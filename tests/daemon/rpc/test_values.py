"""Go's durations and Kubo's numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.daemon.rpc.errors import UsageError
from zwerm.daemon.rpc.values import parse_bool, parse_duration, parse_int, parse_unsigned


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300ms", 0.3), ("1.5s", 1.5), ("2m", 120), ("1h30m", 5400), ("1h15m30.5s", 4530.5), (".5s", 0.5), ("10us", 1e-5)],
)
def test_durations_as_go_writes_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1x", "1s2", "-1s", "1 s"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="expected for example 300ms"):
        parse_duration(text)


@given(st.text(max_size=20))
def test_untrusted_text_is_a_duration_or_refused(text: str) -> None:
    try:
        assert parse_duration(text) >= 0
    except UsageError:
        return


def test_numbers_have_gos_prefixes() -> None:
    assert [parse_int(text) for text in ("10", "-3", "0x1f", "0o17", "017", "0b11", "0")] == [10, -3, 31, 15, 15, 3, 0]


@pytest.mark.parametrize(
    ("text", "value"),
    [("", True), ("1", True), ("T", True), ("True", True), ("0", False), ("f", False), ("FALSE", False)],
)
def test_a_truth_value_is_written_in_several_ways(text: str, value: bool) -> None:
    assert parse_bool(text) is value


@pytest.mark.parametrize("text", ["yes", "2", "tru", " true", "-1"])
def test_what_is_no_truth_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.strip()):
        parse_bool(text)


@pytest.mark.parametrize("text", ["", "x", "1.5", "08", "0x", "1e3", "9" * 5_000])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|Exceeds the limit"):
        parse_int(text)


def test_an_unsigned_number_has_no_minus() -> None:
    assert parse_unsigned("0x10") == 16
    with pytest.raises(ValueError, match="-1"):
        parse_unsigned("-1")
