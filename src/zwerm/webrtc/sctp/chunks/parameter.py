"""Parameters and error causes: type, length, value, padded to four bytes (RFC 9260 sections 3.2.1 and 3.3.10)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError

MAX_PARAMETERS: Final = 256  # in one chunk; a peer that sends more is not worth the time

_HEADER: Final = struct.Struct("!HH")
_PADDING: Final = (b"", bytes(3), bytes(2), bytes(1))


class Parameter(NamedTuple):
    """A parameter, or an error cause: they look the same."""

    type: int
    value: bytes

    def serialize(self) -> bytes:
        size = _HEADER.size + len(self.value)
        return _HEADER.pack(self.type, size) + self.value + _PADDING[size & 3]


def parse(data: bytes) -> list[Parameter]:
    """Read parameters up to the end of untrusted bytes; padding of the last may be missing.

    Raises:
        WireError: a length below four or beyond the end, or more than `MAX_PARAMETERS`.
    """
    parameters: list[Parameter] = []
    position, end = 0, len(data)
    while position < end:
        if position + _HEADER.size > end:
            raise WireError(f"{end - position} bytes after the last parameter")
        kind, length = _HEADER.unpack_from(data, position)
        if length < _HEADER.size or position + length > end:
            raise WireError(f"parameter of {length} bytes, {end - position} bytes are there")
        if len(parameters) == MAX_PARAMETERS:
            raise WireError(f"more than {MAX_PARAMETERS} parameters in a chunk")
        parameters.append(Parameter(kind, data[position + _HEADER.size : position + length]))
        position += (length + 3) & ~3
    return parameters


def serialize(parameters: list[Parameter]) -> bytes:
    """The value of a chunk: padding of the last parameter is the chunk's, and not counted (RFC 9260 section 3.2)."""
    padded = b"".join(parameter.serialize() for parameter in parameters)
    return padded[: len(padded) - (-len(parameters[-1].value) & 3)] if parameters else b""
