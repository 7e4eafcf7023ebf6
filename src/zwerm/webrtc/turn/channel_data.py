"""ChannelData: a payload with four bytes in front (RFC 8656 section 12.4).

    +-----------------+-----------------+-------------
    |  channel number |      length     |  data ...
    +-----------------+-----------------+-------------

Most bytes that are relayed travel in it. On a stream it is padded to a multiple of 4, in a datagram it need not be.
"""

from __future__ import annotations

import struct
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError

HEADER_SIZE: Final = 4
CHANNELS: Final = range(0x4000, 0x5000)  # what a client chooses from (RFC 8656 section 12)
ACCEPTED: Final = range(0x4000, 0x8000)  # what clients of RFC 5766 choose from, coturn's among them
MAX_DATA: Final = 65_535

_HEADER: Final = struct.Struct("!HH")


def is_channel_data(data: bytes) -> bool:
    """Tell ChannelData from STUN by its first byte (RFC 7983 section 7)."""
    return len(data) >= HEADER_SIZE and data[0] & 0xC0 == 0x40


def serialize(channel: int, data: bytes) -> bytes:
    if len(data) > MAX_DATA:
        raise LocalProtocolError(f"{len(data)} bytes in one ChannelData, the limit is {MAX_DATA}")
    return _HEADER.pack(channel, len(data)) + data


def pad(message: bytes) -> bytes:
    """Fill a message up to a multiple of 4, as a stream wants it (RFC 8656 section 12.5)."""
    return message + bytes(-len(message) % 4)


def parse(data: bytes) -> tuple[int, bytes]:
    """Read the channel number and the payload; what follows the payload is padding.

    Raises:
        WireError: too short for its own length, or no channel number.
    """
    if len(data) < HEADER_SIZE:
        raise WireError(f"ChannelData of {len(data)} bytes, expected at least {HEADER_SIZE}")
    channel, length = _HEADER.unpack_from(data)
    if channel not in ACCEPTED:
        raise WireError(f"channel {channel:#06x}, expected 0x4000 to 0x7fff")
    if length > len(data) - HEADER_SIZE:
        raise WireError(f"ChannelData says {length} bytes, there are {len(data) - HEADER_SIZE}")
    return channel, data[HEADER_SIZE : HEADER_SIZE + length]
