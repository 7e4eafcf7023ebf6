"""Archives made by hand, for the tests of what reads them."""

from __future__ import annotations

from collections.abc import Iterable

from zwerm.ipfs.block import Block
from zwerm.ipfs.car.header import PRAGMA, V2_SIZE, serialize
from zwerm.ipfs.car.writer import section
from zwerm.multiformats.cid import CID

ACORN = Block.create(b"acorn")
BEECH = Block.create(b"beech" * 50)
CEDAR = Block.create(b"")
BLOCKS = [ACORN, BEECH, CEDAR]


def archive(blocks: Iterable[Block] = BLOCKS, roots: Iterable[CID] = (ACORN.cid,)) -> bytes:
    return serialize(roots) + b"".join(b"".join(section(*block)) for block in blocks)


def version_2(payload: bytes, *, padding: int = 0, size: int | None = None, index: bytes = b"") -> bytes:
    start = len(PRAGMA) + V2_SIZE + padding
    numbers = (start, len(payload) if size is None else size, start + len(payload) if index else 0)
    header = bytes(16) + b"".join(number.to_bytes(8, "little") for number in numbers)
    return PRAGMA + header + bytes(padding) + payload + index
