"""What protects one direction of TLS 1.3 after the handshake (RFC 8446 sections 5.2, 5.3 and 7.3): a secret, of which
come a key and the nonces of numbered records, and the secret that follows it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

IV_SIZE: Final = 12

_Aead: TypeAlias = type[AESGCM] | type[ChaCha20Poly1305]

# By the name that OpenSSL has for it: the cipher, bytes of its key, the hash.
SUITES: Final[dict[str, tuple[_Aead, int, type[SHA256 | SHA384]]]] = {
    "TLS_AES_128_GCM_SHA256": (AESGCM, 16, SHA256),
    "TLS_AES_256_GCM_SHA384": (AESGCM, 32, SHA384),
    "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, 32, SHA256),
}


class RecordKeys:
    """Keys of one direction; `number` is of the next record, and whoever uses it counts it."""

    __slots__ = ("_secret", "_suite", "aead", "iv", "number")

    def __init__(self, suite: str, secret: bytes, number: int = 0) -> None:
        """`suite` is one of `SUITES`, `secret` the traffic secret, `number` how many records it has protected."""
        self._suite = suite
        self._secret = secret
        self.number = number
        self._derive()

    def update(self) -> None:
        """Go on to the next secret, RFC 8446 section 7.2, and to record 0."""
        self._secret = self._expand(b"traffic upd", len(self._secret))
        self.number = 0
        self._derive()

    def _derive(self) -> None:
        cipher, size, _ = SUITES[self._suite]
        self.aead = cipher(self._expand(b"key", size))
        self.iv = int.from_bytes(self._expand(b"iv", IV_SIZE), "big")  # XOR a record's number: its nonce

    def _expand(self, label: bytes, size: int) -> bytes:
        """HKDF-Expand-Label with an empty context, RFC 8446 section 7.1."""
        name = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes((len(name),)) + name + b"\0"
        return HKDFExpand(SUITES[self._suite][2](), size, info).derive(self._secret)
