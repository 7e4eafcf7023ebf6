"""Keys that sign and verify, in the encoding of the libp2p peer-ids spec, "Keys".

Ed25519 is what zwerm makes; RSA, ECDSA and secp256k1 keys of others are read, verified and signed with all the same.
One key has one encoding: every message that is not byte for byte the canonical form is refused, since the peer ID is a
hash of it.
"""

from __future__ import annotations

from typing import Any, Self

from cryptography.hazmat.primitives import serialization

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity import key_message
from zwerm.identity.key_message import MAX_KEY, KeyType
from zwerm.identity.schemes import INVALID_KEY, INVALID_SIGNATURE, SCHEMES, type_of

__all__ = ["MAX_KEY", "PrivateKey", "PublicKey"]


class PublicKey:
    """A key that verifies. Equal when the encodings are equal."""

    __slots__ = ("_encoded", "_key", "type")

    type: KeyType

    def __init__(self, key_type: KeyType, key: Any) -> None:
        """Wrap a public key of `cryptography`; from bytes use `parse`."""
        self.type = key_type
        self._key = key
        self._encoded = key_message.serialize(key_type, SCHEMES[key_type].public_data(key))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a `PublicKey` message from exactly these untrusted bytes.

        Raises:
            WireError: not the canonical encoding of a key we know.
        """
        key_type, body = key_message.parse(data)
        try:
            key = cls(key_type, SCHEMES[key_type].load_public(body))
        except INVALID_KEY as error:
            raise WireError(f"{key_type.name} public key of {len(body)} bytes: {error}") from None
        if key._encoded != data:
            raise WireError(f"{key_type.name} public key that is not in its canonical encoding")
        return key

    def serialize(self) -> bytes:
        return self._encoded

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether this key's secret half signed `message`. Both arguments may be untrusted; nothing is raised."""
        try:
            SCHEMES[self.type].verify(self._key, signature, message)
        except INVALID_SIGNATURE:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return self._encoded == other._encoded if isinstance(other, PublicKey) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._encoded)

    def __repr__(self) -> str:
        return f"PublicKey({self.type.name}, {self._encoded.hex()[:80]})"


class PrivateKey:
    """A key that signs. Its text form shows the public half only."""

    __slots__ = ("_key", "public", "type")

    type: KeyType
    public: PublicKey

    def __init__(self, key_type: KeyType, key: Any) -> None:
        """Wrap a private key of `cryptography`; from bytes use `parse` or `from_pem`."""
        self.type = key_type
        self._key = key
        self.public = PublicKey(key_type, key.public_key())

    @classmethod
    def generate(cls, key_type: KeyType = KeyType.ED25519) -> Self:
        """Make a key from the system's randomness."""
        return cls(key_type, SCHEMES[key_type].generate())

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a `PrivateKey` message from exactly these bytes.

        Raises:
            WireError: not a private key that libp2p knows. The message holds nothing of the key.
        """
        key_type, body = key_message.parse(data)
        try:
            return cls(key_type, SCHEMES[key_type].load_private(body))
        except WireError:
            raise
        except INVALID_KEY:
            raise WireError(f"{key_type.name} private key that cannot be read") from None

    @classmethod
    def from_pem(cls, text: bytes) -> Self:
        """Read an unencrypted PKCS #8 PEM file.

        Raises:
            WireError: not such a file, or a key that libp2p has no name for.
        """
        try:
            key = serialization.load_pem_private_key(text, password=None)
            return cls(type_of(key), key)
        except (*INVALID_KEY, LocalProtocolError):
            raise WireError("not an unencrypted private key in PEM PKCS #8 that libp2p knows") from None

    def serialize(self) -> bytes:
        """Return the `PrivateKey` message: secret, for files of mode 0600 only."""
        return key_message.serialize(self.type, SCHEMES[self.type].private_data(self._key))

    def to_pem(self) -> bytes:
        """Return the unencrypted PKCS #8 PEM file: secret, as `serialize`."""
        return bytes(
            self._key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def sign(self, message: bytes) -> bytes:
        return SCHEMES[self.type].sign(self._key, message)

    def __repr__(self) -> str:
        return f"PrivateKey of {self.public!r}"
