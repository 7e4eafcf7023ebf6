"""SCTP packets: the common header, the checksum and the row of chunks (RFC 9260 section 3).

The data path of the association reads and writes DATA and SACK by itself; all else goes through `chunks` and
`serialize`. Under DTLS a checksum protects nothing, so both sides may agree to leave it zero (RFC 9653).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from google_crc32c import value as crc32c

from zwerm.core.errors import WireError

HEADER_SIZE: Final = 12
CHUNK_HEADER_SIZE: Final = 4

_HEADER: Final = struct.Struct("!HHI")
_CHUNK: Final = struct.Struct("!BBH")
_CHECKSUM: Final = struct.Struct("<I")  # least significant byte first, alone among SCTP's fields (appendix A)
_NO_CHECKSUM: Final = bytes(4)
_PADDING: Final = (b"", bytes(3), bytes(2), bytes(1))


class Header(NamedTuple):
    """The common header.

     0                 2                 4
    +-----------------+-----------------+
    |   source port   | destination port|
    +-----------------+-----------------+
    |          verification tag         |
    +-----------------------------------+
    |         checksum (CRC32c)         |
    +-----------------------------------+
    """

    source_port: int
    destination_port: int
    verification_tag: int

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Read the header of an untrusted packet, not its checksum.

        Raises:
            WireError: shorter than a header and one chunk.
        """
        if len(data) < HEADER_SIZE + CHUNK_HEADER_SIZE:
            raise WireError(f"SCTP packet of {len(data)} bytes, expected at least 16")
        return cls(*_HEADER.unpack_from(data))


class Chunk(NamedTuple):
    """One chunk as it stands in a packet; what its value means is for the file of its kind."""

    type: int
    flags: int
    value: bytes

    def serialize(self) -> bytes:
        """Header, value and padding to four bytes."""
        size = CHUNK_HEADER_SIZE + len(self.value)
        return _CHUNK.pack(self.type, self.flags, size) + self.value + _PADDING[size & 3]


def chunks(data: bytes, position: int = HEADER_SIZE) -> Iterator[Chunk]:
    """Walk the chunks of an untrusted packet.

    Padding after the last chunk may be missing, as RFC 9260 section 3.2 has a receiver tolerate.

    Raises:
        WireError: a chunk whose length is below four or beyond the packet; those before it were given.
    """
    end = len(data)
    while position < end:
        if position + CHUNK_HEADER_SIZE > end:
            raise WireError(f"{end - position} bytes after the last chunk")
        kind, flags, length = _CHUNK.unpack_from(data, position)
        if length < CHUNK_HEADER_SIZE or position + length > end:
            raise WireError(f"chunk of {length} bytes, {end - position} bytes are there")
        yield Chunk(kind, flags, data[position + CHUNK_HEADER_SIZE : position + length])
        position += (length + 3) & ~3


def serialize(header: Header, parts: Sequence[bytes], *, zero_checksum: bool = False) -> bytes:
    """Make a packet of chunks that are serialized already."""
    packet = b"".join((_HEADER.pack(*header), _NO_CHECKSUM, *parts))
    return packet if zero_checksum else with_checksum(packet)


def with_checksum(packet: bytes) -> bytes:
    """Fill in the checksum of a packet whose checksum field is zero."""
    return packet[:8] + _CHECKSUM.pack(crc32c(packet)) + packet[HEADER_SIZE:]


def has_zero_checksum(data: bytes) -> bool:
    return data[8:HEADER_SIZE] == _NO_CHECKSUM


def has_right_checksum(data: bytes) -> bool:
    """Whether the CRC32c of an untrusted packet is right; zero is judged as any other value."""
    return data[8:HEADER_SIZE] == _CHECKSUM.pack(crc32c(data[:8] + _NO_CHECKSUM + data[HEADER_SIZE:]))
