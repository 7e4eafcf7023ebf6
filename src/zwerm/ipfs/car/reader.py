"""Reading CAR files of versions 1 and 2 as they come, every block held against its CID.

Bytes go in, in pieces of any size, and whole blocks come out. What is wrong with the file is raised once everything
before it was handed out, and says how many blocks were whole and where the file broke, so a truncated archive is worth
as much as was in it. The index of version 2 is skipped: reading from start to end needs none.
"""

from __future__ import annotations

import enum
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import MAX_BLOCK, Block, HashMismatch
from zwerm.ipfs.car.header import PRAGMA, V2_SIZE, V2Header, parse_roots
from zwerm.multiformats import multihash
from zwerm.multiformats.cid import CID

MAX_HEADER: Final = 1024 * 1024  # bytes; some 25,000 roots
_MAX_CID: Final = 160  # bytes; the longest digest and its codes
_MAX_SHIFT: Final = 63  # bits of a length


class BrokenCar(WireError):
    """The archive is cut short or damaged; the blocks before that are whole and verified."""

    def __init__(self, reason: str, blocks: int, position: int) -> None:
        whole = "1 block before that is" if blocks == 1 else f"{blocks} blocks before that are"
        super().__init__(f"CAR broken at byte {position}: {reason}; {whole} whole")
        self.blocks = blocks  # whole ones before the damage
        self.position = position  # bytes before the damage


class _Expect(enum.Enum):
    """What the next bytes are."""

    PRAGMA = enum.auto()  # or the header of version 1, which is longer
    V2_HEADER = enum.auto()
    PADDING = enum.auto()
    HEADER = enum.auto()
    SECTIONS = enum.auto()
    INDEX = enum.auto()  # skipped, as is all that may follow the payload of version 2


