"""A dag-cbor block is refused with WireError, or strict ones are written again byte for byte; lenient reads no less."""

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld import dag_cbor
from zwerm.multiformats.cid import CID

SEEDS = [
    dag_cbor.encode({"a": [1, -1, 2**64 - 1, 1.5, None, True, "text", b"bytes", CID.of(b"x")], "b": {}}),
    dag_cbor.encode([]),
    bytes.fromhex("d82a58250001551220") + bytes(32),
    bytes.fromhex("9f01ff"),
    bytes.fromhex("f97e00"),
    bytes.fromhex("bf6161016162ff"),
    bytes.fromhex("fb7ff8000000000000"),
]


def fuzz(data: bytes) -> None:
    try:
        lenient = dag_cbor.decode(data, strict=False)
    except WireError:
        lenient = ...
    try:
        value = dag_cbor.decode(data)
    except WireError:
        return
    assert lenient is not ...
    assert dag_cbor.encode(value) == data
    assert all(isinstance(cid, CID) for cid in dag_cbor.links(data))
