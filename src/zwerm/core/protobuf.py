"""The protocol buffer wire format (protobuf.dev, "Encoding"), for the few fixed messages that peers exchange.

There is no schema: `parse_fields` yields what is there, field by field, and each message's own `parse` says what it
wants of it. Where a protocol demands one encoding for one value (dag-pb, libp2p keys), its `parse` compares.
Groups, which nobody sends, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias, TypeVar

from zwerm.core.errors import WireError

Value: TypeAlias = int | bytes  # uint64 for the wire types VARINT, I64 and I32; bytes for LEN
BufferT = TypeVar("BufferT", bytes, memoryview)

_VARINT: Final = 0
_I64: Final = 1
_LEN: Final = 2
_I32: Final = 5
_FIXED_SIZES: Final = {_I64: 8, _I32: 4}

_MAX_VARINT: Final = 10  # bytes
_UINT64: Final = 2**64 - 1
_MAX_FIELD: Final = 2**29 - 1


def serialize_varint(value: int) -> bytes:
    """Write a varint; a negative number becomes the ten bytes of its 64-bit two's complement."""
    value &= _UINT64
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def serialize_field(number: int, value: Value) -> bytes:
    """Write one field: an int as a varint, bytes with their length before them."""
    if isinstance(value, int):
        return serialize_varint(number << 3 | _VARINT) + serialize_varint(value)
    return serialize_varint(number << 3 | _LEN) + serialize_varint(len(value)) + value


def serialize_fixed64(number: int, value: int) -> bytes:
    """Write one field of eight bytes: fixed64, little-endian."""
    return serialize_varint(number << 3 | _I64) + value.to_bytes(8, "little")


def parse_varint_prefix(data: bytes | memoryview, offset: int = 0) -> tuple[int, int]:
    """Read a varint at `offset`; return the value, modulo 2**64, and the offset after it."""
    value = shift = 0
    for position in range(offset, min(offset + _MAX_VARINT, len(data))):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _UINT64, position + 1
        shift += 7
    raise WireError(f"protobuf varint without an end after {max(min(len(data) - offset, _MAX_VARINT), 0)} bytes")


def parse_fields(data: BufferT) -> Iterator[tuple[int, int | BufferT]]:
    """Yield the number and value of each field of an untrusted message, in the order of the bytes.

    Of a memoryview the values of LEN fields are memoryviews too: nothing is copied.

    Raises:
        WireError: cut short, field number 0, or a wire type that has been given up. Fields before it were yielded.
    """
    position, end = 0, len(data)
    while position < end:
        tag, position = parse_varint_prefix(data, position)
        number, wire_type = tag >> 3, tag & 7
        if not 1 <= number <= _MAX_FIELD:
            raise WireError(f"protobuf field number {number}, expected 1 to {_MAX_FIELD}")
        if wire_type == _VARINT:
            value, position = parse_varint_prefix(data, position)
            yield number, value
            continue
        if wire_type == _LEN:
            size, position = parse_varint_prefix(data, position)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise WireError(f"protobuf wire type {wire_type} in field {number}, expected 0, 1, 2 or 5")
        if size > end - position:
            raise WireError(f"protobuf field {number} cut short: {end - position} of {size} bytes")
        chunk = data[position : position + size]
        position += size
        yield number, chunk if wire_type == _LEN else int.from_bytes(chunk, "little")


def signed(value: int) -> int:
    """Read a parsed varint as the int32 or int64 it stands for."""
    return value - 2**64 if value >= 2**63 else value


def integer_of(value: Value, what: str) -> int:
    """Return an untrusted field's value that has to be a number.

    Raises:
        WireError: it is bytes; `what` names the field.
    """
    if not isinstance(value, int):
        raise WireError(f"{what} is {len(value)} bytes, expected a number")
    return value


def bytes_of(value: Value, what: str) -> bytes:
    """Return an untrusted field's value that has to be bytes.

    Raises:
        WireError: it is a number; `what` names the field.
    """
    if isinstance(value, int):
        raise WireError(f"{what} is the number {value}, expected bytes")
    return value
