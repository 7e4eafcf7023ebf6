"""What of a QUIC packet can be read without its keys (RFC 8999; RFC 9000 section 17): who it is for, and what it asks.

Only what a listener needs before there is a connection. Everything else of a packet is qh3's to read.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from zwerm.core.errors import WireError

CONNECTION_ID: Final = 8  # bytes of the connection IDs that are given out here
MAX_CONNECTION_ID: Final = 20  # RFC 9000 section 17.2
MIN_INITIAL: Final = 1_200  # bytes of a datagram with a client's first packet (RFC 9000 section 14.1)
VERSION: Final = 1

_LONG: Final = 0x80
_TYPE: Final = 0x30
_INITIAL: Final = 0x00


class LongHeader(NamedTuple):
    """The beginning of a packet with a long header."""

    version: int
    destination: bytes  # connection ID
    source: bytes
    is_initial: bool  # of version 1
    token: bytes  # of an Initial packet


def destination_untrusted(data: bytes) -> bytes | None:
    """Return the connection ID that a packet is for; None when it is too short to carry one."""
    if len(data) <= CONNECTION_ID:
        return None
    if not data[0] & _LONG:
        return data[1 : 1 + CONNECTION_ID]
    size = data[5]
    return data[6 : 6 + size] if len(data) >= 6 + size else None


def parse_long_untrusted(data: bytes) -> LongHeader:
    """Read the beginning of a packet with a long header.

    Raises:
        WireError: it is none, or ends before its header does.
    """
    if len(data) < 7 or not data[0] & _LONG:
        raise WireError(f"no QUIC packet with a long header in {len(data)} bytes")
    version = int.from_bytes(data[1:5], "big")
    destination, at = _connection_id_untrusted(data, 5)
    source, at = _connection_id_untrusted(data, at)
    is_initial = version == VERSION and data[0] & _TYPE == _INITIAL
    if not is_initial:
        return LongHeader(version, destination, source, is_initial=False, token=b"")
    if max(len(destination), len(source)) > MAX_CONNECTION_ID:
        raise WireError(
            f"connection ID of {max(len(destination), len(source))} bytes, the limit is {MAX_CONNECTION_ID}"
        )
    size, at = _varint_untrusted(data, at)
    if at + size > len(data):
        raise WireError(f"token of {size} bytes in a packet of {len(data)}")
    return LongHeader(version, destination, source, is_initial=True, token=data[at : at + size])


def filling_untrusted(data: bytes) -> int:
    """Return how many zeros stand behind the first packet of a datagram, where that is an Initial and they are all."""
    filled = len(data) - len(data.rstrip(b"\0"))
    if not filled:
        return 0
    try:
        header = parse_long_untrusted(data)
        if not header.is_initial:
            return 0
        at = 7 + len(header.destination) + len(header.source)
        size, at = _varint_untrusted(data, at)
        size, at = _varint_untrusted(data, at + size)
    except WireError:
        return 0
    behind = len(data) - at - size
    return behind if 0 < behind <= filled else 0


def _connection_id_untrusted(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 1 + data[at] if at < len(data) else len(data) + 1
    if end > len(data):
        raise WireError("connection ID that goes past the end of the packet")
    return data[at + 1 : end], end


def _varint_untrusted(data: bytes, at: int) -> tuple[int, int]:
    """RFC 9000 section 16: two bits say how many bytes there are."""
    size = 1 << (data[at] >> 6) if at < len(data) else 8
    if at + size > len(data):
        raise WireError("number that goes past the end of the packet")
    return int.from_bytes(data[at : at + size], "big") & ((1 << (8 * size - 2)) - 1), at + size


def serialize_version_negotiation(header: LongHeader, unused: int) -> bytes:
    """Answer a packet of another version (RFC 9000 section 17.2.1); `unused` is seven random bits."""
    ids = bytes([len(header.source)]) + header.source + bytes([len(header.destination)]) + header.destination
    return bytes([_LONG | unused & 0x7F]) + bytes(4) + ids + VERSION.to_bytes(4, "big")
