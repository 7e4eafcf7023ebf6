"""AutoNAT v1, which older nodes ask with (libp2p specs, autonat/autonat-v1.md): answered here, while we ask by v2."""

from __future__ import annotations

import enum
from typing import Final

from zwerm.core.errors import WireError
from zwerm.core.protobuf import parse_fields, serialize_field
from zwerm.libp2p.autonat.message import MAX_ADDRESSES

PROTOCOL: Final = "/libp2p/autonat/1.0.0"

_DIAL: Final = 0
_DIAL_RESPONSE: Final = 1


class Status(enum.IntEnum):
    """What became of a request."""

    OK = 0
    E_DIAL_ERROR = 100
    E_DIAL_REFUSED = 101
    E_BAD_REQUEST = 200
    E_INTERNAL_ERROR = 300


def parse_dial(data: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Read a request from untrusted bytes; return the peer ID and the multiaddrs it gives, both unread.

    Raises:
        WireError: no such request.
    """
    fields = dict(parse_fields(data))
    dial = fields.get(2)
    if fields.get(1) != _DIAL or not isinstance(dial, bytes):
        raise WireError("autonat request that is no dial")
    peer = dict(parse_fields(dial)).get(1)
    if not isinstance(peer, bytes):
        raise WireError("autonat request without a peer")
    identity, addresses = b"", []
    for number, value in parse_fields(peer):
        if not isinstance(value, bytes):
            raise WireError(f"autonat peer field {number} is a number, expected bytes")
        if number == 1:
            identity = value
        elif number == 2:
            addresses.append(value)
    if len(addresses) > MAX_ADDRESSES:
        raise WireError(f"autonat request with {len(addresses)} addresses, expected at most {MAX_ADDRESSES}")
    return identity, tuple(addresses)


def serialize_dial(identity: bytes, addresses: tuple[bytes, ...]) -> bytes:
    peer = serialize_field(1, identity) + b"".join(serialize_field(2, address) for address in addresses)
    return serialize_field(1, _DIAL) + serialize_field(2, serialize_field(1, peer))


def parse_response(data: bytes) -> tuple[Status, bytes]:
    """Read an answer: its status, and the address that was reached, empty when none was."""
    fields = dict(parse_fields(data))
    body = fields.get(3)
    if fields.get(1) != _DIAL_RESPONSE or not isinstance(body, bytes):
        raise WireError("autonat answer that is no dial response")
    inner = dict(parse_fields(body))
    status, address = inner.get(1, 0), inner.get(3, b"")
    if status not in Status.__members__.values() or not isinstance(address, bytes):
        raise WireError(f"autonat answer with status {status!r}")
    return Status(int(status)), address


def serialize_response(status: Status, text: str = "", address: bytes = b"") -> bytes:
    body = serialize_field(1, status)
    if text:
        body += serialize_field(2, text.encode())
    if address:
        body += serialize_field(3, address)
    return serialize_field(1, _DIAL_RESPONSE) + serialize_field(3, body)
