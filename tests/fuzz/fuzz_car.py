"""A CAR is refused with BrokenCar after its whole blocks, which match their CIDs, however the file is cut."""

import hashlib

from tests.fuzz.inputs import pieces
from zwerm.ipfs.block import Block
from zwerm.ipfs.car import header
from zwerm.ipfs.car.reader import BrokenCar, CarReader
from zwerm.multiformats import multihash, varint

_BLOCKS = [Block.create(data) for data in (b"", b"one", b"two" * 30)]
_SECTIONS = b"".join(
    varint.serialize(len(bytes(block.cid)) + len(block.data)) + bytes(block.cid) + block.data for block in _BLOCKS
)
_V1 = header.serialize([_BLOCKS[0].cid]) + _SECTIONS
_V2 = header.PRAGMA + bytes(16) + b"".join(n.to_bytes(8, "little") for n in (51, len(_V1), 0)) + _V1
SEEDS = [b"\x40" + _V1, b"\x05" + _V2, b"\x01" + _V1[:-5], b"\x07" + header.serialize([]), b"\x09" + _V2 + b"index"]


def fuzz(data: bytes) -> None:
    size = data[0] if data else 1
    whole, cut = _read(data[1:], len(data)), _read(data[1:], size)
    assert whole == cut
    for cid, digest in whole[0]:
        assert digest is not None, cid


def _read(data: bytes, size: int):
    reader, found, failure = CarReader(max_header=4_096, max_block=65_536), [], None
    try:
        for piece in pieces(data, size):
            found += reader.receive_data(piece)
        reader.receive_eof()
    except BrokenCar as error:
        failure = (error.blocks, error.position)
    blocks = [(block.cid, _digest(block)) for block in found]
    assert reader.blocks == len(blocks)
    return blocks, failure, reader.roots


def _digest(block: Block) -> str | None:
    return hashlib.sha1(block.data).hexdigest() if multihash.verify(block.cid.multihash, block.data) else None
