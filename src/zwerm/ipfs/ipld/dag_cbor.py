"""dag-cbor: CBOR with links, in one form for each value (ipld.io/specs/codecs/dag-cbor/spec)."""

from __future__ import annotations

from typing import Any

from zwerm.ipfs.ipld import cbor_reader, cbor_writer
from zwerm.multiformats.cid import CID


def decode(data: bytes, *, strict: bool = True) -> Any:
    """Read untrusted bytes.

    Not `strict`, also what older writers made: keys in any order, integers longer and floats shorter than they must be
    (the specification, "Decode strictness").

    Raises:
        WireError: not dag-cbor.
    """
    return cbor_reader.decode(data, cbor_reader.STRICT if strict else cbor_reader.RELAXED)


def encode(value: Any) -> bytes:
    """Write a value of the data model; a LocalProtocolError for anything else."""
    return cbor_writer.encode(value, links=True)


def links(data: bytes) -> list[CID]:
    """Return the links of untrusted bytes in order, without judging the form they are written in."""
    return cbor_reader.links(data)
