"""FORWARD-TSN (RFC 3758 section 3.2) and I-FORWARD-TSN (RFC 8260 section 2.3.1): what will never arrive."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.codes import ChunkType
from zwerm.webrtc.sctp.packet import Chunk

ENTRY_SIZE: Final = 4
I_ENTRY_SIZE: Final = 8

_TSN: Final = struct.Struct("!I")
_I_UNORDERED: Final = 0x0001  # lowest bit of the 16 before the MID


class Skipped(NamedTuple):
    """On one stream, messages up to and including `number` are not to be waited for."""

    stream_id: int
    number: int  # SSN in FORWARD-TSN, MID in I-FORWARD-TSN
    is_unordered: bool = False  # I-FORWARD-TSN only


class ForwardTsn(NamedTuple):
    """The peer is to count everything up to `new_cumulative_tsn` as received."""

    new_cumulative_tsn: int
    skipped: tuple[Skipped, ...] = ()

    @classmethod
    def parse(cls, value: bytes, *, interleaving: bool) -> ForwardTsn:
        """Read the value of an untrusted FORWARD-TSN, or I-FORWARD-TSN when `interleaving`.

        Raises:
            WireError: a length that no number of entries makes.
        """
        entry_size = I_ENTRY_SIZE if interleaving else ENTRY_SIZE
        if len(value) < _TSN.size or (len(value) - _TSN.size) % entry_size:
            raise WireError(f"FORWARD-TSN of {len(value)} bytes, expected 4 and a multiple of {entry_size}")
        (tsn,) = _TSN.unpack_from(value)
        if interleaving:
            rows = struct.iter_unpack("!HHI", value[_TSN.size :])
            return cls(tsn, tuple(Skipped(stream, mid, bool(bits & _I_UNORDERED)) for stream, bits, mid in rows))
        return cls(tsn, tuple(Skipped(stream, ssn) for stream, ssn in struct.iter_unpack("!HH", value[_TSN.size :])))

    def serialize(self, *, interleaving: bool) -> bytes:
        parts = [_TSN.pack(self.new_cumulative_tsn)]
        for stream_id, number, is_unordered in self.skipped:
            if interleaving:
                parts.append(struct.pack("!HHI", stream_id, _I_UNORDERED if is_unordered else 0, number))
            else:
                parts.append(struct.pack("!HH", stream_id, number))
        kind = ChunkType.I_FORWARD_TSN if interleaving else ChunkType.FORWARD_TSN
        return Chunk(kind, 0, b"".join(parts)).serialize()