class CarReader:
    """A pass over one archive. Feed it, and end with `receive_eof`, which is what proves the archive whole."""

    def __init__(self, *, max_header: int = MAX_HEADER, max_block: int = MAX_BLOCK, verify: bool = True) -> None:
        """Take the limits, in bytes. Without `verify` nothing is hashed, and the caller has to, by `verify` below."""
        self.version: int | None = None  # 1 or 2, once known
        self.roots: tuple[CID, ...] | None = None  # once the header is here
        self.blocks = 0  # whole ones so far
        self.position = 0  # bytes of the archive that were read, up to the end of a block
        self._max_header = max_header
        self._max_block = max_block
        self._verify = verify
        self._expect = _Expect.PRAGMA
        self._pieces: list[bytes] = []  # received and not yet read
        self._buffered = 0  # bytes of them
        self._needed = len(PRAGMA)  # bytes without which nothing can be read
        self._payload_start = 0  # where the version 1 CAR begins
        self._payload_end: int | None = None  # known in version 2
        self._failure: BrokenCar | None = None

    def receive_data(self, data: bytes | bytearray | memoryview) -> list[Block]:
        """Take the next bytes; return the blocks they complete, in order.

        Raises:
            BrokenCar: the archive is damaged. Blocks before the damage are returned first, so it may be the next call
                that raises.
        """
        if self._failure is not None:
            raise self._failure
        if self._expect is _Expect.INDEX:
            return []
        self._pieces.append(data if isinstance(data, bytes) else bytes(data))
        self._buffered += len(data)
        if self._buffered < self._needed:
            return []
        whole = b"".join(self._pieces) if len(self._pieces) > 1 else self._pieces[0]
        found: list[Block] = []
        start = self.position
        try:
            self._read(whole, start, found)
        except WireError as error:
            self._failure = BrokenCar(str(error), self.blocks, self.position)
            if not found:
                raise self._failure from None
            return found
        rest = whole[self.position - start :]
        self._pieces = [rest]
        self._buffered = len(rest)
        return found

    def receive_eof(self) -> None:
        """Say that no more bytes come.

        Raises:
            BrokenCar: the archive is damaged, or ends before it is whole.
        """
        if self._failure is not None:
            raise self._failure
        if self._expect is _Expect.INDEX:
            return
        if self._expect is not _Expect.SECTIONS:
            reason = "it ends in its header"
        elif self._buffered:
            reason = f"it ends after {self._buffered} bytes of a block"
            if self._needed > self._buffered:
                reason += f" that takes at least {self._needed}"
        elif self._payload_end is not None:
            reason = f"it ends, its payload goes on to byte {self._payload_end}"
        else:
            return
        self._failure = BrokenCar(reason, self.blocks, self.position)
        raise self._failure

    def _read(self, data: bytes, start: int, found: list[Block]) -> None:
        """Read on as far as `data`, which begins at byte `start` of the archive, goes; move `position` along."""
        while True:
            offset = self.position - start
            self._needed = 1
            if self._expect is _Expect.SECTIONS:
                self._read_sections(data, offset, found)
                return
            if self._expect is _Expect.PADDING:
                self.position += min(self._payload_start - self.position, len(data) - offset)
                if self.position < self._payload_start:
                    return
                self._expect = _Expect.HEADER
            elif self._expect is _Expect.HEADER:
                frame = self._frame(data, offset, self._max_header)
                if frame is None:
                    return
                self.roots = parse_roots(data[frame[0] : frame[1]])
                self.position += frame[1] - offset
                self._expect = _Expect.SECTIONS
            elif not self._read_beginning(data, offset):
                return

    def _read_beginning(self, data: bytes, offset: int) -> bool:
        """Read the pragma or the header of version 2; return whether it was all there."""
        size = len(PRAGMA) if self._expect is _Expect.PRAGMA else V2_SIZE
        if len(data) - offset < size:
            self._needed = size
            return False
        if self._expect is _Expect.V2_HEADER:
            header = V2Header.parse(data[offset : offset + size])
            self._payload_start = header.data_offset
            self._payload_end = header.data_offset + header.data_size
            self._expect = _Expect.PADDING
        elif data[offset : offset + size] == PRAGMA:
            self.version = 2
            self._expect = _Expect.V2_HEADER
        else:
            self.version = 1
            self._expect = _Expect.HEADER
            return True
        self.position += size
        return True

    def _read_sections(self, data: bytes, offset: int, found: list[Block]) -> None:
        limit = self._max_block + _MAX_CID
        while self.position != self._payload_end:
            frame = self._frame(data, offset, limit)
            if frame is None:
                return
            start, end = frame
            cid, cid_end = CID.parse_prefix(data, start)
            if cid_end > end:
                raise WireError(f"section of {end - start} bytes, its CID takes {cid_end - start}")
            block = data[cid_end:end]
            if len(block) > self._max_block:
                raise WireError(f"block {cid} of {len(block)} bytes, the limit is {self._max_block}")
            if self._verify:
                verify(cid, block)
            found.append(Block(cid, block))
            self.blocks += 1
            self.position += end - offset
            offset = end
        self._expect = _Expect.INDEX

    def _frame(self, data: bytes, offset: int, limit: int) -> tuple[int, int] | None:
        """Return where the frame at `offset` begins and ends, without its length; None when it is not all here."""
        size = shift = 0
        for position in range(offset, len(data)):
            byte = data[position]
            size |= (byte & 0x7F) << shift
            shift += 7
            if size > limit or shift > _MAX_SHIFT:
                raise WireError(f"section of {size} bytes or more, the limit is {limit}")
            if byte < 0x80:
                break
        else:
            self._needed = len(data) - offset + 1
            return None
        if byte == 0:
            raise WireError("section of no bytes, or a length that is not in its shortest form")
        start = position + 1
        end = start + size
        if self._payload_end is not None and self.position + end - offset > self._payload_end:
            raise WireError(f"section that reaches past the payload, which ends at byte {self._payload_end}")
        if end > len(data):
            self._needed = end - offset
            return None
        return start, end


def verify(cid: CID, data: bytes) -> None:
    """Hold untrusted bytes against their CID.

    Raises:
        WireError: they hash to something else, or the hash proves nothing here.
    """
    try:
        if not multihash.verify(cid.multihash, data):
            raise HashMismatch(f"{len(data)} bytes that are not {cid}")
    except LocalProtocolError as error:
        raise WireError(f"block {cid} cannot be verified: {error}") from None
