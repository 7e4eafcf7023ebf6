"""The nonce cookie (RFC 8489 section 9.2): a server says in its nonce what it can do, where nobody can strip it.

    obMatJos2  AAAC  the server's own part
    cookie     24 bits in base64: the security features

A man in the middle who takes PASSWORD-ALGORITHMS out of a challenge, to have a weak key used, does not help himself:
the bit in the nonce stays, and changing the nonce breaks it.
"""

from __future__ import annotations

import base64
import binascii
import enum
from typing import Final

COOKIE: Final = b"obMatJos2"
_FEATURES: Final = slice(len(COOKIE), len(COOKIE) + 4)


class SecurityFeatures(enum.IntFlag):
    """RFC 8489 section 18.1: bit 0 is the rightmost."""

    NONE = 0
    PASSWORD_ALGORITHMS = 0x1
    USERNAME_ANONYMITY = 0x2


def with_features(features: SecurityFeatures, rest: bytes) -> bytes:
    """Make a nonce of `rest` that tells of `features`."""
    return COOKIE + base64.b64encode(features.to_bytes(3, "big")) + rest


def features_of(nonce: bytes) -> SecurityFeatures:
    """Read what a nonce tells; nothing, when it has no cookie."""
    if not nonce.startswith(COOKIE):
        return SecurityFeatures.NONE
    try:
        bits = base64.b64decode(nonce[_FEATURES], validate=True)
    except binascii.Error:
        return SecurityFeatures.NONE
    known = SecurityFeatures.PASSWORD_ALGORITHMS | SecurityFeatures.USERNAME_ANONYMITY
    return SecurityFeatures(int.from_bytes(bits, "big")) & known if len(bits) == 3 else SecurityFeatures.NONE
