"""cbor: plain CBOR as far as the IPLD data model goes (RFC 8949): no links, any form of each value.

Written in the deterministic form of dag-cbor.
"""

from __future__ import annotations

from typing import Any

from zwerm.ipfs.ipld import cbor_reader, cbor_writer
from zwerm.multiformats.cid import CID


def decode(data: bytes) -> Any:
    return cbor_reader.decode(data, cbor_reader.PLAIN)


def encode(value: Any) -> bytes:
    return cbor_writer.encode(value, links=False)


def links(data: bytes) -> list[CID]:  # noqa: ARG001
    """Return nothing: plain CBOR holds no links."""
    return []
