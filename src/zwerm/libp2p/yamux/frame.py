"""Yamux frame headers (libp2p specs, "yamux/README.md", section "Framing")."""

from __future__ import annotations

import enum
import struct
from typing import Final, TypeAlias

from zwerm.core.errors import WireError

VERSION: Final = 0
HEADER_SIZE: Final = 12
MAX_STREAM_ID: Final = 0xFFFF_FFFF
INITIAL_WINDOW: Final = 262_144  # bytes; both sides take it for granted when a stream begins

_LAYOUT: Final = struct.Struct("!BBHII")
_MAX_TYPE: Final = 3
_MAX_FLAGS: Final = 0xF

Header: TypeAlias = tuple[int, int, int, int]  # type, flags, stream ID, length


class FrameType(enum.IntEnum):
    """What a frame does, and what its length stands for."""

    DATA = 0  # bytes that follow
    WINDOW_UPDATE = 1  # bytes of credit
    PING = 2  # a value to send back
    GO_AWAY = 3  # a `Reason`


class Flag(enum.IntFlag):
    """How a frame changes the life of its stream; with PING, whether it asks (SYN) or answers (ACK)."""

    SYN = 0x1
    ACK = 0x2
    FIN = 0x4
    RST = 0x8


class Reason(enum.IntEnum):
    """Why a session ends."""

    NORMAL = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2


def parse_header_untrusted(data: bytes | bytearray | memoryview, offset: int = 0) -> Header:
    """Read a header at `offset`, where at least `HEADER_SIZE` bytes are.

         0        1        2                 4
        +--------+--------+-----------------+
        | version|  type  |      flags      |
        +--------+--------+-----------------+
        |             stream ID             |
        +-----------------------------------+
        |              length               |
        +-----------------------------------+

    It is a plain tuple, since every frame passes here.

    Raises:
        WireError: a version, a type or a flag that we do not know.
    """
    version, frame_type, flags, stream_id, length = _LAYOUT.unpack_from(data, offset)
    if version != VERSION:
        raise WireError(f"yamux version {version}, expected {VERSION}")
    if frame_type > _MAX_TYPE or flags > _MAX_FLAGS:
        raise WireError(f"yamux frame type {frame_type}, flags {flags:#06x}")
    return frame_type, flags, stream_id, length


def serialize_header(frame_type: int, flags: int, stream_id: int, length: int) -> bytes:
    return _LAYOUT.pack(VERSION, frame_type, flags, stream_id, length)
