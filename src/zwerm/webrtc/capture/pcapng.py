"""Blocks of pcapng files (draft-ietf-opsawg-pcapng sections 3 and 4), written only.

A file is a row of blocks. Each has its type and its length in front, and the length once more behind, so that a reader
can go through it both ways and skip what it does not know. Everything is in the byte order that the section header
shows; ours is little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

SECTION_HEADER: Final = 0x0A0D0D0A
INTERFACE_DESCRIPTION: Final = 0x00000001
ENHANCED_PACKET: Final = 0x00000006
DECRYPTION_SECRETS: Final = 0x0000000A

BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
LINKTYPE_RAW: Final = 101  # packets begin with the header of IPv4 or IPv6
TLS_KEY_LOG: Final = 0x544C534B  # the lines of a key log file ("TLSK")
INBOUND: Final = 1  # of epb_flags (section 4.3.1)
OUTBOUND: Final = 2

OPTION_END: Final = 0
SHB_USER_APPLICATION: Final = 4
IF_NAME: Final = 2
IF_DESCRIPTION: Final = 3
EPB_FLAGS: Final = 2

PACKET_OVERHEAD: Final = 12 + 20 + 12  # bytes of an enhanced packet block beside the packet and its padding

_FRAME: Final = struct.Struct("<II")
_LENGTH: Final = struct.Struct("<I")
_SECTION: Final = struct.Struct("<IHHq")
_INTERFACE: Final = struct.Struct("<HHI")
_OPTION: Final = struct.Struct("<HH")
_PACKET: Final = struct.Struct("<IIIIIII")
_PACKET_END: Final = struct.Struct("<HHIHHI")
_SECRETS: Final = struct.Struct("<II")
_PADDING: Final = (b"", bytes(3), bytes(2), bytes(1))


def section_header(application: str) -> bytes:
    """What a file begins with."""
    body = _SECTION.pack(BYTE_ORDER_MAGIC, 1, 0, -1)  # version 1.0; -1: the length of the section is not known
    return _block(SECTION_HEADER, body + _options([(SHB_USER_APPLICATION, application.encode())]))


def interface(link_type: int, name: str, description: str) -> bytes:
    """Describe an interface: the first one is number 0. Times are in microseconds, which is the default."""
    body = _INTERFACE.pack(link_type, 0, 0)  # no limit on the size of a packet
    return _block(
        INTERFACE_DESCRIPTION, body + _options([(IF_NAME, name.encode()), (IF_DESCRIPTION, description.encode())])
    )


def packet(number: int, microseconds: int, data: bytes, direction: int) -> bytes:
    """A whole packet of interface `number`, at a time since 1970."""
    size = len(data)
    padding = _PADDING[size % 4]
    total = size + len(padding) + PACKET_OVERHEAD
    high, low = (microseconds >> 32) & 0xFFFF_FFFF, microseconds & 0xFFFF_FFFF
    head = _PACKET.pack(ENHANCED_PACKET, total, number, high, low, size, size)
    return b"".join((head, data, padding, _PACKET_END.pack(EPB_FLAGS, 4, direction, OPTION_END, 0, total)))


def secrets(key_log: bytes) -> bytes:
    """Keys for the packets that come after it in the file (section 4.7)."""
    return _block(DECRYPTION_SECRETS, _SECRETS.pack(TLS_KEY_LOG, len(key_log)) + _padded(key_log))


def _block(kind: int, body: bytes) -> bytes:
    total = len(body) + 12
    return _FRAME.pack(kind, total) + body + _LENGTH.pack(total)


def _options(options: Iterable[tuple[int, bytes]]) -> bytes:
    parts = [_OPTION.pack(code, len(value)) + _padded(value) for code, value in options]
    return b"".join(parts) + _OPTION.pack(OPTION_END, 0)


def _padded(data: bytes) -> bytes:
    return data + _PADDING[len(data) % 4]
