"""json: plain JSON as values of the IPLD data model (RFC 8259): no links, no bytes."""

from __future__ import annotations

from typing import Any

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.ipld import json_reader, json_writer
from zwerm.multiformats.cid import CID


def decode(data: bytes) -> Any:
    return json_reader.decode(data, json_reader.unique)


def encode(value: Any) -> bytes:
    return json_writer.encode(value, _special)


def links(data: bytes) -> list[CID]:  # noqa: ARG001
    """Return nothing: plain JSON holds no links."""
    return []


def _special(value: Any) -> str | None:
    if isinstance(value, bytes | CID):
        what = "bytes" if isinstance(value, bytes) else "a link"
        raise LocalProtocolError(f"plain JSON cannot hold {what}; use dag-json")
    return None
