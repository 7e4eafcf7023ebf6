"""A CID is refused with WireError, or it says the same in bytes and in every text."""

import contextlib

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_CIDS = [
    CID.of(b"x"),
    CID.of(b"x", multicodec.DAG_PB, version=0),
    CID.of(b"x", multicodec.DAG_JSON, multicodec.SHA2_512),
    CID.of(b"x" * 30, hash_code=multicodec.IDENTITY),
]
SEEDS = [*map(bytes, _CIDS), *(str(cid).encode() for cid in _CIDS), _CIDS[0].encode("base36").encode()]


def fuzz(data: bytes) -> None:
    try:
        cid, end = CID.parse_prefix(data)
        assert bytes(CID(cid.version, cid.codec, cid.multihash)) == data[:end]
        _same(cid)
    except WireError:
        pass
    with contextlib.suppress(WireError):
        _same(CID.from_text(text(data)))


def _same(cid: CID) -> None:
    assert CID.parse(bytes(cid)) == cid
    assert CID.from_text(str(cid)) == cid
    assert cid.to_v1().multihash == cid.multihash
    assert cid.multihash.endswith(cid.digest)
