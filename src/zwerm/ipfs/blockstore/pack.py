"""Pack files: many blocks in one append-only CARv1 file (ipld/specs CARv1, "Format Description").

A pack is a header and sections; a section is a varint length, a CID and the block. Any IPFS tool can read one, and the
index can be made again from it, because each block proves itself by its hash. The header names one root, because the
format asks for at least one: the empty identity CID, which every tool has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, StorageError, WireError
from zwerm.ipfs.block import MAX_BLOCK
from zwerm.multiformats import multihash, varint
from zwerm.multiformats.cid import CID

# dag-cbor of {"roots": [bafkqaaa], "version": 1}, after its length
HEADER: Final = bytes.fromhex("19 a2 65726f6f7473 81 d82a 45 00 01550000 67 76657273696f6e 01")
MAX_CID: Final = 160  # bytes; two varints before the longest multihash
MAX_SECTION: Final = MAX_BLOCK + MAX_CID
_WINDOW: Final = 8 * 1024 * 1024  # bytes read at a time by a scan
_NAME: Final = re.compile(r"(\d{8,})\.pack")


class Section(NamedTuple):
    """A block found in a pack."""

    cid: CID
    offset: int  # where the block's bytes begin
    size: int  # bytes of the block
    head: int  # bytes of length and CID before it
    intact: bool  # whether the bytes hash to the CID

    @property
    def end(self) -> int:
        return self.offset + self.size


def file_name(number: int) -> str:
    return f"{number:08}.pack"


def number_of(name: str) -> int | None:
    """The number of a pack file's name, or None when it is not one."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def section_head(cid: bytes, size: int) -> bytes:
    """What stands before a block's bytes."""
    return varint.serialize(len(cid) + size) + cid


def scan(descriptor: int, start: int, end: int, *, resume: bool = False) -> Iterator[Section]:
    """Read the sections from `start` up to `end` of the file and hash their blocks.

    Stops at the first bytes that are no section; with `resume`, looks on behind them for the next CID whose block is
    intact. A section that is whole and whose block does not hash to its CID is reported and not `intact`.
    """
    reader = _Window(descriptor, end)
    position = start
    while position < end:
        section = _read_section(reader, position)
        if section is None and resume:
            section = _find_section(reader, position)
        if section is None:
            return
        yield section
        position = section.end


def _read_section(reader: _Window, position: int) -> Section | None:
    head = reader.read(position, varint.MAX_SIZE + MAX_CID)
    try:
        length, start = varint.parse_prefix(head)
        cid, after = CID.parse_prefix(head, start)
    except WireError:
        return None
    size = length - (after - start)
    if not 0 <= size <= MAX_BLOCK or position + after + size > reader.end:
        return None
    data = reader.read(position + after, size)
    try:
        intact = len(data) == size and multihash.verify(cid.multihash, data)
    except (WireError, LocalProtocolError):
        intact = False
    return Section(cid, position + after, size, after, intact)


_CID: Final = re.compile(  # how a CID can begin: usual codecs with sha2-256, version 0, or another hash function
    rb"(?:\x01[\x55\x70\x71])?\x12\x20|\x01.{1,3}(?:[\x11-\x17\x1e]|[\x81-\xc0]\xe4\x02)", re.DOTALL
)


def _find_section(reader: _Window, position: int) -> Section | None:
    """Find the next intact section behind bytes that are none: try every place that could be a CID."""
    at = position
    while at < reader.end:
        window = reader.read(at, _WINDOW)
        for match in _CID.finditer(window):
            cid_at = at + match.start()
            for width in (1, 2, 3, 4):  # of the length before it; four bytes hold the largest section
                if cid_at - width < position:
                    continue
                section = _read_section(reader, cid_at - width)
                if section is not None and section.intact:
                    return section
        at += max(len(window) - MAX_CID, 1)
    return None


class _Window:
    """A file read in large pieces, mostly forward."""

    def __init__(self, descriptor: int, end: int) -> None:
        self.end = end
        self._descriptor = descriptor
        self._start = 0
        self._data = b""

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes there, fewer at the end of the file."""
        size = min(size, self.end - offset)
        begin = offset - self._start
        if begin < 0 or begin + size > len(self._data):
            try:
                self._data = os.pread(self._descriptor, max(size, min(_WINDOW, self.end - offset)), offset)
            except OSError as error:
                raise StorageError(f"a pack cannot be read at byte {offset}: {error.strerror}") from error
            self._start, begin = offset, 0
        return self._data[begin : begin + size]
