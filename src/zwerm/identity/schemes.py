"""The four signature schemes of libp2p keys (libp2p peer-ids spec, "Key Types").

A scheme knows how its keys look inside the `Data` field of the key messages and how it signs. `keys` wraps it;
nothing else needs to know which scheme a key uses.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeVar

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity.key_message import KeyType

RSA_BITS: Final = 2_048  # of keys we make, and the least we accept (go-libp2p's floor)
MAX_RSA_BITS: Final = 8_192  # go-libp2p's ceiling; verifying costs time with the square of it

_SECP256K1_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_DER: Final = serialization.Encoding.DER
_NO_PASSWORD: Final = serialization.NoEncryption()
_RsaKey = TypeVar("_RsaKey", rsa.RSAPublicKey, rsa.RSAPrivateKey)


class Scheme(Protocol):
    """What differs between key types. `Any` stands for the scheme's own key classes of `cryptography`.

    The loaders raise ValueError or one of its kin on bytes they do not like; `keys` turns it into a WireError.
    """

    def generate(self) -> Any: ...

    def load_public(self, data: bytes) -> Any: ...

    def load_private(self, data: bytes) -> Any: ...

    def public_data(self, key: Any) -> bytes: ...

    def private_data(self, key: Any) -> bytes: ...

    def sign(self, key: Any, message: bytes) -> bytes: ...

    def verify(self, key: Any, signature: bytes, message: bytes) -> None:
        """Return when the signature is right; raise InvalidSignature otherwise."""
        ...


class Ed25519:
    """Raw keys; the private form is the seed and then the public key, which old files repeat once more."""

    def generate(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.generate()

    def load_public(self, data: bytes) -> ed25519.Ed25519PublicKey:
        return ed25519.Ed25519PublicKey.from_public_bytes(data)

    def load_private(self, data: bytes) -> ed25519.Ed25519PrivateKey:
        if len(data) not in (64, 96):
            raise WireError(f"Ed25519 private key of {len(data)} bytes, expected 64")
        key = ed25519.Ed25519PrivateKey.from_private_bytes(data[:32])
        public = self.public_data(key.public_key())
        if data[32:] not in (public, public * 2):
            raise WireError("Ed25519 private key followed by a public key that is not its own")
        return key

    def public_data(self, key: ed25519.Ed25519PublicKey) -> bytes:
        return key.public_bytes_raw()

    def private_data(self, key: ed25519.Ed25519PrivateKey) -> bytes:
        return key.private_bytes_raw() + key.public_key().public_bytes_raw()

    def sign(self, key: ed25519.Ed25519PrivateKey, message: bytes) -> bytes:
        return key.sign(message)

    def verify(self, key: ed25519.Ed25519PublicKey, signature: bytes, message: bytes) -> None:
        key.verify(signature, message)


class Rsa:
    """PKIX public keys, PKCS #1 private keys, PKCS #1 v1.5 signatures over SHA-256."""

    def generate(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)

    def load_public(self, data: bytes) -> rsa.RSAPublicKey:
        key = serialization.load_der_public_key(data)
        if not isinstance(key, rsa.RSAPublicKey):
            raise WireError(f"{type(key).__name__} inside an RSA key message")
        return _checked_size(key)

    def load_private(self, data: bytes) -> rsa.RSAPrivateKey:
        key = serialization.load_der_private_key(data, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise WireError(f"{type(key).__name__} inside an RSA key message")
        return _checked_size(key)

    def public_data(self, key: rsa.RSAPublicKey) -> bytes:
        return key.public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def private_data(self, key: rsa.RSAPrivateKey) -> bytes:
        return key.private_bytes(_DER, serialization.PrivateFormat.TraditionalOpenSSL, _NO_PASSWORD)

    def sign(self, key: rsa.RSAPrivateKey, message: bytes) -> bytes:
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def verify(self, key: rsa.RSAPublicKey, signature: bytes, message: bytes) -> None:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


class Ecdsa:
    """PKIX public keys, SEC 1 private keys (as the spec's vectors, not its prose), DER signatures over SHA-256."""

    def generate(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    def load_public(self, data: bytes) -> ec.EllipticCurvePublicKey:
        key = serialization.load_der_public_key(data)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise WireError(f"{type(key).__name__} inside an ECDSA key message")
        return key

    def load_private(self, data: bytes) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_der_private_key(data, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise WireError(f"{type(key).__name__} inside an ECDSA key message")
        return key

    def public_data(self, key: ec.EllipticCurvePublicKey) -> bytes:
        return key.public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def private_data(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(_DER, serialization.PrivateFormat.TraditionalOpenSSL, _NO_PASSWORD)

    def sign(self, key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        return key.sign(message, ec.ECDSA(hashes.SHA256()))

    def verify(self, key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


class Secp256k1:
    """Bitcoin's encodings: compressed points, 32-byte scalars, DER signatures with the lower of the two `s`."""

    def generate(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256K1())

    def load_public(self, data: bytes) -> ec.EllipticCurvePublicKey:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), data)

    def load_private(self, data: bytes) -> ec.EllipticCurvePrivateKey:
        if len(data) != 32:
            raise WireError(f"secp256k1 private key of {len(data)} bytes, expected 32")
        return ec.derive_private_key(int.from_bytes(data, "big"), ec.SECP256K1())

    def public_data(self, key: ec.EllipticCurvePublicKey) -> bytes:
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)

    def private_data(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_numbers().private_value.to_bytes(32, "big")

    def sign(self, key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return encode_dss_signature(r, min(s, _SECP256K1_ORDER - s))  # BIP 62, "Low S values in signatures"

    def verify(self, key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


SCHEMES: Final[dict[KeyType, Scheme]] = {
    KeyType.RSA: Rsa(),
    KeyType.ED25519: Ed25519(),
    KeyType.SECP256K1: Secp256k1(),
    KeyType.ECDSA: Ecdsa(),
}

# What the loaders raise on bad bytes; OpenSSL fails in its own words on an X448 key of the wrong size.
INVALID_KEY: Final = (ValueError, UnsupportedAlgorithm, TypeError, InternalError)
INVALID_SIGNATURE: Final = (InvalidSignature, ValueError, UnsupportedAlgorithm, InternalError)


def type_of(key: Any) -> KeyType:
    """Name the scheme a key of `cryptography` belongs to; LocalProtocolError when it is none of the four."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return KeyType.ED25519
    if isinstance(key, rsa.RSAPrivateKey):
        return KeyType.RSA
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return KeyType.SECP256K1 if isinstance(key.curve, ec.SECP256K1) else KeyType.ECDSA
    raise LocalProtocolError(f"{type(key).__name__}, expected Ed25519, RSA, ECDSA or secp256k1")


def _checked_size(key: _RsaKey) -> _RsaKey:
    if not RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise WireError(f"RSA key of {key.key_size} bits, expected {RSA_BITS} to {MAX_RSA_BITS}")
    return key
