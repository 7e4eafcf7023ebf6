"""The name of a chunker is refused with LocalProtocolError, or its chunks are the bytes that went in."""

from tests.fuzz.inputs import text
from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.unixfs import chunker

SEEDS = [
    b"size-1000",
    b"rabin",
    b"rabin-262144",
    b"rabin-64-128-256",
    b"buzhash",
    b"default",
    b"size-0",
    b"rabin-1-2-3",
]
_DATA = bytes(range(256)) * 8


def fuzz(data: bytes) -> None:
    try:
        made = chunker.from_text(text(data))
    except LocalProtocolError:
        return
    assert b"".join([*made.receive_data(_DATA), *made.finish()]) == _DATA
    assert chunker.sure_size(text(data)) > 0
