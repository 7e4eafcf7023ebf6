"""Messages of multistream-select (libp2p specs, "connections/README.md", section "multistream-select").

Each is a line of UTF-8 with its newline, and before it its length in bytes as an unsigned varint.
"""

from __future__ import annotations

from typing import Final

from zwerm.core.errors import WireError
from zwerm.multiformats import varint

HEADER: Final = "/multistream/1.0.0"
NOT_AVAILABLE: Final = "na"

MAX_LINE: Final = 1_024  # bytes with the newline, as in go-multistream and js-libp2p; its length takes two bytes then


def serialize(text: str) -> bytes:
    line = text.encode() + b"\n"
    return varint.serialize(len(line)) + line


def parse_prefix(data: bytes | bytearray, offset: int = 0) -> tuple[str, int] | None:
    """Read the message at `offset` of untrusted bytes; return its text and where it ends, or None: more is needed.

    Raises:
        WireError: longer than `MAX_LINE`, empty, no UTF-8, or no newline where its length ends.
    """
    available = len(data) - offset
    if not available:
        return None
    size, start = data[offset], offset + 1
    if size >= 0x80:
        if available < 2:
            return None
        high = data[start]
        if high >= 0x80:
            raise WireError(f"multistream message of more than {MAX_LINE} bytes")
        if not high:
            raise WireError("multistream length is not in its shortest form")
        size, start = size & 0x7F | high << 7, start + 1
    if not 0 < size <= MAX_LINE:
        raise WireError(f"multistream message of {size} bytes, expected 1 to {MAX_LINE}")
    end = start + size
    if end > len(data):
        return None
    if data[end - 1] != 0x0A:
        raise WireError("multistream message without a newline at its end")
    try:
        return bytes(data[start : end - 1]).decode(), end
    except UnicodeDecodeError:
        raise WireError("multistream message that is not UTF-8") from None
