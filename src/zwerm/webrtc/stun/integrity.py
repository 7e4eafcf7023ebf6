"""MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, FINGERPRINT and their keys (RFC 8489 sections 9 and 14.5 to 14.7).

Each is computed over the bytes before it, with the length in the header set to where it ends: what comes after it does
not count. All functions here take a whole message and the offset at which the attribute stands.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import unicodedata
import zlib
from typing import Final

from zwerm.core.errors import LocalProtocolError

SHA1_SIZE: Final = 20
SHA256_SIZE: Final = 32
SHA256_MINIMUM: Final = 16  # RFC 8489 section 14.6: no usage may cut it shorter

FINGERPRINT_MASK: Final = 0x5354554E  # "STUN", so that it is no other protocol's CRC of the same bytes
_HEADER_SIZE: Final = 20
_BLOCK: Final = 64  # bytes of SHA-1 at a time
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class Integrity(enum.Enum):
    """Which HMACs a message carries."""

    SHA1 = "MESSAGE-INTEGRITY"
    SHA256 = "MESSAGE-INTEGRITY-SHA256"
    BOTH = "both, for a server of which nothing is known yet (RFC 8489 section 9.1.2)"


class PasswordAlgorithm(enum.IntEnum):
    """How a long-term key is made of the password (RFC 8489 section 18.5)."""

    MD5 = 1
    SHA256 = 2


class SHA1Key:
    """A key of HMAC-SHA1 that is used again and again: its two blocks are hashed once (RFC 2104 section 4)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            key = hashlib.sha1(key, usedforsecurity=False).digest()
        padded = key.ljust(_BLOCK, b"\x00")
        self._inner = hashlib.sha1(padded.translate(_INNER), usedforsecurity=False)
        self._outer = hashlib.sha1(padded.translate(_OUTER), usedforsecurity=False)

    def digest(self, data: bytes) -> bytes:
        """The HMAC of `data`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


def hmac_sha1(data: bytes, offset: int, key: bytes) -> bytes:
    """The value of a MESSAGE-INTEGRITY whose header stands at `offset`."""
    length = (offset + 4 + SHA1_SIZE - _HEADER_SIZE).to_bytes(2, "big")
    return hmac.digest(key, data[:2] + length + data[4:offset], "sha1")


def hmac_sha256(data: bytes, offset: int, key: bytes, size: int = SHA256_SIZE) -> bytes:
    """The value of a MESSAGE-INTEGRITY-SHA256 of `size` bytes whose header stands at `offset`."""
    length = (offset + 4 + size - _HEADER_SIZE).to_bytes(2, "big")
    return hmac.digest(key, data[:2] + length + data[4:offset], "sha256")[:size]


def fingerprint(data: bytes, offset: int) -> int:
    """The value of a FINGERPRINT whose header stands at `offset`; the length in `data` must include it already."""
    return zlib.crc32(data[:offset]) ^ FINGERPRINT_MASK


def short_term_key(password: str) -> bytes:
    """The key of a short-term credential, as ICE uses them (RFC 8489 section 9.1.1)."""
    return opaque_string(password).encode()


def long_term_key(
    username: str, realm: str, password: str, algorithm: PasswordAlgorithm = PasswordAlgorithm.MD5
) -> bytes:
    """The key of a long-term credential (RFC 8489 section 18.5.1).

    Raises:
        LocalProtocolError: one of them is no string of RFC 8265.
    """
    text = f"{username}:{opaque_string(realm)}:{opaque_string(password)}".encode()
    if algorithm is PasswordAlgorithm.SHA256:
        return hashlib.sha256(text).digest()
    return hashlib.md5(text, usedforsecurity=False).digest()


def userhash(username: str, realm: str) -> bytes:
    """What stands for a username that is not to be seen on the way (RFC 8489 section 14.4)."""
    return hashlib.sha256(f"{opaque_string(username)}:{opaque_string(realm)}".encode()).digest()


def opaque_string(text: str) -> str:
    """Bring a password, or what stands beside it, to the form of RFC 8265 section 4.2 (OpaqueString).

    Raises:
        LocalProtocolError: nothing is left, or it has control characters.
    """
    if text.isascii() and text.isprintable() and text:
        return text
    prepared = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in text)
    prepared = unicodedata.normalize("NFC", prepared)
    if not prepared or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in prepared):
        raise LocalProtocolError("a credential is empty or has control characters in it")
    return prepared
