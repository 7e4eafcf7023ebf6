"""The protocol buffer wire format: the examples of protobuf.dev "Encoding", and every way to be broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.protobuf import (
    bytes_of,
    integer_of,
    parse_fields,
    parse_varint_prefix,
    serialize_field,
    serialize_fixed64,
    serialize_varint,
    signed,
)

UINT64 = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("value", "wire"), [(0, "00"), (1, "01"), (150, "9601"), (300, "ac02"), (-2, "fe" + "ff" * 8 + "01")]
)
def test_varints_of_the_documentation(value: int, wire: str) -> None:
    data = bytes.fromhex(wire)
    assert serialize_varint(value) == data
    parsed, end = parse_varint_prefix(data)
    assert (signed(parsed), end) == (value, len(data))


def test_fields_of_the_documentation() -> None:
    assert serialize_field(1, 150) == bytes.fromhex("089601")
    assert serialize_field(2, b"testing") == bytes.fromhex("120774657374696e67")
    data = bytes.fromhex("089601 120774657374696e67 2d01020000 31ff00000000000000")
    assert list(parse_fields(data)) == [(1, 150), (2, b"testing"), (5, 0x201), (6, 255)]


def test_a_message_cut_short_inside_a_field_is_refused() -> None:
    data = bytes.fromhex("089601 120774657374696e67 2d01020000 31ff00000000000000")
    for size in set(range(len(data))) - {0, 3, 12, 17}:
        with pytest.raises(WireError):
            list(parse_fields(data[:size]))


@pytest.mark.parametrize(
    "wire",
    ["00", "0001", "0b", "0c", "0e", "0f", "80" * 11, "8080808010" + "00", "0a" + "ff" * 9 + "01"],
    ids=["field 0", "field 0 with value", "group", "group end", "type 6", "type 7", "endless", "field 2**29", "huge"],
)
def test_what_the_format_does_not_allow_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        list(parse_fields(bytes.fromhex(wire)))


def test_a_varint_of_more_than_64_bits_is_cut_to_64_as_protobuf_does() -> None:
    assert parse_varint_prefix(b"\xff" * 9 + b"\x7f") == (2**64 - 1, 10)


def test_an_offset_past_the_end_is_refused() -> None:
    with pytest.raises(WireError):
        parse_varint_prefix(b"\1", 2)


@given(st.lists(st.tuples(st.integers(1, 2**29 - 1), UINT64 | st.binary(max_size=200)), max_size=8))
def test_what_was_written_is_read(fields: list[tuple[int, int | bytes]]) -> None:
    assert list(parse_fields(b"".join(serialize_field(*field) for field in fields))) == fields


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_survive(value: int) -> None:
    assert signed(parse_varint_prefix(serialize_varint(value))[0]) == value


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_fields_or_refused(data: bytes) -> None:
    try:
        fields = list(parse_fields(data))
    except WireError:
        return
    assert sum(len(value) if isinstance(value, bytes) else 1 for _, value in fields) <= len(data)


def test_a_fixed64_is_eight_bytes_from_the_lowest() -> None:
    wire = serialize_fixed64(2, 2**64 - 2)
    assert wire.hex() == "11feffffffffffffff"
    assert list(parse_fields(wire)) == [(2, 2**64 - 2)]


def test_a_field_of_the_other_kind_is_refused_by_name() -> None:
    assert (integer_of(5, "size"), bytes_of(b"x", "name")) == (5, b"x")
    with pytest.raises(WireError, match="size is 2 bytes, expected a number"):
        integer_of(b"xx", "size")
    with pytest.raises(WireError, match="name is the number 7, expected bytes"):
        bytes_of(7, "name")
