"""Unsigned varints (multiformats/unsigned-varint): LEB128, minimal, at most nine bytes."""

from __future__ import annotations

from typing import Final

from zwerm.core.errors import WireError

MAX_SIZE: Final = 9  # bytes; values stay below 2**63
MAX_VALUE: Final = 2**63 - 1

_ONE_BYTE: Final = tuple(bytes([value]) for value in range(0x80))


def serialize(value: int) -> bytes:
    """Write `value`, from 0 up to `MAX_VALUE`."""
    if 0 <= value < 0x80:
        return _ONE_BYTE[value]
    if not 0 <= value <= MAX_VALUE:
        raise ValueError(f"varint value {value}, expected 0 to {MAX_VALUE}")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def parse_prefix(data: bytes | memoryview, offset: int = 0) -> tuple[int, int]:
    """Read a varint at `offset`; return the value and the offset after it.

    Raises:
        WireError: cut short, longer than nine bytes, or not the shortest form.
    """
    if offset < len(data) and (byte := data[offset]) < 0x80:  # nearly all of them
        return byte, offset + 1
    value = shift = 0
    for position in range(offset, min(offset + MAX_SIZE, len(data))):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 and shift:
                raise WireError("varint with a trailing zero byte, expected the shortest form")
            return value, position + 1
        shift += 7
    if len(data) - offset < MAX_SIZE:
        raise WireError(f"varint cut short after {max(len(data) - offset, 0)} bytes")
    raise WireError(f"varint longer than {MAX_SIZE} bytes")
