"""Tokens by which a stranger shows that it is where it says it is (RFC 9000 section 8.1.2). Nothing is kept for it.

A token names the address, the two connection IDs that the handshake will bind, and when it ends, under a key that only
this process knows.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant
from zwerm.core.random import Random
from zwerm.libp2p.transports.quic.packet import MAX_CONNECTION_ID

_EXPIRY: Final = struct.Struct("!d")
_SEAL: Final = 16  # bytes


class Validated(NamedTuple):
    """What the token of a client that came back says."""

    original_destination: bytes  # the connection ID of its first packet


class RetryTokens:
    """Makes tokens and checks them."""

    def __init__(self, random: Random) -> None:
        self._key = random.randbytes(32)

    def make(self, address: Address, original_destination: bytes, retry_source: bytes, expiry: Instant) -> bytes:
        body = _EXPIRY.pack(expiry) + original_destination
        return self._seal(body, address, retry_source) + body

    def check_untrusted(self, token: bytes, address: Address, destination: bytes, now: Instant) -> Validated:
        """Read a token that came in a packet to the connection ID `destination`.

        Raises:
            WireError: it is not of this process, for another address or connection ID, or too old.
        """
        seal, body = token[:_SEAL], token[_SEAL:]
        if not _EXPIRY.size <= len(body) <= _EXPIRY.size + MAX_CONNECTION_ID:
            raise WireError(f"token of {len(token)} bytes")
        if not hmac.compare_digest(seal, self._seal(body, address, destination)):
            raise WireError("token that was not made here for this client")
        if now > _EXPIRY.unpack(body[: _EXPIRY.size])[0]:
            raise WireError("token that is too old")
        return Validated(body[_EXPIRY.size :])

    def _seal(self, body: bytes, address: Address, retry_source: bytes) -> bytes:
        named = f"{address[0]} {address[1]} {retry_source.hex()} ".encode()
        return hmac.digest(self._key, named + body, hashlib.sha256)[:_SEAL]
