"""Plain CBOR and JSON blocks are refused with WireError, or what they say, written again, reads the same."""

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import codec
from zwerm.multiformats import multicodec

SEEDS = [
    codec.encode(multicodec.CBOR, {"a": [1, -1, 1.5, None, True, "text", b"bytes"]}),
    codec.encode(multicodec.JSON, {"a": [1, -1, 1.5, None, True, "text"]}),
    b'{"a":1,"a":2}',
    b"[1e999]",
]


def fuzz(data: bytes) -> None:
    for code in (multicodec.CBOR, multicodec.JSON):
        try:
            value = codec.decode(code, data)
        except WireError:
            continue
        assert codec.links(code, data) == []
        try:
            again = codec.encode(code, value)
        except LocalProtocolError:
            continue
        assert codec.encode(code, codec.decode(code, again)) == again
