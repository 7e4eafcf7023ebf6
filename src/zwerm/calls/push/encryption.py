"""Encryption of a push message for one browser (RFC 8291, with the content coding aes128gcm of RFC 8188).

The push service in between sees how long a message is, and nothing else of it.
"""

from __future__ import annotations

import struct
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from zwerm.calls.identity import decode
from zwerm.core.errors import LocalProtocolError, WireError

RECORD: Final = 4096  # bytes of the one record, RFC 8291 section 4
MAX_MESSAGE: Final = 3993  # bytes of plain text that fit into what every push service takes, RFC 8291 section 4


def encrypt(message: bytes, p256dh: str, auth: str, *, key: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """Return the body to POST.

    Args:
        message: at most `MAX_MESSAGE` bytes.
        p256dh: the browser's public key, base64url.
        auth: the browser's secret, base64url.
        key: made for this message alone.
        salt: 16 random bytes, for this message alone.

    Raises:
        LocalProtocolError: too long a message, or a salt of another size.
        WireError: the browser's key or secret cannot be.
    """
    if len(message) > MAX_MESSAGE or len(salt) != 16:
        raise LocalProtocolError(f"push message of {len(message)} bytes, at most {MAX_MESSAGE} fit; salt of 16 bytes")
    try:
        secret, browser = decode(auth), decode(p256dh)
        shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser))
    except ValueError:
        raise WireError("the browser's key is no point of P-256") from None
    if len(secret) != 16:
        raise WireError(f"the browser's secret has {len(secret)} bytes, expected 16")
    own = public_bytes(key)
    keying = _derive(shared, secret, b"WebPush: info\0" + browser + own, 32)
    content_key = _derive(keying, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(keying, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + struct.pack("!LB", RECORD, len(own)) + own
    return header + AESGCM(content_key).encrypt(nonce, message + b"\x02", None)  # 2: the last record, no padding


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as a point, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)
