"""DTLS records and the first bytes of handshake messages (RFC 6347 section 4.1, 4.2.2): bytes to records and back.

Enough to number, pack and refuse what OpenSSL reads and writes; what stands in handshake messages is OpenSSL's.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

from zwerm.core.errors import WireError

HEADER_SIZE: Final = 13
HANDSHAKE_HEADER_SIZE: Final = 12
MAX_FRAGMENT: Final = 16_384 + 256  # RFC 5246 section 6.2.3 allows 2,048 above 2^14; no AEAD needs more than 256
DTLS_1_2: Final = 0xFEFD
DTLS_1_0: Final = 0xFEFF  # stands in the first ClientHello of some
MAX_SEQUENCE: Final = (1 << 48) - 1

_HEADER: Final = struct.Struct(">BHQH")  # type, version, epoch and sequence number in one, length


class ContentType(enum.IntEnum):
    """What a record carries."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


_TYPES: Final = {int(kind): kind for kind in ContentType}


class Record(NamedTuple):
    """One record; its fragment is protected unless the epoch is 0."""

    content_type: ContentType
    version: int
    epoch: int  # uint16
    sequence: int  # uint48
    fragment: bytes

    @classmethod
    def parse_prefix(cls, data: bytes, offset: int = 0) -> tuple[Self, int]:
        """Read the record that starts at `offset` of an untrusted datagram; return it and where the next one starts.

        Raises:
            WireError: cut short, too long, or of a type or version that is not DTLS 1.0 or 1.2.
        """
        if len(data) - offset < HEADER_SIZE:
            raise WireError(f"record header of {len(data) - offset} bytes, expected {HEADER_SIZE}")
        content_type, version, number, length = _HEADER.unpack_from(data, offset)
        if content_type not in _TYPES:
            raise WireError(f"record of type {content_type}, expected 20 to 23")
        if version not in (DTLS_1_2, DTLS_1_0):
            raise WireError(f"record version {version:#06x}, expected {DTLS_1_2:#06x}")
        start = offset + HEADER_SIZE
        if length > MAX_FRAGMENT or start + length > len(data):
            raise WireError(f"record of {length} bytes, {len(data) - start} are there, {MAX_FRAGMENT} allowed")
        end = start + length
        return cls(_TYPES[content_type], version, number >> 48, number & MAX_SEQUENCE, data[start:end]), end

    def serialize(self) -> bytes:
        number = self.epoch << 48 | self.sequence
        return _HEADER.pack(self.content_type, self.version, number, len(self.fragment)) + self.fragment


def split_records(output: bytes) -> list[bytes]:
    """Cut what OpenSSL wrote, which is whole records."""
    records: list[bytes] = []
    start = 0
    while start < len(output):
        end = start + HEADER_SIZE + int.from_bytes(output[start + HEADER_SIZE - 2 : start + HEADER_SIZE])
        records.append(output[start:end])
        start = end
    return records


def parse_datagram(datagram: bytes) -> Iterator[Record]:
    """Read records up to the end, or to the first that is none: the rest is discarded (RFC 6347 section 4.1.2.7)."""
    offset = 0
    while offset < len(datagram):
        try:
            record, offset = Record.parse_prefix(datagram, offset)
        except WireError:
            return
        yield record


class HandshakeFragment(NamedTuple):
    """The header of one fragment of a handshake message."""

    message_type: int
    message_size: int  # bytes of the whole message
    message_sequence: int  # number of the message, not of the record
    offset: int  # where this fragment starts in the message
    size: int  # bytes of this fragment

    @classmethod
    def parse_prefix(cls, data: bytes, start: int = 0) -> tuple[Self, int]:
        """Read the header at `start` of a record's fragment; return it and where the next message starts.

        Raises:
            WireError: cut short, or a fragment that lies outside its message.
        """
        if len(data) - start < HANDSHAKE_HEADER_SIZE:
            raise WireError(f"handshake header of {len(data) - start} bytes, expected {HANDSHAKE_HEADER_SIZE}")
        first = int.from_bytes(data[start : start + 4], "big")
        sequence = int.from_bytes(data[start + 4 : start + 6], "big")
        offset = int.from_bytes(data[start + 6 : start + 9], "big")
        size = int.from_bytes(data[start + 9 : start + 12], "big")
        message_size = first & 0xFFFFFF
        end = start + HANDSHAKE_HEADER_SIZE + size
        if offset + size > message_size or end > len(data):
            raise WireError(f"fragment {offset} to {offset + size} of a message of {message_size} bytes")
        return cls(first >> 24, message_size, sequence, offset, size), end


def parse_handshake(record: Record) -> list[HandshakeFragment]:
    """Read the headers of every handshake fragment in a record of epoch 0.

    Raises:
        WireError: there is none, or one that is malformed.
    """
    fragments: list[HandshakeFragment] = []
    offset = 0
    while offset < len(record.fragment) or not fragments:
        fragment, offset = HandshakeFragment.parse_prefix(record.fragment, offset)
        fragments.append(fragment)
    return fragments


def pack(records: Iterable[bytes], mtu: int) -> Iterator[bytes]:
    """Put records into as few datagrams of at most `mtu` bytes as their order allows; a larger one goes by itself."""
    datagram = b""
    for record in records:
        if datagram and len(datagram) + len(record) > mtu:
            yield datagram
            datagram = b""
        datagram += record
    if datagram:
        yield datagram
