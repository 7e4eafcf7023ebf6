"""Nonces that a server recognizes without having kept them.

A nonce is the time it was made at and an HMAC over that time and the client's address. So a flood of requests fills
nothing, every worker process knows the nonces of the others, and a nonce is of use only where it was sent to: a right
one proves that the client's address is not forged.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from zwerm.core.machine import Address, Instant
from zwerm.webrtc.stun.address import serialize_address
from zwerm.webrtc.stun.nonce import COOKIE, SecurityFeatures, with_features

_PREFIX: Final = len(COOKIE) + 4
_TIME_SIZE: Final = 6  # milliseconds
_MAC_SIZE: Final = 12  # 96 bits: each guess costs a request


class Nonces:
    """Makes and checks nonces."""

    __slots__ = ("_features", "_key", "_lifetime", "_started")

    def __init__(self, key: bytes, lifetime: float, features: SecurityFeatures, started: Instant) -> None:
        """`key` is random, secret, and shared by all who are to know each other's nonces, as `started` is."""
        self._key = key
        self._lifetime = lifetime
        self._features = features
        self._started = started

    def make(self, source: Address, now: Instant) -> bytes:
        time = int((now - self._started) * 1_000).to_bytes(_TIME_SIZE, "big")
        return with_features(self._features, base64.b64encode(time + self._mac(time, source)))

    def is_valid(self, nonce: bytes, source: Address, now: Instant) -> bool:
        """Whether this nonce was made for `source`, and not too long ago."""
        try:
            token = base64.b64decode(nonce[_PREFIX:], validate=True)
        except binascii.Error:
            return False
        time = token[:_TIME_SIZE]
        if len(token) != _TIME_SIZE + _MAC_SIZE or nonce[:_PREFIX] != with_features(self._features, b""):
            return False
        if not hmac.compare_digest(token[_TIME_SIZE:], self._mac(time, source)):
            return False
        age = now - self._started - int.from_bytes(time, "big") / 1_000
        return -1.0 < age <= self._lifetime  # by a second another process may be ahead of us

    def _mac(self, time: bytes, source: Address) -> bytes:
        return hmac.digest(self._key, time + serialize_address(source), "sha256")[:_MAC_SIZE]
