"""DATA (RFC 9260 section 3.3.1) and I-DATA (RFC 8260 section 2.1): a fragment of a message.

The association reads and writes both by itself, with the layouts of this file; the records are for tests, captures
and whoever reads packets at leisure.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.codes import BEGIN, ChunkType
from zwerm.webrtc.sctp.packet import CHUNK_HEADER_SIZE, Chunk

DATA_LAYOUT: Final = struct.Struct("!BBHIHHI")  # type, flags, length, TSN, stream, SSN, PPID
I_DATA_LAYOUT: Final = struct.Struct("!BBHIHHII")  # type, flags, length, TSN, stream, reserved, MID, PPID or FSN
DATA_HEADER_SIZE: Final = DATA_LAYOUT.size
I_DATA_HEADER_SIZE: Final = I_DATA_LAYOUT.size


class Data(NamedTuple):
    """A fragment whose place in the message is told by the TSN."""

    flags: int  # BEGIN, END, UNORDERED, IMMEDIATE
    tsn: int
    stream_id: int
    ssn: int  # stream sequence number; unordered: ignored
    ppid: int
    payload: bytes  # not empty

    @classmethod
    def parse(cls, flags: int, value: bytes) -> Data:
        """Read the value of an untrusted chunk.

        Raises:
            WireError: cut short, or without payload.
        """
        if len(value) <= DATA_HEADER_SIZE - CHUNK_HEADER_SIZE:
            raise WireError(f"DATA of {len(value)} bytes, expected a header of 12 and payload")
        tsn, stream_id, ssn, ppid = struct.unpack_from("!IHHI", value)
        return cls(flags, tsn, stream_id, ssn, ppid, value[DATA_HEADER_SIZE - CHUNK_HEADER_SIZE :])

    def serialize(self) -> bytes:
        fixed = struct.pack("!IHHI", self.tsn, self.stream_id, self.ssn, self.ppid)
        return Chunk(ChunkType.DATA, self.flags, fixed + self.payload).serialize()


class IData(NamedTuple):
    """A fragment that says itself where in which message it belongs."""

    flags: int
    tsn: int
    stream_id: int
    mid: int  # message identifier, counted by stream, ordered and unordered apart
    ppid: int  # of the first fragment; 0 in the others
    fsn: int  # fragment sequence number; 0 in the first
    payload: bytes  # not empty

    @classmethod
    def parse(cls, flags: int, value: bytes) -> IData:
        """Read the value of an untrusted chunk.

        Raises:
            WireError: cut short, or without payload.
        """
        if len(value) <= I_DATA_HEADER_SIZE - CHUNK_HEADER_SIZE:
            raise WireError(f"I-DATA of {len(value)} bytes, expected a header of 16 and payload")
        tsn, stream_id, _, mid, last = struct.unpack_from("!IHHII", value)
        payload = value[I_DATA_HEADER_SIZE - CHUNK_HEADER_SIZE :]
        if flags & BEGIN:
            return cls(flags, tsn, stream_id, mid, last, 0, payload)
        return cls(flags, tsn, stream_id, mid, 0, last, payload)

    def serialize(self) -> bytes:
        last = self.ppid if self.flags & BEGIN else self.fsn
        fixed = struct.pack("!IHHII", self.tsn, self.stream_id, 0, self.mid, last)
        return Chunk(ChunkType.I_DATA, self.flags, fixed + self.payload).serialize()
