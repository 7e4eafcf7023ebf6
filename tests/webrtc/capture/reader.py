"""Reading back what the writer wrote: blocks of pcapng, by the draft and not by the code under test."""

from __future__ import annotations

import struct
from typing import NamedTuple


class Block(NamedTuple):
    """One block without its frame."""

    kind: int
    body: bytes


class Packet(NamedTuple):
    """One packet of an enhanced packet block."""

    interface: int
    microseconds: int
    data: bytes
    direction: int


def blocks(data: bytes) -> list[Block]:
    """All blocks of a file; both lengths of each have to agree, and it ends where the file does."""
    found = []
    position = 0
    while position < len(data):
        kind, length = struct.unpack_from("<II", data, position)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, position + length - 4) == (length,)
        found.append(Block(kind, data[position + 8 : position + length - 4]))
        position += length
    assert position == len(data)
    return found


def options(data: bytes) -> dict[int, bytes]:
    """The options at the end of a block."""
    found: dict[int, bytes] = {}
    position = 0
    while True:
        code, length = struct.unpack_from("<HH", data, position)
        if code == 0:
            assert (length, position + 4) == (0, len(data))
            return found
        found[code] = data[position + 4 : position + 4 + length]
        position += 4 + -(-length // 4) * 4


def packets(data: bytes) -> list[Packet]:
    """The packets of a file, in order."""
    found = []
    for block in blocks(data):
        if block.kind == 6:
            interface, high, low, captured, original = struct.unpack_from("<IIIII", block.body)
            assert captured == original
            end = 20 + -(-captured // 4) * 4
            flags = struct.unpack("<I", options(block.body[end:])[2])[0]
            found.append(Packet(interface, high << 32 | low, block.body[20 : 20 + captured], flags))
    return found
