"""raw: bytes that are bytes (ipld.io/specs/codecs/raw)."""

from __future__ import annotations

from typing import Any

from zwerm.core.errors import LocalProtocolError
from zwerm.multiformats.cid import CID


def decode(data: bytes) -> bytes:
    return bytes(data)


def encode(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise LocalProtocolError(f"raw value is {type(value).__name__}, expected bytes")
    return value


def links(data: bytes) -> list[CID]:  # noqa: ARG001
    """Return nothing: raw bytes hold no links."""
    return []
