"""The IPLD codecs by their multicodec code: block bytes to values and back.

Values are the IPLD data model as Python has it: None, bool, int, float, str, bytes, list, dict with str keys, and
`CID` for a link. A dag-pb block is a `PBNode`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.ipld import dag_pb, raw
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


class UnknownCodec(LocalProtocolError):
    """A codec that zwerm cannot read; its blocks are still kept and moved as bytes."""

    def __init__(self, code: int) -> None:
        super().__init__(f"codec {multicodec.codec_name(code)} is not known here")
        self.code = code


class Codec(NamedTuple):
    """The three things a codec does."""

    decode: Callable[[bytes], Any]  # WireError for bad bytes
    encode: Callable[[Any], bytes]  # LocalProtocolError for a value the codec cannot hold
    links: Callable[[bytes], list[CID]]  # in the order of the block, repeated ones too; WireError for bad bytes


_CODECS: Final[dict[int, Codec]] = {
    multicodec.RAW: Codec(raw.decode, raw.encode, raw.links),
    multicodec.DAG_PB: Codec(dag_pb.decode, dag_pb.encode, dag_pb.links),
}


def known(code: int) -> bool:
    """Whether blocks of this codec can be decoded."""
    return code in _CODECS


def decode(code: int, data: bytes) -> Any:
    """Read an untrusted block.

    Raises:
        UnknownCodec: no codec of that code.
        WireError: the bytes are not of that codec, or of no canonical form where it has one.
    """
    return _codec(code).decode(data)


def encode(code: int, value: Any) -> bytes:
    """Write a value as a block.

    Raises:
        UnknownCodec: no codec of that code.
        LocalProtocolError: a value that the codec cannot hold.
    """
    return _codec(code).encode(value)


def links(code: int, data: bytes) -> list[CID]:
    """Return the links of an untrusted block in its order, without building more than is needed. Errors as `decode`."""
    return _codec(code).links(data)


def _codec(code: int) -> Codec:
    codec = _CODECS.get(code)
    if codec is None:
        raise UnknownCodec(code)
    return codec
