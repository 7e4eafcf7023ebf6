"""Certificates that name nobody: the self-signed identity of a DTLS endpoint (RFC 8827 section 6.5).

What a peer checks is the fingerprint that came by signaling, so subject, issuer and dates carry no meaning; a fresh
certificate for each connection keeps connections from being linked.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final, Self, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction

DEFAULT_LIFETIME: Final = dt.timedelta(days=30)  # WebRTC 1.0 section 4.9.2
MAX_LIFETIME: Final = dt.timedelta(days=365)  # the same: a user agent may limit what is asked for
CLOCK_SKEW: Final = dt.timedelta(days=1)  # a peer that looks at the dates may have a clock behind ours

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class KeyAlgorithm(enum.Enum):
    """What a certificate's key is; the two that every WebRTC implementation has to make."""

    ECDSA_P256 = "ECDSA on P-256"
    RSA_2048 = "RSA of 2048 bits"


class Certificate:
    """A certificate with its private key."""

    __slots__ = ("__weakref__", "der", "key", "x509")

    def __init__(self, certificate: x509.Certificate, key: PrivateKey) -> None:
        """Take a certificate and its key.

        Raises:
            LocalProtocolError: the key is not the certificate's.
        """
        if certificate.public_key() != key.public_key():
            raise LocalProtocolError("the private key does not belong to the certificate")
        self.x509 = certificate
        self.key = key
        self.der = certificate.public_bytes(serialization.Encoding.DER)

    @classmethod
    def generate(
        cls,
        algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256,
        *,
        now: dt.datetime,
        lifetime: dt.timedelta = DEFAULT_LIFETIME,
    ) -> Self:
        """Make a key and sign it with itself.

        Args:
            algorithm: of the key.
            now: the wall clock, with its time zone.
            lifetime: from `now` on; more than `MAX_LIFETIME` is cut to it.

        Raises:
            LocalProtocolError: a lifetime that is not positive, or a `now` without time zone.
        """
        if now.tzinfo is None or lifetime <= dt.timedelta(0):
            raise LocalProtocolError(f"a certificate for {lifetime} from {now}, expected a positive time and a zone")
        key: PrivateKey
        if algorithm is KeyAlgorithm.ECDSA_P256:
            key = ec.generate_private_key(ec.SECP256R1())
        else:
            key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_SKEW)
            .not_valid_after(now + min(lifetime, MAX_LIFETIME))
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read what `to_pem` wrote, or any certificate and private key in PEM.

        Raises:
            WireError: no certificate, no key, a key of another kind, or one that does not belong to the certificate.
        """
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise WireError(f"no certificate with a private key in PEM: {error}") from None
        if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
            raise WireError(f"a key of {type(key).__name__}, expected ECDSA or RSA")
        try:
            return cls(certificate, key)
        except LocalProtocolError as error:
            raise WireError(str(error)) from None

    def to_pem(self) -> bytes:
        """The certificate and the private key, not encrypted: whoever reads it can be us."""
        return self.x509.public_bytes(serialization.Encoding.PEM) + self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def expires(self) -> dt.datetime:
        """After this moment no new connection is made with it; checked by whoever makes connections."""
        return self.x509.not_valid_after_utc

    def fingerprint(self, function: HashFunction = HashFunction.SHA_256) -> Fingerprint:
        return Fingerprint.of(self.der, function)
