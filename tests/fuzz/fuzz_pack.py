"""Any bytes as a pack give sections inside it, in order; one that is called intact hashes to its CID."""

import os

from zwerm.ipfs.blockstore import pack
from zwerm.multiformats import multihash
from zwerm.multiformats.cid import CID

_FILE = os.memfd_create("pack")


def _section(data: bytes, hash_code: int = 0x12) -> bytes:
    cid = bytes(CID.of(data, hash_code=hash_code))
    return pack.section_head(cid, len(data)) + data


_SECTIONS = [_section(b"one"), _section(b"two" * 60), _section(b"three", 0xB220), _section(b"")]
SEEDS = [
    b"".join(_SECTIONS),
    _SECTIONS[0] + b"\xff" * 20 + _SECTIONS[1] + _SECTIONS[2],
    _SECTIONS[1][:-1] + _SECTIONS[0],
    b"\x80\x80\x80\x01" + _SECTIONS[0],
    b"",
]


def fuzz(data: bytes) -> None:
    os.ftruncate(_FILE, 0)
    os.pwrite(_FILE, data, 0)
    for resume in (False, True):
        position = 0
        for section in pack.scan(_FILE, 0, len(data), resume=resume):
            assert position <= section.offset - section.head
            assert section.end <= len(data)
            content = data[section.offset : section.end]
            assert not section.intact or multihash.verify(section.cid.multihash, content)
            position = section.end
