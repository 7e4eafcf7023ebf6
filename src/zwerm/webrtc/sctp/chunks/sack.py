"""SACK: what arrived (RFC 9260 section 3.3.4)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.codes import ChunkType
from zwerm.webrtc.sctp.packet import CHUNK_HEADER_SIZE

FIXED_SIZE: Final = 16  # with the chunk's header
ENTRY_SIZE: Final = 4  # a gap block, or a duplicate

_LAYOUT: Final = struct.Struct("!IIHH")
_WHOLE: Final = struct.Struct("!BBHIIHH")


class Sack(NamedTuple):
    """A selective acknowledgement.

    A gap block is a pair of offsets from `cumulative_tsn`, first and last, both included: TSNs that arrived above the
    first that is missing.
    """

    cumulative_tsn: int
    a_rwnd: int  # bytes
    gaps: tuple[tuple[int, int], ...] = ()
    duplicates: tuple[int, ...] = ()

    @classmethod
    def parse(cls, value: bytes) -> Sack:
        """Read the value of an untrusted chunk; whether the blocks make sense is for whoever knows what was sent.

        Raises:
            WireError: cut short, or longer than its counts say.
        """
        if len(value) < _LAYOUT.size:
            raise WireError(f"SACK of {len(value)} bytes, expected at least {_LAYOUT.size}")
        cumulative, a_rwnd, gap_count, duplicate_count = _LAYOUT.unpack_from(value)
        if len(value) != _LAYOUT.size + ENTRY_SIZE * (gap_count + duplicate_count):
            raise WireError(f"SACK of {len(value)} bytes with {gap_count} gap blocks, {duplicate_count} duplicates")
        if not gap_count and not duplicate_count:
            return cls(cumulative, a_rwnd)
        offsets = struct.unpack_from(f"!{2 * gap_count}H", value, _LAYOUT.size)
        duplicates = struct.unpack_from(f"!{duplicate_count}I", value, _LAYOUT.size + ENTRY_SIZE * gap_count)
        return cls(cumulative, a_rwnd, tuple(zip(offsets[::2], offsets[1::2], strict=True)), duplicates)

    def serialize(self) -> bytes:
        size = CHUNK_HEADER_SIZE + _LAYOUT.size + ENTRY_SIZE * (len(self.gaps) + len(self.duplicates))
        fixed = _WHOLE.pack(
            ChunkType.SACK, 0, size, self.cumulative_tsn, self.a_rwnd, len(self.gaps), len(self.duplicates)
        )
        if size == FIXED_SIZE:
            return fixed
        offsets = [offset for gap in self.gaps for offset in gap]
        return fixed + struct.pack(f"!{len(offsets)}H{len(self.duplicates)}I", *offsets, *self.duplicates)
