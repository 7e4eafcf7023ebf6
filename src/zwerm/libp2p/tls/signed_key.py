"""The libp2p Public Key Extension (libp2p specs, "tls/tls.md"): an identity key that signed a certificate's key.

SignedKey ::= SEQUENCE { publicKey OCTET STRING, signature OCTET STRING }
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from zwerm.core.cursor import Cursor
from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey, PublicKey

OID: Final = "1.3.6.1.4.1.53594.1.1"
MAX_SIZE: Final = 16_384  # bytes

_SEQUENCE: Final = 0x30
_OCTET_STRING: Final = 0x04
_SIGNED: Final = b"libp2p-tls-handshake:"


class SignedKey(NamedTuple):
    """An identity key as a `PublicKey` message, and its signature over the key of a certificate."""

    public_key: bytes
    signature: bytes

    @classmethod
    def sign(cls, key: PrivateKey, subject_public_key_info: bytes) -> Self:
        return cls(key.public.serialize(), key.sign(_SIGNED + subject_public_key_info))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read exactly these untrusted bytes, which are DER: every length in its shortest form, nothing behind.

        Raises:
            WireError: they are not.
        """
        if len(data) > MAX_SIZE:
            raise WireError(f"libp2p extension of {len(data)} bytes, the limit is {MAX_SIZE}")
        outer = Cursor(data, "libp2p extension")
        inner = Cursor(_element_untrusted(outer, _SEQUENCE), "libp2p extension")
        outer.expect_end()
        signed_key = cls(_element_untrusted(inner, _OCTET_STRING), _element_untrusted(inner, _OCTET_STRING))
        inner.expect_end()
        return signed_key

    def serialize(self) -> bytes:
        return _element(_SEQUENCE, _element(_OCTET_STRING, self.public_key) + _element(_OCTET_STRING, self.signature))

    def verified_key_untrusted(self, subject_public_key_info: bytes) -> PublicKey:
        """Return the identity key, if it signed the certificate's key.

        Raises:
            WireError: it is no key we know, or did not.
        """
        key = PublicKey.parse(self.public_key)
        if not key.verify(self.signature, _SIGNED + subject_public_key_info):
            raise WireError(f"the {key.type.name} identity key did not sign the peer's certificate key")
        return key


def _element(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _element_untrusted(cursor: Cursor, tag: int) -> bytes:
    found, size = cursor.uint8(), cursor.uint8()
    if found != tag:
        raise WireError(f"DER tag {found:#04x} in a libp2p extension, expected {tag:#04x}")
    if size >= 0x80:
        count = size & 0x7F
        if not 1 <= count <= 2:
            raise WireError(f"DER length of {count} bytes in a libp2p extension, expected 1 or 2")
        size = int.from_bytes(cursor.take(count), "big")
        if size < 0x80 or size >> 8 * (count - 1) == 0:
            raise WireError("DER length in a libp2p extension that is not in its shortest form")
    return cursor.take(size)
