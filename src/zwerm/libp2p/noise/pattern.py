"""The Noise handshake `Noise_XX_25519_ChaChaPoly_SHA256` (noiseprotocol.org, revision 34), with payloads left open.

    -> e
    <- e, ee, s, es
    -> s, se

Only what this one pattern needs is here: no pre-messages, no pre-shared keys, no rekeying. Keys of the caller come in,
so nothing draws randomness.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from zwerm.core.errors import LocalProtocolError, WireError

NAME: Final = b"Noise_XX_25519_ChaChaPoly_SHA256"  # 32 bytes, so it is its own first hash
DH_SIZE: Final = 32
TAG_SIZE: Final = 16
MESSAGES: Final = 3
MAX_NONCE: Final = 2**64 - 1  # reserved; Noise section 5.1

nonce: Final = struct.Struct("<4xQ").pack  # Noise section 12.3: 32 zero bits, then the counter


class Pattern:
    """One side of a handshake. The two sides write and read messages in turn, three in all, the initiator first."""

    __slots__ = (
        "_chaining_key",
        "_cipher",
        "_ephemeral",
        "_hash",
        "_sealed",
        "_static",
        "_turn",
        "is_initiator",
        "remote_ephemeral",
        "remote_static",
    )

    remote_ephemeral: bytes
    remote_static: bytes  # empty until it is known; that its holder is there is proved by the message that carried it

    def __init__(
        self, static: X25519PrivateKey, ephemeral: X25519PrivateKey, *, is_initiator: bool, prologue: bytes = b""
    ) -> None:
        """`prologue` is what both sides must have seen alike for the handshake to succeed."""
        self.is_initiator = is_initiator
        self._static = static
        self._ephemeral = ephemeral
        self.remote_static = self.remote_ephemeral = b""
        self._turn = 0
        self._chaining_key = self._hash = NAME
        self._cipher: ChaCha20Poly1305 | None = None
        self._sealed = 0
        self._mix_hash(prologue)

    @property
    def is_my_turn(self) -> bool:
        return not self.is_over and (self._turn % 2 == 0) == self.is_initiator

    @property
    def is_over(self) -> bool:
        return self._turn == MESSAGES

    @property
    def handshake_hash(self) -> bytes:
        """What both sides have in common and nobody else can bring about (Noise section 11.2)."""
        return self._hash

    def write_message(self, payload: bytes) -> bytes:
        """Return the next message; the payload of the first is not encrypted.

        Raises:
            WireError: the peer's key, read before, is of low order. The handshake is over and cannot go on.
        """
        if not self.is_my_turn:
            raise LocalProtocolError(f"noise message {self._turn + 1} is not ours to write")
        parts = []
        if self._turn < 2:
            public = self._ephemeral.public_key().public_bytes_raw()
            self._mix_hash(public)
            parts.append(public)
        if self._turn == 1:
            self._mix_dh(self._ephemeral, self.remote_ephemeral)
        if self._turn > 0:
            parts.append(self._encrypt_and_hash(self._static.public_key().public_bytes_raw()))
            self._mix_dh(self._static, self.remote_ephemeral)
        parts.append(self._encrypt_and_hash(payload))
        self._turn += 1
        return b"".join(parts)

    def read_message_untrusted(self, message: bytes) -> bytes:
        """Return the payload of the peer's next message.

        Raises:
            WireError: too short, a key that is none, or not encrypted with the keys of this handshake. The handshake
                is over and cannot go on.
        """
        if self.is_my_turn or self.is_over:
            raise LocalProtocolError(f"noise message {self._turn + 1} is not the peer's to write")
        number, position = self._turn + 1, 0
        static_size = DH_SIZE + TAG_SIZE
        least = (DH_SIZE, DH_SIZE + static_size + TAG_SIZE, static_size + TAG_SIZE)[self._turn]
        if len(message) < least:
            raise WireError(f"noise handshake message {number} of {len(message)} bytes, expected at least {least}")
        try:
            if self._turn < 2:
                self.remote_ephemeral = message[:DH_SIZE]
                self._mix_hash(self.remote_ephemeral)
                position = DH_SIZE
            if self._turn == 1:
                self._mix_dh(self._ephemeral, self.remote_ephemeral)
            if self._turn > 0:
                self.remote_static = self._decrypt_and_hash(message[position : position + static_size])
                position += static_size
                self._mix_dh(self._ephemeral, self.remote_static)
            payload = self._decrypt_and_hash(message[position:])
        except InvalidTag:
            raise WireError(f"noise handshake message {number} is not encrypted with this handshake's keys") from None
        self._turn += 1
        return payload

    def split(self) -> tuple[bytes, bytes]:
        """Return the keys for what is sent and for what is received, once the handshake is over."""
        if not self.is_over:
            raise LocalProtocolError("the noise handshake is not over")
        first, second = _hkdf(self._chaining_key, b"")
        return (first, second) if self.is_initiator else (second, first)

    def _mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _mix_dh(self, private: X25519PrivateKey, public: bytes) -> None:
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:  # the outcome would be zero, whatever our key is
            raise WireError(f"noise key {public.hex()} of low order") from None
        self._chaining_key, key = _hkdf(self._chaining_key, shared)
        self._cipher = ChaCha20Poly1305(key)
        self._sealed = 0

    def _encrypt_and_hash(self, plaintext: bytes) -> bytes:
        if self._cipher is not None:
            plaintext = self._cipher.encrypt(nonce(self._sealed), plaintext, self._hash)
            self._sealed += 1
        self._mix_hash(plaintext)
        return plaintext

    def _decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        plaintext = ciphertext
        if self._cipher is not None:
            plaintext = self._cipher.decrypt(nonce(self._sealed), ciphertext, self._hash)
            self._sealed += 1
        self._mix_hash(ciphertext)
        return plaintext


def _hkdf(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Noise section 4.3, with two outputs."""
    secret = hmac.digest(chaining_key, material, "sha256")
    first = hmac.digest(secret, b"\x01", "sha256")
    return first, hmac.digest(secret, first + b"\x02", "sha256")
