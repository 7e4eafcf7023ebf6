"""The IPLD codecs by their multicodec code: block bytes to values and back.

Values are the IPLD data model as Python has it: None, bool, int, float, str, bytes, list, dict with str keys, and
`CID` for a link. A dag-pb block is a `PBNode`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import MAX_BLOCK
from zwerm.ipfs.ipld.dag_pb import PBNode
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

MAX_TEXT_DOCUMENT: Final = 4 * MAX_BLOCK  # bytes of JSON, which may be the longer form of a block


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


_MODULES: Final = {  # of this package; imported on first use, files and folders need two of them
    multicodec.RAW: "raw",
    multicodec.DAG_PB: "dag_pb",
    multicodec.DAG_CBOR: "dag_cbor",
    multicodec.DAG_JSON: "dag_json",
    multicodec.JSON: "json",
    multicodec.GIT_RAW: "git_raw",
    multicodec.CBOR: "cbor",
}


def known(code: int) -> bool:
    """Whether blocks of this codec can be decoded."""
    return code in _MODULES


def decode(code: int, data: bytes, *, strict: bool = True) -> Any:
    """Read an untrusted block.

    Not `strict`, dag-cbor in the forms of older writers is read too: right for content that exists, wrong for what is
    about to be stored.

    Raises:
        UnknownCodec: no codec of that code.
        WireError: the bytes are not of that codec, in no canonical form where it has one, or larger than any block.
    """
    codec = _codec(code)
    limit = MAX_TEXT_DOCUMENT if code in {multicodec.DAG_JSON, multicodec.JSON} else MAX_BLOCK
    if len(data) > limit:
        raise WireError(f"{multicodec.codec_name(code)} of {len(data)} bytes, expected at most {limit}")
    if not strict and code == multicodec.DAG_CBOR:
        from zwerm.ipfs.ipld import dag_cbor

        return dag_cbor.decode(data, strict=False)
    return codec.decode(data)


def encode(code: int, value: Any) -> bytes:
    """Write a value as a block. A `PBNode` becomes the map of its specification in any codec but its own.

    Raises:
        UnknownCodec: no codec of that code.
        LocalProtocolError: a value that the codec cannot hold.
    """
    codec = _codec(code)
    if isinstance(value, PBNode) and code != multicodec.DAG_PB:
        value = value.to_data_model()
    return codec.encode(value)


def links(code: int, data: bytes) -> list[CID]:
    """Return the links of an untrusted block in its order, without building more than is needed. Errors as `decode`."""
    return _codec(code).links(data)


@functools.cache
def _codec(code: int) -> Codec:
    name = _MODULES.get(code)
    if name is None:
        raise UnknownCodec(code)
    module = importlib.import_module(f"zwerm.ipfs.ipld.{name}")
    return Codec(module.decode, module.encode, module.links)
