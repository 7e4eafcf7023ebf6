"""multiformats/unsigned-varint: its examples, its limit of nine bytes, and the one shortest form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.multiformats.varint import MAX_VALUE, parse_prefix, serialize

EXAMPLES = [(1, "01"), (127, "7f"), (128, "8001"), (255, "ff01"), (300, "ac02"), (16_384, "808001")]


@pytest.mark.parametrize(("value", "wire"), [*EXAMPLES, (0, "00"), (MAX_VALUE, "ff" * 8 + "7f")])
def test_examples_of_the_specification(value: int, wire: str) -> None:
    data = bytes.fromhex(wire)
    assert serialize(value) == data
    assert parse_prefix(data) == (value, len(data))
    assert parse_prefix(memoryview(data)) == (value, len(data))


@pytest.mark.parametrize(("value", "wire"), [*EXAMPLES, (MAX_VALUE, "ff" * 8 + "7f")])
def test_a_varint_cut_short_at_any_byte_is_refused(value: int, wire: str) -> None:
    data = bytes.fromhex(wire)
    for size in range(len(data)):
        with pytest.raises(WireError, match=f"cut short after {size} bytes"):
            parse_prefix(data[:size])


def test_reading_starts_at_the_offset_and_stops_at_the_last_byte() -> None:
    assert parse_prefix(b"\xff\xac\x02\xff", 1) == (300, 3)
    with pytest.raises(WireError):
        parse_prefix(b"\x01", 1)
    with pytest.raises(WireError):
        parse_prefix(b"\x01", 7)


@pytest.mark.parametrize("wire", ["8000", "8100", "ff00", "808000"])
def test_a_longer_form_than_needed_is_refused(wire: str) -> None:
    with pytest.raises(WireError, match="shortest"):
        parse_prefix(bytes.fromhex(wire))


@pytest.mark.parametrize("wire", ["80" * 9 + "01", "ff" * 9, "ff" * 20])
def test_more_than_nine_bytes_are_refused(wire: str) -> None:
    with pytest.raises(WireError, match="longer than 9"):
        parse_prefix(bytes.fromhex(wire))


@pytest.mark.parametrize("value", [-1, MAX_VALUE + 1])
def test_a_value_without_a_varint_is_our_mistake(value: int) -> None:
    with pytest.raises(ValueError, match="varint value"):
        serialize(value)


@given(st.integers(0, MAX_VALUE), st.binary(max_size=8), st.binary(max_size=8))
def test_what_was_written_is_read_wherever_it_stands(value: int, before: bytes, after: bytes) -> None:
    wire = serialize(value)
    assert parse_prefix(before + wire + after, len(before)) == (value, len(before) + len(wire))


@given(st.binary(max_size=12))
def test_untrusted_bytes_are_a_varint_in_its_only_form_or_refused(data: bytes) -> None:
    try:
        value, end = parse_prefix(data)
    except WireError:
        return
    assert serialize(value) == data[:end]
